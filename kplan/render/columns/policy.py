"""The columns of autoscalers, budgets, access rules, webhooks, admission policies, flow control and devices.

Follows pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from kplan.render.columns.cell import AGE, NAME, Now, Value, columns, count, field, number, selector_text
from kplan.render.fields import NONE, UNKNOWN, UNSET, condition, mapping, text
from kplan.workloads import dicts, get

_METRICS_SHOWN = 2


def _targets(hpa: Value, _: Now) -> str:
    """`cpu: 12%/80%` for each metric, two at most."""
    specs, statuses = dicts(hpa, "spec", "metrics"), dicts(hpa, "status", "currentMetrics")
    if not specs:
        return _old_target(hpa)
    found = [_metric(m, statuses[i] if i < len(statuses) else {}) for i, m in enumerate(specs)]
    more = len(found) - _METRICS_SHOWN
    return ", ".join(found[:_METRICS_SHOWN]) + (f" + {more} more..." if more > 0 else "")


def _old_target(hpa: Value) -> str:
    """autoscaling/v1 knows one metric: the use of CPU."""
    target = get(hpa, "spec", "targetCPUUtilizationPercentage")
    if target is None:
        return NONE
    current = get(hpa, "status", "currentCPUUtilizationPercentage")
    return f"cpu: {UNKNOWN if current is None else f'{current}%'}/{target}%"


def _metric(spec: Value, status: Value) -> str:
    """One metric, as it is and as it should be."""
    match spec.get("type"):
        case "Resource" | "ContainerResource" as kind:
            key = kind[0].lower() + kind[1:]
            name = f"{text(spec, key, 'name')}: "
            if get(spec, key, "target", "averageValue") is not None:
                return name + _now_and_then(spec, status, key, "averageValue")
            current, target = (
                get(part, key, where, "averageUtilization") for part, where in ((status, "current"), (spec, "target"))
            )
            return f"{name}{UNKNOWN if current is None else f'{current}%'}/" + (
                "<auto>" if target is None else f"{target}%"
            )
        case "Pods":
            return _now_and_then(spec, status, "pods", "averageValue")
        case "Object" | "External" as kind:
            key = kind.lower()
            if get(spec, key, "target", "averageValue") is not None:
                return _now_and_then(spec, status, key, "averageValue") + " (avg)"
            return _now_and_then(spec, status, key, "value")
    return "<unknown type>"


def _now_and_then(spec: Value, status: Value, key: str, value: str) -> str:
    return f"{text(status, key, 'current', value) or UNKNOWN}/{text(spec, key, 'target', value)}"


def _reference(hpa: Value, _: Now) -> str:
    return f"{text(hpa, 'spec', 'scaleTargetRef', 'kind')}/{text(hpa, 'spec', 'scaleTargetRef', 'name')}"


def _role(binding: Value, _: Now) -> str:
    return f"{text(binding, 'roleRef', 'kind')}/{text(binding, 'roleRef', 'name')}"


def subjects(binding: Value, kind: str) -> str:
    """The subjects of one kind, joined; service accounts as `namespace/name`."""
    return ", ".join(_subject(s) for s in dicts(binding, "subjects") if s.get("kind") == kind)


def _subject(s: Value) -> str:
    return f"{text(s, 'namespace')}/{text(s, 'name')}" if s.get("kind") == "ServiceAccount" else text(s, "name")


def _param_kind(obj: Value, _: Now) -> str:
    kind = mapping(obj, "spec", "paramKind")
    return f"{text(kind, 'apiVersion')}/{text(kind, 'kind')}" if kind else UNSET


def _param_ref(obj: Value, _: Now) -> str:
    ref = mapping(obj, "spec", "paramRef")
    if not ref:
        return UNSET
    if not ref.get("name"):
        return selector_text(ref.get("selector"))
    return "/".join(filter(None, (text(ref, "namespace"), text(ref, "name"))))


def _dangling(obj: Value, _: Now) -> str:
    return text(condition(obj, "Dangling"), "status") or "?"


def _claim_state(claim: Value, _: Now) -> str:
    states = ["deleted"] if get(claim, "metadata", "deletionTimestamp") else []
    if get(claim, "status", "allocation") is None:
        return ",".join(states) if states else "pending"
    states.append("allocated")
    if get(claim, "status", "reservedFor"):
        states.append("reserved")
    return ",".join(states)


BUDGETS = columns(
    NAME,
    ("Min Available", field("spec.minAvailable", "N/A")),
    ("Max Unavailable", field("spec.maxUnavailable", "N/A")),
    ("Allowed Disruptions", number("status.disruptionsAllowed")),
    AGE,
)
AUTOSCALERS = columns(
    NAME,
    ("Reference", _reference),
    ("Targets", _targets),
    ("MinPods", field("spec.minReplicas", UNSET)),
    ("MaxPods", number("spec.maxReplicas")),
    ("Replicas", number("status.currentReplicas")),
    AGE,
)
BINDINGS = columns(
    NAME,
    ("Role", _role),
    AGE,
    ("*Users", lambda obj, _: subjects(obj, "User")),
    ("*Groups", lambda obj, _: subjects(obj, "Group")),
    ("*ServiceAccounts", lambda obj, _: subjects(obj, "ServiceAccount")),
)
WEBHOOKS = columns(NAME, ("Webhooks", count("webhooks")), AGE)
VALIDATING_POLICIES = columns(NAME, ("Validations", count("spec", "validations")), ("ParamKind", _param_kind), AGE)
MUTATING_POLICIES = columns(NAME, ("Mutations", count("spec", "mutations")), ("ParamKind", _param_kind), AGE)
POLICY_BINDINGS = columns(NAME, ("PolicyName", "spec.policyName"), ("ParamRef", _param_ref), AGE)
FLOW_SCHEMAS = columns(
    NAME,
    ("PriorityLevel", "spec.priorityLevelConfiguration.name"),
    ("MatchingPrecedence", number("spec.matchingPrecedence")),
    ("DistinguisherMethod", field("spec.distinguisherMethod.type", NONE)),
    AGE,
    ("MissingPL", _dangling),
)
_QUEUES = "spec.limited.limitResponse.queuing."
PRIORITY_LEVELS = columns(
    NAME,
    ("Type", "spec.type"),
    ("NominalConcurrencyShares", field("spec.limited.nominalConcurrencyShares", NONE)),
    ("Queues", field(f"{_QUEUES}queues", NONE)),
    ("HandSize", field(f"{_QUEUES}handSize", NONE)),
    ("QueueLengthLimit", field(f"{_QUEUES}queueLengthLimit", NONE)),
    AGE,
)
RESOURCE_CLAIMS = columns(NAME, ("State", _claim_state), AGE)
RESOURCE_SLICES = columns(NAME, ("Node", "spec.nodeName"), ("Driver", "spec.driver"), ("Pool", "spec.pool.name"), AGE)
TRUST_BUNDLES = columns(NAME, ("SignerName", field("spec.signerName", NONE)))
