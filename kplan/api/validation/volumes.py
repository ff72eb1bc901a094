"""PersistentVolumes and PersistentVolumeClaims. Follows pkg/apis/core/validation/validation.go."""

from __future__ import annotations

import posixpath

from kplan import quantity
from kplan.api.validation import Context, affinity, metadata, names
from kplan.api.validation.claims import ACCESS_MODES, VOLUME_MODES, claim_spec
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.persistentsources import SOURCES
from kplan.api.validation.podvolumes import FORBIDDEN_AS, ISCSI_LENGTH, ISCSI_NAME_BYTES
from kplan.hints import Any

Value = dict[str, Any]

# What the labels of nodes were called in beta, and what now (the well-known labels of the documentation).
STABLE_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
}
RECLAIM = ("Delete", "Recycle", "Retain")
SINGLE = "ReadWriteOncePod"
POSITIVE = "must be greater than zero"
MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
# Sources that the documentation of the annotation leaves out.
NEVER_MOUNTED_SO = ("fc", "flexVolume", "flocker", "hostPath", "local", "portworxVolume", "scaleIO")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_INLINE = "in the context of inline volumes"
CLAIM_FIXED = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def _volume(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec = obj.get("spec") or {}
    volume_spec(spec, errors, "spec")
    if MOUNT_OPTIONS in (obj["metadata"].get("annotations") or {}) and any(spec.get(n) for n in NEVER_MOUNTED_SO):
        at = f"metadata.annotations.{MOUNT_OPTIONS}"
        errors.forbidden(at, "may not specify mount options for this volume type")
    _iscsi_length(spec.get("iscsi") or {}, (obj.get("metadata") or {}).get("name") or "", errors)


def _iscsi_length(source: Value, name: str, errors: Errors) -> None:
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is not None and names.size(f"{name}:{portal}") > ISCSI_NAME_BYTES:
        errors.invalid("spec.iscsi.targetportal", portal, ISCSI_LENGTH)


def volume_spec(spec: Value, errors: Errors, at: str, *, inline: bool = False) -> None:
    """The spec of a volume; one that stands inside an object (`inline`) is bound to nothing and made for CSI."""
    if inline:
        for field in ("claimRef", "capacity"):
            if spec.get(field):
                errors.forbidden(f"{at}.{field}", f"may not be specified {_INLINE}")
        if spec.get("csi") is None:
            errors.required(f"{at}.csi", f"has to be specified {_INLINE}")
    _access_modes(spec.get("accessModes") or [], errors, f"{at}.accessModes")
    if not inline:
        _capacity(spec.get("capacity"), errors)
    _reclaim(spec.get("persistentVolumeReclaimPolicy"), errors, f"{at}.persistentVolumeReclaimPolicy", inline)
    node_affinity = spec.get("nodeAffinity")
    if node_affinity is not None and inline:
        errors.forbidden(f"{at}.nodeAffinity", f"may not be specified {_INLINE}")
    elif node_affinity is not None:
        _node_affinity(node_affinity, errors)
    _source(spec, errors, at)
    path = (spec.get("hostPath") or {}).get("path")
    if path and posixpath.normpath(path) == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        errors.forbidden(f"{at}.persistentVolumeReclaimPolicy", detail)
    _classes(spec, errors, at, inline)


def _access_modes(modes: list[str], errors: Errors, at: str) -> None:
    if not modes:
        errors.required(at)
    for mode in modes:
        errors.one_of(at, mode or "", ACCESS_MODES)
    known = {m for m in modes if m in ACCESS_MODES}
    if SINGLE in known and len(known) > 1:
        errors.forbidden(at, "may not use ReadWriteOncePod with other access modes")


def _capacity(given: Value | None, errors: Errors) -> None:
    capacity = given or {}
    if not capacity:
        errors.required("spec.capacity")
    if set(capacity) != {"storage"}:
        shown = {k: str(quantity.parse(str(v))) for k, v in sorted(capacity.items())}
        errors.not_supported("spec.capacity", None if given is None else shown, ["storage"])
    for name, value in sorted(capacity.items()):
        amount = quantity.parse(str(value))
        if amount.nanos < 0:
            errors.invalid(f"spec.capacity[{name}]", amount.value, "must be a valid resource quantity")
        if amount.nanos <= 0:
            errors.invalid(f"spec.capacity[{name}]", str(amount), POSITIVE)


def _reclaim(policy: str | None, errors: Errors, at: str, inline: bool) -> None:
    if policy and inline and policy != "Retain":
        errors.forbidden(at, f"may only be Retain {_INLINE}")
    elif policy:
        errors.one_of(at, policy, RECLAIM)


def _node_affinity(value: Value, errors: Errors) -> None:
    required = value.get("required")
    if required is None:
        errors.required("spec.nodeAffinity.required", "must specify required node constraints")
    else:
        affinity.node_selector(errors, "spec.nodeAffinity.required", required)


def _source(spec: Value, errors: Errors, at: str) -> None:
    found = [name for name in SOURCES if spec.get(name) is not None]
    for i, name in enumerate(found):
        field, check = SOURCES[name]
        if i:
            errors.forbidden(f"{at}.{FORBIDDEN_AS.get(name, name)}", "may not specify more than 1 volume type")
        else:
            check(errors, f"{at}.{field}", spec[name])
            if name == "local" and spec.get("nodeAffinity") is None:
                errors.required(f"{at}.nodeAffinity", "Local volume requires node affinity")
    if not found:
        errors.required(at, "must specify a volume type")


def _classes(spec: Value, errors: Errors, at: str, inline: bool) -> None:
    name, mode = spec.get("storageClassName"), spec.get("volumeMode")
    if name and inline:
        errors.forbidden(f"{at}.storageClassName", f"may not be specified {_INLINE}")
    elif name:
        names.invalid(errors, f"{at}.storageClassName", name, names.dns1123_subdomain(name))
    if mode is not None and inline and mode != "Filesystem":
        errors.forbidden(f"{at}.volumeMode", f"may not specify volumeMode other than Filesystem {_INLINE}")
    elif mode is not None:
        errors.one_of(f"{at}.volumeMode", mode, VOLUME_MODES)
    attributes = spec.get("volumeAttributesClassName")
    if attributes is None:
        return
    if not attributes:
        errors.required(f"{at}.volumeAttributesClassName", "an empty string is disallowed")
    else:
        names.invalid(errors, f"{at}.volumeAttributesClassName", attributes, names.dns1123_subdomain(attributes))
    if spec.get("csi") is None:
        errors.required(f"{at}.csi", "has to be specified when using volumeAttributesClassName")


def _volume_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _volume(new, errors, context)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _sources(spec, before) != _sources(before, before):
        field = "spec.persistentvolumesource"
        errors.forbidden(field, "spec.persistentvolumesource is immutable after creation")
    if spec.get("volumeMode") != before.get("volumeMode"):
        errors.invalid("volumeMode", spec.get("volumeMode"), names.IMMUTABLE)
    was, now = before.get("nodeAffinity"), spec.get("nodeAffinity")
    if was is not None and now != was and (now is None or now != _with_stable_labels(was, now)):
        detail = "field is immutable, except for updating from beta label to GA"
        errors.invalid("nodeAffinity", None if now is None else internal(now, "VolumeNodeAffinity"), detail)
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        errors.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _with_stable_labels(was: Value, now: Value) -> Value:
    """The stored node affinity with those old names of node labels renamed that `now` has renamed."""
    wanted = [_expressions(term) for term in _terms(now)]
    terms = []
    for i, term in enumerate(_terms(was)):
        keys = [e.get("key") for e in wanted[i]] if i < len(wanted) else []
        renamed = [
            {**e, "key": STABLE_LABELS[e["key"]]}
            if e.get("key") in STABLE_LABELS and keys[n : n + 1] == [STABLE_LABELS[e["key"]]]
            else e
            for n, e in enumerate(_expressions(term))
        ]
        terms.append({**term, "matchExpressions": renamed} if renamed else term)
    return {**was, "required": {**(was.get("required") or {}), "nodeSelectorTerms": terms}}


def _terms(value: Value) -> list[Value]:
    return (value.get("required") or {}).get("nodeSelectorTerms") or []


def _expressions(term: Value) -> list[Value]:
    return term.get("matchExpressions") or []


def _sources(spec: Value, old: Value) -> Value:
    """The source of a volume; the secret for expansion may be added later, so an added one does not count."""
    out = {name: spec[name] for name in SOURCES if spec.get(name) is not None}
    before = old.get("csi")
    if out.get("csi") and before is not None:
        late = [n for n in ("controllerExpandSecretRef", "nodeExpandSecretRef") if before.get(n) is None]
        out["csi"] = {k: v for k, v in out["csi"].items() if k not in late}
    return out


def _claim(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    claim_spec(errors, "spec", obj.get("spec") or {}, context.minor)


def _claim_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    spec, before = dict(new.get("spec") or {}), dict(old.get("spec") or {})
    had_group = any((before.get(name) or {}).get("apiGroup") is not None for name in ("dataSource", "dataSourceRef"))
    claim_spec(errors, "spec", spec, context.minor, any_group=had_group)
    bound = (old.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and spec.get("volumeName"):
        spec.pop("volumeName")
    _late_class(spec, before, new, old, errors)
    free = ("resources", "volumeAttributesClassName") if bound else ()
    if _kept(spec, free) != _kept(before, free):
        errors.forbidden("spec", CLAIM_FIXED)
    else:
        _size(spec, before, old, errors)
    if bound and before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        errors.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")
    if spec.get("volumeMode") != before.get("volumeMode"):
        errors.invalid("volumeMode", spec.get("volumeMode"), names.IMMUTABLE)


def _late_class(spec: Value, before: Value, new: Value, old: Value, errors: Errors) -> None:
    """A claim without a class may get one, which `spec` is then freed of: the one of its old annotation, if it has it.

    The annotation itself stays, unless the class takes its place.
    """
    was, now = ((o["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION) for o in (old, new))
    late = before.get("storageClassName") is None and spec.get("storageClassName") is not None
    same = was is not None and spec.get("storageClassName") == was
    if not (late and same and now in (None, was)) and (now or "") != (was or ""):
        errors.invalid(f"metadata.annotations.{CLASS_ANNOTATION}", now or "", names.IMMUTABLE)
    if late and (same or was is None):
        spec.pop("storageClassName")


def _kept(spec: Value, free: tuple[str, ...]) -> Value:
    out = {k: v for k, v in spec.items() if k not in free}
    if "resources" in free and spec.get("resources"):
        requests = {k: v for k, v in (spec["resources"].get("requests") or {}).items() if k != "storage"}
        out["resources"] = {**spec["resources"], "requests": requests}
    return out


def _size(spec: Value, before: Value, old: Value, errors: Errors) -> None:
    sizes = [((s.get("resources") or {}).get("requests") or {}).get("storage") for s in (spec, before)]
    if None in sizes:
        return
    new_size, old_size = (quantity.parse(str(s)).nanos for s in sizes)
    if new_size >= old_size:
        return
    held = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    field = "spec.resources.requests.storage"
    if held is None or new_size <= quantity.parse(str(held)).nanos:
        errors.forbidden(field, "field can not be less than status.capacity")


CREATE = {("", "PersistentVolume"): _volume, ("", "PersistentVolumeClaim"): _claim}
UPDATE = {("", "PersistentVolume"): _volume_update, ("", "PersistentVolumeClaim"): _claim_update}
