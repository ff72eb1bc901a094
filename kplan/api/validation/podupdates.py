"""What an update of a pod may change: hardly anything.

Follows pkg/apis/core/validation/validation.go (ValidatePodUpdate, ValidatePodSpecificAnnotationUpdates,
validateNodeAffinityMutation).
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.api.validation import names
from kplan.api.validation.affinity import REQUIRED, tolerations
from kplan.api.validation.containers import image_padding
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.podannotations import APP_ARMOR, MIRROR
from kplan.api.validation.podoptions import PodOptions
from kplan.hints import Any

Value = dict[str, Any]

NODE_TERMS = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
ONLY = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def annotation_updates(errors: Errors, field: str, new: Mapping[str, str], old: Mapping[str, str]) -> None:
    """Annotations that stand for a field or for the kubelet's copy of a static pod stay as they are."""
    for keys, verb in ((sorted(old), "remove or update"), (sorted(new.keys() - old.keys()), "add")):
        for key in keys:
            if key in old and new.get(key) == old[key]:
                continue
            if key.startswith(APP_ARMOR):
                errors.forbidden(f"{field}[{key}]", f"may not {verb} AppArmor annotations")
            if key == MIRROR:
                errors.forbidden(f"{field}[{key}]", f"may not {verb} mirror pod annotation")


def spec_update(errors: Errors, new: Value, old: Value, options: PodOptions) -> None:
    """The spec of a pod against the stored one. Some faults end the comparison, as on the server."""
    for role in ("containers", "initContainers"):
        if not _containers(errors, f"spec.{role}", new.get(role) or [], old.get(role) or []):
            return
    if not _deadline(errors, new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")):
        return
    _added_tolerations(errors, new.get("tolerations") or [], old.get("tolerations") or [], options)
    _deleted_gates(errors, new.get("schedulingGates") or [], old.get("schedulingGates") or [])
    if new == old:
        return
    munged = _without_updatable(new, old)
    if old.get("schedulingGates"):
        _gated(errors, munged, old)
    if munged != old:
        errors.forbidden("spec", ONLY)


def _containers(errors: Errors, field: str, new: list[Value], old: list[Value]) -> bool:
    if len(new) != len(old):
        errors.forbidden(field, "pod updates may not add or remove containers")
        return False
    for i, container in enumerate(new):
        if not container.get("image"):
            errors.required(f"{field}[{i}].image")
        image_padding(errors, f"{field}[{i}]", container)
    return True


def _deadline(errors: Errors, new: int | None, old: int | None) -> bool:
    field = "spec.activeDeadlineSeconds"
    if new is None:
        if old is not None:
            errors.invalid(field, None, "must not update from a positive integer to nil value")
        return True
    if not 0 <= new <= names.MAX_INT32:
        errors.invalid(field, new, names.inclusive_range(0, names.MAX_INT32))
        return False
    if old is not None and old < new:
        errors.invalid(field, new, "must be less than or equal to previous value")
        return False
    return True


def _added_tolerations(errors: Errors, new: list[Value], old: list[Value], options: PodOptions) -> None:
    def untimed(found: list[Value]) -> set[frozenset[tuple[str, str]]]:
        return {frozenset((k, v) for k, v in t.items() if k != "tolerationSeconds") for t in found}

    if untimed(old) <= untimed(new):
        tolerations(errors, "spec.tolerations", new, options)
    else:
        sentence = "existing toleration can not be modified except its tolerationSeconds"
        errors.forbidden("spec.tolerations", sentence)


def _deleted_gates(errors: Errors, new: list[Value], old: list[Value]) -> None:
    known = {gate.get("name") for gate in old}
    added = {gate.get("name") or "": i for i, gate in enumerate(new) if gate.get("name") not in known}
    for name, i in added.items():
        sentence = f"only deletion is allowed, but found new scheduling gate '{name}'"
        errors.forbidden(f"spec.schedulingGates[{i}].name", sentence)


def _without_updatable(new: Value, old: Value) -> Value:
    """The new spec with everything put back that an update may change."""
    munged = dict(new)
    for role in ("containers", "initContainers"):
        if new.get(role):
            pairs = zip(new[role], old[role], strict=True)
            munged[role] = [{**c, "image": before.get("image")} for c, before in pairs]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        put_back(munged, old, name)
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        put_back(munged, old, "terminationGracePeriodSeconds")
    return munged


def put_back(munged: Value, old: Value, name: str) -> None:
    """Give a field of `munged` the value that it has in `old`, which may be none."""
    if name in old:
        munged[name] = old[name]
    else:
        munged.pop(name, None)


def _gated(errors: Errors, munged: Value, old: Value) -> None:
    """A pod that may not be scheduled yet may still be told more exactly where it shall run."""
    selector, before = munged.get("nodeSelector") or {}, old.get("nodeSelector") or {}
    if any(selector.get(k) != v for k, v in before.items()):
        sentence = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.invalid("spec.nodeSelector", dict(sorted(selector.items())) or None, sentence)
    put_back(munged, old, "nodeSelector")
    old_affinity, affinity = old.get("affinity"), munged.get("affinity")
    old_nodes, nodes = (old_affinity or {}).get("nodeAffinity"), (affinity or {}).get("nodeAffinity")
    if old_nodes == nodes:
        return
    _node_affinity_mutation(errors, nodes or {}, old_nodes or {})
    rest = {k: v for k, v in (affinity or {}).items() if k != "nodeAffinity"}
    if old_nodes is not None:
        rest["nodeAffinity"] = old_nodes
    if rest or old_affinity is not None:
        munged["affinity"] = rest
    else:
        munged.pop("affinity", None)


def _node_affinity_mutation(errors: Errors, new: Value, old: Value) -> None:
    before = (old.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    after = (new.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    if old.get(REQUIRED) is None:
        return
    if before and len(before) != len(after):
        sentence = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        shown = [internal(term, "NodeSelectorTerm") for term in after]
        errors.invalid(NODE_TERMS, shown or None, sentence)
        return
    for i, (term, was) in enumerate(zip(after, before, strict=False)):
        if not _has_only_additions(term, was):
            sentence = "only additions are allowed (no mutations or deletions)"
            errors.invalid(f"{NODE_TERMS}[{i}]", internal(term, "NodeSelectorTerm"), sentence)


def _has_only_additions(new: Value, old: Value) -> bool:
    parts = [(new.get(k) or [], old.get(k) or []) for k in ("matchExpressions", "matchFields")]
    if not any(was for _, was in parts):
        # A term without conditions selects nothing; with one it would select something.
        return not any(now for now, _ in parts)
    return all(now[: len(was)] == was for now, was in parts)
