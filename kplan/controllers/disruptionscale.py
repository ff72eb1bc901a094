"""How many pods the controllers behind some pods ask for.

Follows pkg/controller/disruption/disruption.go (getExpectedScale and its finders).
"""

from __future__ import annotations

from typing import Any

from kplan.api.customresources import catalog_of
from kplan.controllers.control import Control, controller_of
from kplan.model import Key, split_api_version

Value = dict[str, Any]

_APPS = ("apps", "extensions")
_SCALED = (("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("", "ReplicationController"))


class Unknown(Exception):  # noqa: N818 - an answer of the controller, not an error of kplan
    """Why the number of pods cannot be known."""


def expected_scale(selected: list[Value], control: Control) -> tuple[int, bool]:
    """The sum over the controllers of these pods, and whether some pod has none. Raises Unknown."""
    scales: dict[str, int] = {}
    seen: set[str] = set()
    unmanaged = False
    for pod in selected:
        ref = controller_of(pod)
        if ref is None:
            unmanaged = True
            continue
        uid = ref.get("uid", "")
        if uid in seen:
            continue
        found = _find(ref, pod["metadata"]["namespace"], control)
        if found is None:
            raise Unknown(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        seen.add(uid)
        scales[found[0]] = found[1]
    return sum(scales.values()), unmanaged


def _find(ref: Value, namespace: str, control: Control) -> tuple[str, int] | None:
    """The uid and the wanted replicas of what scales the pods of a controller; None if it is gone. Raises Unknown."""
    group, _ = split_api_version(ref["apiVersion"])
    if ref["kind"] == "ReplicaSet" and group in _APPS:
        owner = _same(ref, control.get(Key("apps", "ReplicaSet", namespace, ref["name"])))
        above = controller_of(owner) if owner is not None else None
        if above is not None and above["kind"] == "Deployment":
            key = Key("apps", "Deployment", namespace, above["name"])
            return _scale(_same(above, control.get(key))) or _scale(owner)
        return _scale(owner)
    if (group, ref["kind"]) in _SCALED:
        return _scale(_same(ref, control.get(Key(group, ref["kind"], namespace, ref["name"]))))
    return _subresource(ref, group, namespace, control)


def _same(ref: Value, found: Value | None) -> Value | None:
    return found if found is not None and found["metadata"].get("uid") == ref.get("uid") else None


def _scale(owner: Value | None, path: str = ".spec.replicas") -> tuple[str, int] | None:
    if owner is None:
        return None
    value: Any = owner
    for step in path.strip(".").split("."):
        value = value.get(step) if isinstance(value, dict) else None
    builtin = path == ".spec.replicas" and value is None and owner["kind"] in (kind for _, kind in _SCALED)
    return owner["metadata"].get("uid", ""), int(value) if isinstance(value, int) else int(builtin)


def _subresource(ref: Value, group: str, namespace: str, control: Control) -> tuple[str, int] | None:
    """Any kind with a scale subresource: of those that are not built in, the ones whose definition says so."""
    info = catalog_of(control.version, control.store).kind(ref["apiVersion"], ref["kind"])
    if info is None:
        raise Unknown(f'no matches for kind "{ref["kind"]}" in version "{ref["apiVersion"]}"')
    for definition in control.store.all("CustomResourceDefinition") if info.custom else ():
        spec = definition.get("spec") or {}
        if spec.get("group") != group or (spec.get("names") or {}).get("kind") != ref["kind"]:
            continue
        for version in spec.get("versions") or ():
            path = ((version.get("subresources") or {}).get("scale") or {}).get("specReplicasPath")
            if version.get("name") == info.version and path:
                return _scale(_same(ref, control.get(Key(group, ref["kind"], namespace, ref["name"]))), path)
    resource = f"{info.plural}.{group}" if group else info.plural
    raise Unknown(f"{resource} does not implement the scale subresource")
