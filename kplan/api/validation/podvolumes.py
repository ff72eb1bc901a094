"""The volumes of a pod: one source each, names that can be mounted, and files that stay inside.

Follows pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource). Projected volumes are in
projections.py, sources that PersistentVolumes have too in volumesources.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan import quantity
from kplan.api.validation import metadata, names
from kplan.api.validation.claims import claim_spec
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions, Value
from kplan.api.validation.projections import downward_file, file_mode, key_to_path, projected
from kplan.api.validation.volumesources import SOURCES, Check

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MORE_THAN_ONE = "may not specify more than 1 volume type"
ISCSI_NAME_BYTES = 64
ISCSI_LENGTH = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
    "if iscsi.initiatorName is specified."
)
# The order in which the server looks at the sources: the first one counts.
_ORDER = (
    "emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs flocker "
    "persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap azureFile vsphereVolume "
    "photonPersistentDisk portworxVolume azureDisk storageos projected scaleIO csi ephemeral image"
).split()
_KINDS = frozenset(_ORDER)
# Where messages do not call a source by its field: when it is checked, and when it is one too many.
_CHECKED_AS = {"gcePersistentDisk": "persistentDisk"}
FORBIDDEN_AS = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
# Fields of the metadata of a claim template that must not be set, as the message calls them.
_NOT_IN_TEMPLATE = {
    **{
        name: name
        for name in (
            "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp "
            "deletionGracePeriodSeconds ownerReferences finalizers managedFields"
        ).split()
    },
    "uid": "uID",
}


def volumes(errors: Errors, field: str, found: list[Value], pod_name: str, options: PodOptions) -> Mapping[str, Value]:
    """The volumes of a pod spec; those without a fault by name. `pod_name` is "" for a template."""
    made = {f"{pod_name}-{v.get('name')}" for v in found if pod_name and v.get("ephemeral") is not None}
    valid: dict[str, Value] = {}
    for i, volume in enumerate(found):
        path, name, before = f"{field}[{i}]", volume.get("name") or "", len(errors.causes)
        _source(errors, path, volume, pod_name, options)
        if not name:
            errors.required(f"{path}.name")
        else:
            names.invalid(errors, f"{path}.name", name, names.dns1123_label(name))
        if name in valid:
            errors.duplicate(f"{path}.name", name)
        if len(errors.causes) == before:
            valid[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in made:
            sentence = "must not reference a PVC that gets created for an ephemeral volume"
            errors.invalid(f"{path}.persistentVolumeClaim.claimName", claim, sentence)
    return valid


def _source(errors: Errors, path: str, volume: Value, pod_name: str, options: PodOptions) -> None:
    first = ""
    for kind in sorted(_KINDS.intersection(volume), key=_ORDER.index):
        source = volume[kind]
        if source is None:
            continue
        if first:
            errors.forbidden(f"{path}.{FORBIDDEN_AS.get(kind, kind)}", _MORE_THAN_ONE)
        else:
            first = kind
            where = f"{path}.{_CHECKED_AS.get(kind, kind)}"
            if kind in _PLAIN_SOURCES:
                _PLAIN_SOURCES[kind](errors, where, source)
            else:
                _POD_SOURCES[kind](errors, where, source, options)
        if kind == "iscsi":
            _iscsi_length(errors, path, volume)
    if not first:
        errors.required(path, "must specify a volume type")
    elif first == "ephemeral" and pod_name and volume.get("name"):
        _claim_name(errors, f"{path}.name", volume["name"], f"{pod_name}-{volume['name']}")


def _iscsi_length(errors: Errors, path: str, volume: Value) -> None:
    source, name = volume["iscsi"], volume.get("name") or ""
    together = f"{name}:{source.get('targetPortal') or ''}"
    if source.get("initiatorName") is not None and names.size(together) > ISCSI_NAME_BYTES:
        errors.invalid(f"{path}.name", name, ISCSI_LENGTH)


def _claim_name(errors: Errors, field: str, volume: str, claim: str) -> None:
    for m in names.dns1123_subdomain(claim):
        errors.invalid(field, volume, f'PVC name "{claim}": {m}')


def _empty_dir(errors: Errors, field: str, source: Value) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(limit).nanos < 0:
        errors.forbidden(f"{field}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _secret(errors: Errors, field: str, source: Value) -> None:
    _files(errors, field, source, "secretName")


def _config_map(errors: Errors, field: str, source: Value) -> None:
    _files(errors, field, source, "name")


def _files(errors: Errors, field: str, source: Value, name: str) -> None:
    if not source.get(name):
        errors.required(f"{field}.{name}")
    file_mode(errors, f"{field}.defaultMode", source.get("defaultMode"))
    for i, item in enumerate(source.get("items") or ()):
        key_to_path(errors, f"{field}.items[{i}]", item)


def _downward_api(errors: Errors, field: str, source: Value) -> None:
    file_mode(errors, f"{field}.defaultMode", source.get("defaultMode"))
    for item in source.get("items") or ():
        downward_file(errors, field, item)


def _ephemeral(errors: Errors, field: str, source: Value, options: PodOptions) -> None:
    template, field = source.get("volumeClaimTemplate"), f"{field}.volumeClaimTemplate"
    if template is None:
        errors.required(field)
        return
    meta = template.get("metadata") or {}
    metadata.annotation_map(meta.get("annotations"), errors, f"{field}.metadata.annotations")
    metadata.label_map(meta.get("labels"), errors, f"{field}.metadata.labels")
    for name, shown in _NOT_IN_TEMPLATE.items():
        if meta.get(name):
            errors.forbidden(f"{field}.metadata.{shown}", "cannot be set")
    claim_spec(errors, f"{field}.spec", template.get("spec") or {}, options.minor)


def _image(errors: Errors, field: str, source: Value, options: PodOptions) -> None:
    if options.is_pod and not source.get("reference"):
        errors.required(f"{field}.reference")
    pull_policy(errors, f"{field}.pullPolicy", source.get("pullPolicy") or "")


def pull_policy(errors: Errors, field: str, policy: str) -> None:
    """When an image is fetched."""
    if not policy:
        errors.required(field)
    else:
        errors.one_of(field, policy, PULL_POLICIES)


_PLAIN_SOURCES: Mapping[str, Check] = {
    **SOURCES,
    "emptyDir": _empty_dir,
    "secret": _secret,
    "configMap": _config_map,
    "downwardAPI": _downward_api,
}
_POD_SOURCES: Mapping[str, Callable[[Errors, str, Value, PodOptions], None]] = {
    "projected": projected,
    "ephemeral": _ephemeral,
    "image": _image,
}
