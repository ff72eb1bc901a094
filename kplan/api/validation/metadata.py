"""ObjectMeta: what must hold for the metadata of every object, and for labels, annotations and selectors anywhere.

Follows k8s.io/apimachinery/pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation/validation.go and
pkg/apis/core/validation/validation.go (ValidateObjectMeta). Three layers: `generic_create` and `generic_update` are
what the registry asks of every object; `create` and `update` are what the validation of most kinds asks, with the
kind's own rule for names; labels, annotations and selectors are called from everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.names import Check
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import split_api_version

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]
GroupKind = tuple[str, str]

ANNOTATIONS_SIZE = 256 * 1024
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
STANDARD_FINALIZERS = frozenset({"kubernetes", ORPHAN, FOREGROUND})

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

# Kinds whose name is not just a DNS subdomain.
NAME_RULES: Mapping[GroupKind, Check] = {
    ("", "Namespace"): names.dns1123_label,
    ("", "ReplicationController"): names.long_name,
    ("apps", "StatefulSet"): names.dns1123_label,
    (_RBAC, "Role"): names.path_segment,
    (_RBAC, "ClusterRole"): names.path_segment,
    (_RBAC, "RoleBinding"): names.path_segment,
    (_RBAC, "ClusterRoleBinding"): names.path_segment,
    ("certificates.k8s.io", "CertificateSigningRequest"): lambda _: names.OK,
    ("coordination.k8s.io", "LeaseCandidate"): names.config_key,
    ("resource.k8s.io", "DeviceClass"): names.long_name,
}
RELAXED_SERVICE_NAMES = 36

# Groups whose validation does not ask that a bare finalizer name be a standard one.
_ANY_FINALIZER = frozenset(
    {_ADMISSION, "node.k8s.io", "coordination.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"}
)

# Kinds that cannot be replaced without saying which version is meant (AllowUnconditionalUpdate is false).
VERSIONED_UPDATE: frozenset[GroupKind] = frozenset(
    {
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("certificates.k8s.io", "PodCertificateRequest"),
        ("node.k8s.io", "RuntimeClass"),
        ("storagemigration.k8s.io", "StorageVersionMigration"),
        ("policy", "PodDisruptionBudget"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "CSIStorageCapacity"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("coordination.k8s.io", "Lease"),
        ("coordination.k8s.io", "LeaseCandidate"),
        (_ADMISSION, "ValidatingAdmissionPolicy"),
        (_ADMISSION, "ValidatingAdmissionPolicyBinding"),
        (_ADMISSION, "MutatingAdmissionPolicy"),
        (_ADMISSION, "MutatingAdmissionPolicyBinding"),
        (_ADMISSION, "ValidatingWebhookConfiguration"),
        (_ADMISSION, "MutatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
    }
)

_FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_OWNER_REQUIRED = ("apiVersion", "kind", "name", "uid")


def group_kind(obj: Value) -> GroupKind:
    """The (group, kind) of an object."""
    return split_api_version(str(obj.get("apiVersion", "")))[0], str(obj.get("kind", ""))


def name_rule(kind: GroupKind, minor: int) -> Check:
    """The rule for the names of a kind: a DNS subdomain unless the table says otherwise."""
    if kind == ("", "Service"):
        return names.dns1123_label if minor >= RELAXED_SERVICE_NAMES else names.dns1035_label
    return NAME_RULES.get(kind, names.dns1123_subdomain)


def create(obj: Value, errors: Errors, context: Context, *, rule: Check | None = None, path: str = "metadata") -> None:
    """The metadata of a new object by the rules of its kind; `rule` for a name rule that depends on the object."""
    kind = group_kind(obj)
    meta = obj.get("metadata") or {}
    _object_meta(meta, errors, rule or name_rule(kind, context.minor), path)
    if kind[0] not in _ANY_FINALIZER:
        _standard_finalizers(meta, errors, path)


def update(new: Value, old: Value, errors: Errors, *, path: str = "metadata") -> None:
    """The metadata of a changed object by the rules of its kind."""
    kind = group_kind(new)
    meta = new.get("metadata") or {}
    _object_meta_update(meta, old.get("metadata") or {}, errors, kind, path)
    if kind[0] not in _ANY_FINALIZER:
        _standard_finalizers(meta, errors, path)


def resource(obj: Value, errors: Errors) -> None:
    """The metadata of a new custom resource, whose finalizers may have any name."""
    _object_meta(obj.get("metadata") or {}, errors, names.dns1123_subdomain, "metadata")


def generic_create(obj: Value, errors: Errors) -> None:
    """What the registry asks of the metadata of every object: a name that can stand in a URL, and well-formed parts."""
    _object_meta(obj.get("metadata") or {}, errors, names.path_segment, "metadata")


def generic_update(new: Value, old: Value, errors: Errors) -> None:
    """What the registry asks of the metadata of every changed object."""
    generic_create(new, errors)
    _object_meta_update(new.get("metadata") or {}, old.get("metadata") or {}, errors, group_kind(new), "metadata")


def _object_meta(meta: Value, errors: Errors, rule: Check, path: str) -> None:
    prefix, name = meta.get("generateName"), meta.get("name")
    if prefix:
        names.invalid(errors, f"{path}.generateName", prefix, names.generated(rule, prefix))
    if name:
        names.invalid(errors, f"{path}.name", name, rule(name))
    elif not prefix:
        errors.required(f"{path}.name", "name or generateName is required")
    namespace = meta.get("namespace")
    if namespace:
        names.invalid(errors, f"{path}.namespace", namespace, names.dns1123_label(namespace))
    names.non_negative(errors, f"{path}.generation", meta.get("generation"))
    _parts(meta, errors, path)
    if meta.get("finalizers"):
        _finalizers(meta["finalizers"], errors, f"{path}.finalizers")
    _managed_fields(meta.get("managedFields") or (), errors, f"{path}.managedFields")


def _parts(meta: Value, errors: Errors, path: str) -> None:
    label_map(meta.get("labels"), errors, f"{path}.labels")
    annotation_map(meta.get("annotations"), errors, f"{path}.annotations")
    if meta.get("ownerReferences"):
        _owner_references(meta["ownerReferences"], errors, f"{path}.ownerReferences")


def _object_meta_update(meta: Value, old: Value, errors: Errors, kind: GroupKind, path: str) -> None:
    if old.get("deletionTimestamp"):
        _no_new_finalizers(meta, old, errors, f"{path}.finalizers")
    if not meta.get("resourceVersion") and kind in VERSIONED_UPDATE:
        errors.invalid(f"{path}.resourceVersion", "", "must be specified for an update")
    for name in _FIXED:
        # What the server fills in itself cannot be removed by leaving it out.
        if meta.get(name) != old.get(name) and meta.get(name) is not None:
            errors.invalid(f"{path}.{name}", meta.get(name), names.IMMUTABLE)
    _parts(meta, errors, path)
    _managed_fields(meta.get("managedFields") or (), errors, f"{path}.managedFields")


def _no_new_finalizers(meta: Value, old: Value, errors: Errors, path: str) -> None:
    extra = sorted(set(meta.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if extra:
        found = ", ".join(f'"{f}"' for f in extra)
        errors.forbidden(
            path,
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{found}}}",
        )


def label_map(value: Mapping[str, str] | None, errors: Errors, path: str) -> None:
    """A map of labels; every fault is reported at the map itself."""
    if not value or not (
        any(map(names.qualified_name, value)) or any(names.label_value(v or "") for v in value.values())
    ):
        return
    for key, text in sorted(value.items()):
        names.invalid(errors, path, key, names.qualified_name(key))
        names.invalid(errors, path, text or "", names.label_value(text or ""))


def annotation_map(value: Mapping[str, str] | None, errors: Errors, path: str) -> None:
    """A map of annotations: keys as labels have, but in any case, and a limit for all together."""
    if not value:
        return
    for key in sorted(value):
        names.invalid(errors, path, key, names.qualified_name(key.lower()))
    if annotations_size(value) > ANNOTATIONS_SIZE:
        errors.too_long(path, ANNOTATIONS_SIZE)


def annotations_size(value: Mapping[str, str]) -> int:
    """The bytes of all keys and values together."""
    return sum(names.size(key) + names.size(text or "") for key, text in value.items())


def _owner_references(refs: Iterable[Value], errors: Errors, path: str) -> None:
    references = [{f: r[f] for f in _OWNER_FIELDS if r.get(f) is not None} for r in refs]
    controller = ""
    for ref in references:
        _owner_reference(ref, errors, path)
        if ref.get("controller"):
            this = f"{ref.get('kind', '')}/{ref.get('name', '')}"
            if controller:
                errors.invalid(
                    path,
                    references,
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}',
                )
            controller = controller or this


def _owner_reference(ref: Value, errors: Errors, path: str) -> None:
    api_version = str(ref.get("apiVersion") or "")
    if api_version.endswith("/") or not api_version or api_version.count("/") > 1:
        errors.invalid(f"{path}.apiVersion", api_version, "version must not be empty")
    for name in ("kind", "name", "uid"):
        if not ref.get(name):
            errors.invalid(f"{path}.{name}", "", "must not be empty")
    if api_version == "v1" and ref.get("kind") == "Event":
        shown = {f: ref.get(f) or "" for f in _OWNER_REQUIRED} | ref
        errors.invalid(path, shown, "/v1, Kind=Event is disallowed from being an owner")


def _finalizers(finalizers: list[str], errors: Errors, path: str) -> None:
    for name in finalizers:
        names.invalid(errors, path, name or "", names.qualified_name(name or ""))
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        errors.invalid(path, finalizers, f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set")


def _standard_finalizers(meta: Value, errors: Errors, path: str) -> None:
    for i, name in enumerate(meta.get("finalizers") or ()):
        finalizer(name or "", errors, f"{path}.finalizers[{i}]")


def finalizer(name: str, errors: Errors, path: str) -> None:
    """A finalizer without a domain must be one of Kubernetes' own."""
    if "/" not in name and name not in STANDARD_FINALIZERS:
        errors.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")


def _managed_fields(entries: Iterable[Value], errors: Errors, path: str) -> None:
    for i, entry in enumerate(entries):
        operation, kind = entry.get("operation") or "", entry.get("fieldsType") or ""
        if operation not in {"Apply", "Update"}:
            errors.invalid(f"{path}[{i}].operation", operation, "must be `Apply` or `Update`")
        if kind and kind != "FieldsV1":
            errors.invalid(f"{path}[{i}].fieldsType", kind, "must be `FieldsV1`")
        _field_manager(entry.get("manager") or "", errors, f"{path}[{i}].manager")
        if names.size(entry.get("subresource") or "") > 256:
            errors.too_long(f"{path}[{i}].subresource", 256)


def _field_manager(manager: str, errors: Errors, path: str) -> None:
    if names.size(manager) > 128:
        errors.too_long(path, 128)
    at = 0
    for c in manager:
        if not c.isprintable():
            shown = f"U+{ord(c):04X}"
            errors.invalid(path, manager, f"invalid character {shown} (at position {at})")
        at += names.size(c)


def label_selector(value: Value | None, errors: Errors, path: str, *, any_value: bool = False) -> None:
    """A metav1.LabelSelector; `any_value` leaves the values of its expressions unchecked."""
    if value is None:
        return
    label_map(value.get("matchLabels"), errors, f"{path}.matchLabels")
    for i, expression in enumerate(value.get("matchExpressions") or ()):
        _requirement(expression or {}, errors, f"{path}.matchExpressions[{i}]", any_value)


def _requirement(expression: Value, errors: Errors, path: str, any_value: bool) -> None:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in {"In", "NotIn"}:
        if not values:
            errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            errors.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        errors.invalid(f"{path}.operator", operator, "not a valid selector operator")
    names.label_name(errors, f"{path}.key", expression.get("key") or "")
    if not any_value:
        for i, value in enumerate(values):
            names.invalid(errors, f"{path}.values[{i}]", value or "", names.label_value(value or ""))
