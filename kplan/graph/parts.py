"""The parts of an object that others name: keys of a ConfigMap or Secret, ports, listeners, served versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kplan.model import Object
from kplan.workloads import dicts, get

Value = dict[str, Any]
_TOKEN_KEYS = ("token", "ca.crt", "namespace")


def parts(obj: Object) -> frozenset[str] | None:
    """The names of the parts that references can name; None where they are not known."""
    read = _READERS.get((obj.ref.group, obj.ref.kind))
    if read is None:
        return None
    value = obj.value
    return read(value) if value else None


def _configmap(value: Value) -> frozenset[str] | None:
    return _keys(value, "data", "binaryData")


def _secret(value: Value) -> frozenset[str] | None:
    keys = _keys(value, "data", "stringData")
    if keys is not None and value.get("type") == "kubernetes.io/service-account-token":
        return keys.union(_TOKEN_KEYS)
    return keys


def _keys(value: Value, *fields: str) -> frozenset[str] | None:
    found: set[str] = set()
    for field in fields:
        part = value.get(field)
        if isinstance(part, dict):
            found.update(part)
        elif part is not None:
            return None
    return frozenset(found)


def _service(value: Value) -> frozenset[str] | None:
    """Ports by number and by name; an ExternalName has none of its own."""
    if get(value, "spec", "type") == "ExternalName":
        return None
    ports = dicts(value, "spec", "ports")
    return frozenset(str(p[f]) for p in ports for f in ("port", "name") if isinstance(p.get(f), (int, str)))


def _gateway(value: Value) -> frozenset[str] | None:
    return frozenset(str(v.get("name")) for v in dicts(value, "spec", "listeners"))


def _crd(value: Value) -> frozenset[str] | None:
    versions = dicts(value, "spec", "versions")
    served = {str(v.get("name")) for v in versions if v.get("served") is not False}
    only = get(value, "spec", "version")
    return frozenset(served | {only} if isinstance(only, str) and not versions else served) or None


_READERS: dict[tuple[str, str], Callable[[Value], frozenset[str] | None]] = {
    ("", "ConfigMap"): _configmap,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("gateway.networking.k8s.io", "Gateway"): _gateway,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
}
