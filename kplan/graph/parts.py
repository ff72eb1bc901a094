"""The parts of an object that others name: keys of a ConfigMap or Secret, ports, listeners, served versions."""

from __future__ import annotations

from collections.abc import Callable

from kplan.model import Object
from kplan.workloads import dicts

_TOKEN_KEYS = ("token", "ca.crt", "namespace")


def parts(obj: Object) -> frozenset[str] | None:
    """The names of the parts that references can name; None where they are not known."""
    read = _READERS.get((obj.ref.group, obj.ref.kind))
    if read is None:
        return None
    return read(obj) if obj.is_laid_out or obj.value else None


def _configmap(obj: Object) -> frozenset[str] | None:
    return _keys(obj, "data", "binaryData")


def _secret(obj: Object) -> frozenset[str] | None:
    keys = _keys(obj, "data", "stringData")
    if keys is not None and obj.part("type") == "kubernetes.io/service-account-token":
        return keys.union(_TOKEN_KEYS)
    return keys


def _keys(obj: Object, *fields: str) -> frozenset[str] | None:
    found: set[str] = set()
    for field in fields:
        names = obj.names(field)
        if names is not None:
            found.update(names)
        elif obj.part(field) is not None:
            return None
    return frozenset(found)


def _service(obj: Object) -> frozenset[str] | None:
    """Ports by number and by name; an ExternalName has none of its own."""
    if obj.part("spec", "type") == "ExternalName":
        return None
    ports = dicts(obj.part("spec", "ports"))
    return frozenset(str(p[f]) for p in ports for f in ("port", "name") if isinstance(p.get(f), (int, str)))


def _gateway(obj: Object) -> frozenset[str] | None:
    return frozenset(str(v.get("name")) for v in dicts(obj.part("spec", "listeners")))


def _crd(obj: Object) -> frozenset[str] | None:
    versions = dicts(obj.part("spec", "versions"))
    served = {str(v.get("name")) for v in versions if v.get("served") is not False}
    only = obj.part("spec", "version")
    return frozenset(served | {only} if isinstance(only, str) and not versions else served) or None


_READERS: dict[tuple[str, str], Callable[[Object], frozenset[str] | None]] = {
    ("", "ConfigMap"): _configmap,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("gateway.networking.k8s.io", "Gateway"): _gateway,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
}
