"""Nodes, RuntimeClasses and Leases.

Follows pkg/apis/core/validation/validation.go (ValidateNode), pkg/apis/node/validation and pkg/apis/coordination.
"""

from __future__ import annotations

import json

from kplan import quantity
from kplan.api.validation import Context, addresses, affinity, metadata, names, requirements
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions
from kplan.hints import Any

Value = dict[str, Any]

RUNTIME, COORDINATION = "node.k8s.io", "coordination.k8s.io"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
AVOID_PODS = "scheduler.alpha.kubernetes.io/preferAvoidPods"
FAMILIES = "may specify no more than one CIDR for each IP family"
GREATER_THAN_ZERO = "must be greater than 0"


def _node(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _node_body(obj, errors, context)


def _node_body(obj: Value, errors: Errors, context: Context) -> None:
    _checked_twice(obj, errors)
    cidrs = (obj.get("spec") or {}).get("podCIDRs") or []
    for i, cidr in enumerate(cidrs):
        addresses.legacy_cidr(errors, f"spec.podCIDRs[{i}]", cidr or "", context.minor)
    if len(cidrs) > 1:
        found = [addresses.parse_cidr(c or "") for c in cidrs]
        families = {addresses.is_ipv6(c.ip) for c in found if c is not None}
        if len(families) < 2 or len(cidrs) > 2:
            errors.invalid("spec.podCIDRs", cidrs, FAMILIES)


def _checked_twice(obj: Value, errors: Errors) -> None:
    """What the server looks at in a changed node once as in any node, and once more."""
    _avoided_pods(obj, errors)
    _taints((obj.get("spec") or {}).get("taints") or [], errors)
    for part in ("capacity", "allocatable"):
        for name, value in sorted(((obj.get("status") or {}).get(part) or {}).items()):
            requirements.quantity_value(errors, f"status.{part}.{name}", name, quantity.parse(str(value)))


def _avoided_pods(obj: Value, errors: Errors) -> None:
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(AVOID_PODS)
    if text is None:
        return
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        errors.invalid("metadata.annotations", "AvoidPods", "must be valid JSON")


def _taints(taints: list[Value], errors: Errors) -> None:
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(taints):
        at, key, effect = f"metadata.taints[{i}]", taint.get("key") or "", taint.get("effect") or ""
        names.label_name(errors, f"{at}.key", key)
        problems = names.label_value(taint.get("value") or "")
        if problems:
            errors.invalid(f"{at}.value", taint.get("value"), ";".join(problems))
        if not effect:
            errors.required(f"{at}.effect")
        else:
            errors.one_of(f"{at}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = {
                "Key": key,
                "Value": taint.get("value") or "",
                "Effect": effect,
                "TimeAdded": taint.get("timeAdded"),
            }
            errors.duplicate(at, shown, "taints must be unique by key and effect pair")
        seen.add((key, effect))


def _node_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _node(new, errors, context)
    metadata.update(new, old, errors)
    _checked_twice(new, errors)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    cidrs, were = spec.get("podCIDRs") or [], before.get("podCIDRs") or []
    if were:
        detail = 'node updates may not change podCIDR except from "" to valid'
        changes = 1 if len(cidrs) != len(were) else sum(c != w for c, w in zip(cidrs, were, strict=True))
        for _ in range(changes):
            errors.forbidden("spec.podCIDRs", detail)
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        errors.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    if (spec.get("externalID") or "") != (before.get("externalID") or ""):
        errors.forbidden("spec.externalID", "may not be updated")


def _runtime_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _runtime_body(obj, errors, context)


def _runtime_body(obj: Value, errors: Errors, context: Context) -> None:
    handler = obj.get("handler") or ""
    if not handler:
        errors.required("handler")
    else:
        names.invalid(errors, "handler", handler, names.dns1123_label(handler))
    options = PodOptions(context.minor)
    overhead = obj.get("overhead")
    if overhead is not None:
        requirements.overhead(errors, "overhead", overhead.get("podFixed") or {}, options)
    scheduling = obj.get("scheduling")
    if scheduling is None:
        return
    metadata.label_map(scheduling.get("nodeSelector") or {}, errors, "scheduling.nodeSelector")
    tolerations = scheduling.get("tolerations") or []
    seen: list[Value] = []
    for i, toleration in enumerate(tolerations):
        affinity.tolerations(errors, "scheduling.tolerations", [toleration], options, first=i)
        if toleration in seen:
            fields = ("key", "operator", "value", "effect")
            shown = {f.capitalize(): toleration.get(f) or "" for f in fields}
            seconds = toleration.get("tolerationSeconds")
            errors.duplicate(f"scheduling.tolerations[{i}]", {**shown, "TolerationSeconds": seconds})
        seen.append(toleration)


def _runtime_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    if new.get("handler") != old.get("handler"):
        errors.invalid("handler", new.get("handler") or "", names.IMMUTABLE)


def _lease(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _lease_body(obj, errors)


def _lease_body(obj: Value, errors: Errors) -> None:
    spec: Value = obj.get("spec") or {}
    duration, strategy, preferred = (
        spec.get("leaseDurationSeconds"),
        spec.get("strategy"),
        spec.get("preferredHolder"),
    )
    if duration is not None and duration <= 0:
        errors.invalid("spec.leaseDurationSeconds", duration, GREATER_THAN_ZERO)
    names.non_negative(errors, "spec.leaseTransitions", spec.get("leaseTransitions"))
    if strategy is not None:
        if strategy == "":
            errors.required("spec.strategy")
        elif "/" not in strategy and strategy != "OldestEmulationVersion":
            errors.not_supported("spec.strategy", strategy, ["OldestEmulationVersion"])
    if preferred and not strategy:
        detail = "may only be specified if `strategy` is defined"
        errors.forbidden("spec.preferredHolder", detail)


def _lease_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    _lease_body(new, errors)


CREATE = {
    ("", "Node"): _node,
    (RUNTIME, "RuntimeClass"): _runtime_class,
    (COORDINATION, "Lease"): _lease,
}
UPDATE = {
    ("", "Node"): _node_update,
    (RUNTIME, "RuntimeClass"): _runtime_update,
    (COORDINATION, "Lease"): _lease_update,
}
