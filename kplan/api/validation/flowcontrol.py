"""FlowSchemas and PriorityLevelConfigurations. Follows pkg/apis/flowcontrol/validation/validation.go."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "flowcontrol.apiserver.k8s.io"
MAX_PRECEDENCE, MAX_QUEUES, MAX_ENTROPY_BITS = 10_000, 10_000_000, 60
EXEMPT = "exempt"
METHODS = ("ByNamespace", "ByUser")
# subject kind -> the field that says who
SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
NAMESPACE_INTRO = "each member of this list must be '*' or a DNS-1123 label; "
POSITIVE = "must be positive"


_ALL = {
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}


def _rules_of(*groups: str) -> list[Value]:
    return [{"subjects": [{"kind": "Group", "group": {"name": f"system:{g}"}} for g in groups], **_ALL}]


# "API Priority and Fairness", Mandatory configuration objects.
MANDATORY_FLOWS: Mapping[str, Value] = {
    EXEMPT: {
        "priorityLevelConfiguration": {"name": EXEMPT},
        "matchingPrecedence": 1,
        "rules": _rules_of("masters"),
    },
    "catch-all": {
        "priorityLevelConfiguration": {"name": "catch-all"},
        "matchingPrecedence": MAX_PRECEDENCE,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": _rules_of("unauthenticated", "authenticated"),
    },
}
MANDATORY_LEVELS: Mapping[str, Value] = {
    "catch-all": {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}},
    },
}


def _flow_schema(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec: Value = obj.get("spec") or {}
    name = (obj.get("metadata") or {}).get("name") or ""
    _flow_spec(spec, name, errors)
    _fixed(spec, MANDATORY_FLOWS.get(name), f"spec of '{name}'", errors)


def _fixed(spec: Value, mandatory: Value | None, what: str, errors: Errors) -> None:
    """Objects that each server makes for itself, and which nobody may change."""
    if mandatory is not None and spec != mandatory:
        errors.invalid("spec", spec, f"{what} must equal the fixed value")


def _flow_spec(spec: Value, name: str, errors: Errors) -> None:
    precedence, at = spec.get("matchingPrecedence") or 0, "spec.matchingPrecedence"
    if precedence <= 0:
        errors.invalid(at, precedence, "must be a positive value")
    if precedence > MAX_PRECEDENCE:
        errors.invalid(at, precedence, f"must not be greater than {MAX_PRECEDENCE}")
    if precedence == 1 and name != EXEMPT:
        errors.invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in METHODS:
        errors.not_supported("spec.distinguisherMethod.type", {"Type": method.get("type") or ""}, METHODS)
    level = (spec.get("priorityLevelConfiguration") or {}).get("name") or ""
    if level:
        names.invalid(errors, "spec.priorityLevelConfiguration.name", level, names.dns1123_subdomain(level))
    else:
        errors.required("spec.priorityLevelConfiguration.name", "must reference a priority level")
    for i, rule in enumerate(spec.get("rules") or ()):
        _rule(rule or {}, f"spec.rules[{i}]", errors)


def _rule(rule: Value, at: str, errors: Errors) -> None:
    subjects, resources, others = (rule.get(f) or [] for f in ("subjects", "resourceRules", "nonResourceRules"))
    if not subjects:
        errors.required(f"{at}.subjects", "subjects must contain at least one value")
    for i, subject in enumerate(subjects):
        _subject(subject or {}, f"{at}.subjects[{i}]", errors)
    if not resources and not others:
        errors.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for i, item in enumerate(resources):
        _resource_rule(item or {}, f"{at}.resourceRules[{i}]", errors)
    for i, item in enumerate(others):
        _non_resource_rule(item or {}, f"{at}.nonResourceRules[{i}]", errors)


def _subject(subject: Value, at: str, errors: Errors) -> None:
    kind = subject.get("kind") or ""
    if kind not in SUBJECTS:
        errors.not_supported(f"{at}.kind", kind, SUBJECTS)
        return
    own = SUBJECTS[kind]
    value = subject.get(own)
    if value is None:
        errors.required(f"{at}.{own}", f"{own} is required when subject kind is '{kind}'")
    elif kind == "ServiceAccount":
        _account(value, f"{at}.{own}", errors)
    elif not value.get("name"):
        errors.required(f"{at}.{own}.name")
    for other_kind, field in sorted(SUBJECTS.items(), key=lambda kv: kv[1]):
        if other_kind != kind and subject.get(field) is not None:
            errors.forbidden(f"{at}.{field}", f"{field} is forbidden when subject kind is not '{other_kind}'")


def _account(account: Value, at: str, errors: Errors) -> None:
    name, namespace = account.get("name") or "", account.get("namespace") or ""
    if not name:
        errors.required(f"{at}.name")
    elif name != "*":
        names.invalid(errors, f"{at}.name", name, names.dns1123_subdomain(name))
    if namespace:
        names.invalid(errors, f"{at}.namespace", namespace, names.dns1123_label(namespace))
    else:
        errors.required(f"{at}.namespace", "must specify namespace for service account")


def _verbs(rule: Value, at: str, errors: Errors) -> None:
    verbs = rule.get("verbs") or []
    if not verbs:
        errors.required(f"{at}.verbs", "verbs must contain at least one value")
    elif "*" in verbs:
        _alone(verbs, f"{at}.verbs", "verbs", errors)
    elif not set(verbs) <= set(VERBS):
        errors.not_supported(f"{at}.verbs", verbs, VERBS)


def _alone(values: list[str], field: str, what: str, errors: Errors) -> None:
    if "*" in values and len(values) > 1:
        errors.invalid(field, values, f"if '*' is present, must not specify other {what}")


def _resource_rule(rule: Value, at: str, errors: Errors) -> None:
    _verbs(rule, at, errors)
    for field, one, many in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        values = rule.get(field) or []
        if not values:
            errors.required(f"{at}.{field}", f"resource rules must supply at least one {one}")
        else:
            _alone(values, f"{at}.{field}", many, errors)
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.required(f"{at}.namespaces", detail)
    elif "*" in namespaces:
        _alone(namespaces, f"{at}.namespaces", "namespaces", errors)
    else:
        for i, namespace in enumerate(namespaces):
            for message in names.dns1123_label(namespace or ""):
                errors.invalid(f"{at}.namespaces[{i}]", namespace or "", NAMESPACE_INTRO + message)


def _non_resource_rule(rule: Value, at: str, errors: Errors) -> None:
    _verbs(rule, at, errors)
    urls = rule.get("nonResourceURLs") or []
    if not urls:
        errors.required(f"{at}.nonResourceURLs", "nonResourceURLs must contain at least one value")
    elif "*" in urls:
        _alone(urls, f"{at}.nonResourceURLs", "non-resource URLs", errors)
    else:
        for i, url in enumerate(urls):
            problem = _url_problem(url or "")
            if problem:
                errors.invalid(f"{at}.nonResourceURLs[{i}]", url or "", problem)


def _url_problem(url: str) -> str:
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars == 1 and not url.endswith("/*")) else ""


def _flow_schema_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    _flow_schema(new, errors, context)


def _level(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec: Value = obj.get("spec") or {}
    name, type_ = (obj.get("metadata") or {}).get("name") or "", spec.get("type") or ""
    if (name == EXEMPT) != (type_ == "Exempt"):
        errors.invalid("spec.type", type_, "type must be 'Exempt' if and only if name is 'exempt'")
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if type_ == "Exempt":
        if limited is not None:
            errors.forbidden("spec.limited", "must be nil if the type is not Limited")
        if exempt is not None:
            _shares(exempt, "spec.exempt", errors)
    elif type_ == "Limited":
        if exempt is not None:
            errors.forbidden("spec.exempt", "must be nil if the type is Limited")
        if limited is None:
            errors.required("spec.limited", "must not be empty when type is Limited")
        else:
            _limited(limited, errors)
    else:
        errors.not_supported("spec.type", type_, ("Exempt", "Limited"))
    if name == EXEMPT:
        rest = {k: v for k, v in spec.items() if k != "exempt"}
        _fixed(rest, {"type": "Exempt"}, f"spec of '{name}' except the 'spec.exempt' field", errors)
    else:
        _fixed(spec, MANDATORY_LEVELS.get(name), f"spec of '{name}'", errors)


def _shares(value: Value, at: str, errors: Errors) -> None:
    shares, lendable = value.get("nominalConcurrencyShares"), value.get("lendablePercent")
    if shares is not None and shares < 0:
        errors.invalid(f"{at}.nominalConcurrencyShares", shares, "must be a non-negative integer")
    if lendable is not None and not 0 <= lendable <= 100:
        errors.invalid(f"{at}.lendablePercent", lendable, "must be between 0 and 100, inclusive")


def _limited(limited: Value, errors: Errors) -> None:
    at, shares = "spec.limited", limited.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        errors.invalid(f"{at}.nominalConcurrencyShares", shares, "must be a non-negative integer")
    _response(limited.get("limitResponse") or {}, f"{at}.limitResponse", errors)
    lendable, borrowing = limited.get("lendablePercent"), limited.get("borrowingLimitPercent")
    if lendable is not None and not 0 <= lendable <= 100:
        errors.invalid(f"{at}.lendablePercent", lendable, "must be between 0 and 100, inclusive")
    if borrowing is not None and borrowing < 0:
        errors.invalid(f"{at}.borrowingLimitPercent", borrowing, "if specified, must be a non-negative integer")


def _response(response: Value, at: str, errors: Errors) -> None:
    type_, queuing = response.get("type") or "", response.get("queuing")
    if type_ == "Reject":
        if queuing is not None:
            errors.forbidden(f"{at}.queuing", "must be nil if limited.limitResponse.type is not Limited")
    elif type_ == "Queue":
        if queuing is None:
            errors.required(f"{at}.queuing", "must not be empty if limited.limitResponse.type is Limited")
        else:
            _queuing(queuing, f"{at}.queuing", errors)
    else:
        errors.not_supported(f"{at}.type", type_, ("Queue", "Reject"))


def _queuing(queuing: Value, at: str, errors: Errors) -> None:
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    length = queuing.get("queueLengthLimit") or 0
    if length <= 0:
        errors.invalid(f"{at}.queueLengthLimit", length, POSITIVE)
    if queues <= 0:
        errors.invalid(f"{at}.queues", queues, POSITIVE)
    elif queues > MAX_QUEUES:
        errors.invalid(f"{at}.queues", queues, f"must not be greater than {MAX_QUEUES}")
    if hand <= 0:
        errors.invalid(f"{at}.handSize", hand, POSITIVE)
    elif hand > queues:
        errors.invalid(f"{at}.handSize", hand, f"should not be greater than queues ({queues})")
    elif _entropy_bits(queues, hand) > MAX_ENTROPY_BITS:
        needed = f"required entropy bits of deckSize {queues} and handSize {hand}"
        detail = f"{needed} should not be greater than {MAX_ENTROPY_BITS}"
        errors.invalid(f"{at}.handSize", hand, detail)


def _entropy_bits(deck: int, hand: int) -> int:
    """The bits of hash that dealing one hand uses up (shufflesharding.RequiredEntropyBits)."""
    return math.ceil(math.log2(deck) * hand)


def _level_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    _level(new, errors, context)


CREATE = {(GROUP, "FlowSchema"): _flow_schema, (GROUP, "PriorityLevelConfiguration"): _level}
UPDATE = {(GROUP, "FlowSchema"): _flow_schema_update, (GROUP, "PriorityLevelConfiguration"): _level_update}
