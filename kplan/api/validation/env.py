"""Environment variables and the references to fields and resources that they share with downward API volumes.

Follows pkg/apis/core/validation/validation.go (ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector and around).
"""

from __future__ import annotations

from kplan import quantity
from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.paths import no_backsteps
from kplan.api.validation.podoptions import PodOptions, uses_env_files
from kplan.hints import Any

Value = dict[str, Any]

ENV_FIELDS = (
    "metadata.name metadata.namespace metadata.uid spec.nodeName spec.serviceAccountName status.hostIP status.hostIPs "
    "status.podIP status.podIPs"
).split()
VOLUME_FIELDS = "metadata.annotations metadata.labels metadata.name metadata.namespace metadata.uid".split()
RESOURCES = (
    "limits.cpu limits.ephemeral-storage limits.memory requests.cpu requests.ephemeral-storage requests.memory".split()
)
_CONVERTIBLE = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"})
_SUBSCRIPTED = ("metadata.annotations", "metadata.labels")
_HUGE_PAGES = ("requests.hugepages-", "limits.hugepages-")

_SIZES = "1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei".split()
# Resource (without requests. or limits.) -> its divisors and how the message calls it.
_DIVISORS: dict[str, tuple[list[str], str]] = {
    "cpu": (["1m", "1"], "1m and 1 are supported with the cpu resource"),
    "memory": (_SIZES, f"{', '.join(_SIZES)} are supported with the memory resource"),
    "ephemeral-storage": (_SIZES, f"{', '.join(_SIZES)} are supported with the local ephemeral storage resource"),
    "hugepages": (_SIZES, f"{', '.join(_SIZES)} are supported with the hugepages resource"),
}

_ONE_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`"


def env(errors: Errors, field: str, variables: list[Value], options: PodOptions) -> None:
    """The variables of a container."""
    for i, variable in enumerate(variables):
        name = variable.get("name") or ""
        if not name:
            errors.required(f"{field}[{i}].name")
        else:
            wrong = names.env_name(name, options.minor)
            if wrong and not _was_relaxed(name, options):
                names.invalid(errors, f"{field}[{i}].name", name, wrong)
        source = variable.get("valueFrom")
        if source is not None:
            _value_from(errors, f"{field}[{i}].valueFrom", source, variable.get("value") or "", options)


def _was_relaxed(name: str, options: PodOptions) -> bool:
    """Whether a stored pod has this name, which an older rule would refuse."""
    return not names.env_name(name, names.RELAXED_ENV_NAMES) and options.kept(
        lambda spec: any(
            name in {v.get("name"), v.get("prefix")}
            for role in ("containers", "initContainers", "ephemeralContainers")
            for c in spec.get(role) or ()
            for v in (*(c.get("env") or ()), *(c.get("envFrom") or ()))
        )
    )


def _value_from(errors: Errors, field: str, source: Value, value: str, options: PodOptions) -> None:
    count = 0
    for name, check in _SOURCES.items():
        reference = source.get(name)
        if reference is not None:
            count += 1
            check(errors, f"{field}.{name}", reference)
    if not count:
        files = options.has("EnvFiles", uses_env_files)
        more = ", `secretKeyRef` or `fileKeyRef`" if files else " or `secretKeyRef`"
        errors.invalid(field, "", _ONE_SOURCE + more)
    elif value:
        errors.invalid(field, "", "may not be specified when `value` is not empty")
    elif count > 1:
        errors.invalid(field, "", "may not have more than one field specified at a time")


def env_field(errors: Errors, field: str, reference: Value) -> None:
    """A fieldRef of an environment variable."""
    object_field(errors, field, reference, ENV_FIELDS)


def object_field(errors: Errors, field: str, reference: Value, allowed: list[str]) -> None:
    """validateObjectFieldSelector: a field of the pod that a container may read."""
    version, path = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
    if not version:
        errors.required(f"{field}.apiVersion")
    elif not path:
        errors.required(f"{field}.fieldPath")
    elif fault := _conversion_fault(version, path):
        errors.invalid(f"{field}.fieldPath", path, f"error converting fieldPath: {fault}")
    else:
        path = "spec.nodeName" if path == "spec.host" else path
        base, key = subscript(path)
        if key is None:
            errors.one_of(f"{field}.fieldPath", path, allowed)
        else:
            key = key.lower() if base == "metadata.annotations" else key
            names.invalid(errors, field, key, names.qualified_name(key))


def subscript(path: str) -> tuple[str, str | None]:
    """A field path such as metadata.labels['a'] as its path and its key; the key is None if there is none."""
    if path.endswith("']"):
        base, found, key = path[:-2].partition("['")
        if found and base:
            return base, key
    return path, None


def _conversion_fault(version: str, path: str) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    base, key = subscript(path)
    if key is not None:
        return "" if base in _SUBSCRIPTED else f"field label does not support subscript: {path}"
    return "" if path in _CONVERTIBLE or path == "spec.host" else f"field label not supported: {path}"


def env_resource(errors: Errors, field: str, reference: Value) -> None:
    """A resourceFieldRef of an environment variable."""
    resource_field(errors, field, reference, needs_container=False)


def resource_field(errors: Errors, field: str, reference: Value, *, needs_container: bool) -> None:
    """validateContainerResourceFieldSelector: an amount that a container may read."""
    name = reference.get("resource") or ""
    if needs_container and not reference.get("containerName"):
        errors.required(f"{field}.containerName")
    elif not name:
        errors.required(f"{field}.resource")
    elif not name.startswith(_HUGE_PAGES):
        errors.one_of(f"{field}.resource", name, RESOURCES)
    _divisor(errors, field, name, reference.get("divisor") or "0")


def _divisor(errors: Errors, field: str, name: str, divisor: str) -> None:
    amount = quantity.parse(divisor)
    side, _, resource = name.partition(".")
    key = "hugepages" if resource.startswith("hugepages-") else resource
    if not amount.nanos or side not in {"limits", "requests"} or key not in _DIVISORS:
        return
    allowed, sentence = _DIVISORS[key]
    if str(amount) not in allowed:
        errors.invalid(f"{field}.divisor", name, f"only divisor's values {sentence}")


def _key_selector(errors: Errors, field: str, reference: Value) -> None:
    name, key = reference.get("name") or "", reference.get("key") or ""
    names.invalid(errors, f"{field}.name", name, names.dns1123_subdomain(name))
    if not key:
        errors.required(f"{field}.key")
    else:
        names.invalid(errors, f"{field}.key", key, names.config_key(key))


def _file_key(errors: Errors, field: str, reference: Value) -> None:
    key, volume, path = (reference.get(n) or "" for n in ("key", "volumeName", "path"))
    if not key:
        errors.required(f"{field}.key")
    else:
        names.invalid(errors, f"{field}.key", key, names.env_name(key, names.RELAXED_ENV_NAMES))
    if not volume:
        errors.required(f"{field}.volumeName")
    else:
        names.invalid(errors, f"{field}.volumeName", volume, names.dns1123_label(volume))
    if not path:
        errors.required(f"{field}.path")
    else:
        no_backsteps(errors, f"{field}.path", path)


_SOURCES = {
    "fieldRef": env_field,
    "resourceFieldRef": env_resource,
    "configMapKeyRef": _key_selector,
    "secretKeyRef": _key_selector,
    "fileKeyRef": _file_key,
}


def env_from(errors: Errors, field: str, sources: list[Value], options: PodOptions) -> None:
    """The ConfigMaps and Secrets of which a container takes every key."""
    for i, source in enumerate(sources):
        prefix = source.get("prefix")
        if prefix:
            names.invalid(errors, f"{field}[{i}].prefix", prefix, names.env_name(prefix, options.minor))
        count = 0
        for kind in ("configMapRef", "secretRef"):
            if source.get(kind) is not None:
                count += 1
                _source_name(errors, f"{field}[{i}].{kind}.name", source[kind].get("name") or "")
        if not count:
            errors.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")
        elif count > 1:
            errors.invalid(field, "", "may not have more than one field specified at a time")


def _source_name(errors: Errors, field: str, name: str) -> None:
    if not name:
        errors.required(field)
    else:
        names.invalid(errors, field, name, names.generated(names.dns1123_subdomain, name))
