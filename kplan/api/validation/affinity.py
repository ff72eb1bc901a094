"""Where a pod may run: node and pod affinity, tolerations, spread.

Follows pkg/apis/core/validation/validation.go (validateAffinity, ValidateNodeSelector, ValidateTolerations,
validateTopologySpreadConstraints and around).
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan.api.validation import metadata, names, podoptions
from kplan.api.validation.field import Errors, go_quote
from kplan.api.validation.podoptions import PodOptions
from kplan.hints import Any

Value = dict[str, Any]

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
NODE_POLICIES = ("Honor", "Ignore")

_NO_OPERATOR = "not a valid selector operator"
_NO_SELECTOR = "must not be specified when labelSelector is not set"
_IN_BOTH = "exists in both matchLabelKeys and labelSelector"


def affinity(errors: Errors, field: str, value: Value, options: PodOptions) -> None:
    """The affinity of a pod to nodes and to other pods."""
    of_nodes = value.get("nodeAffinity")
    if of_nodes is not None:
        _node_affinity(errors, f"{field}.nodeAffinity", of_nodes, options)
    any_value = options.kept(podoptions.has_invalid_affinity_selector)
    for name in ("podAffinity", "podAntiAffinity"):
        for i, term in enumerate((value.get(name) or {}).get(REQUIRED) or ()):
            _pod_term(errors, f"{field}.{name}.{REQUIRED}[{i}]", term, any_value)
        for i, weighted in enumerate((value.get(name) or {}).get(PREFERRED) or ()):
            path = f"{field}.{name}.{PREFERRED}[{i}]"
            _weight(errors, path, weighted)
            _pod_term(errors, f"{path}.podAffinityTerm", weighted.get("podAffinityTerm") or {}, any_value)


def _weight(errors: Errors, path: str, term: Value) -> None:
    weight = term.get("weight") or 0
    if not 0 < weight <= 100:
        errors.invalid(f"{path}.weight", weight, "must be in the range 1-100")


def _node_affinity(errors: Errors, field: str, value: Value, options: PodOptions) -> None:
    required = value.get(REQUIRED)
    if required is not None:
        any_value = options.kept(podoptions.has_invalid_node_affinity)
        node_selector(errors, f"{field}.{REQUIRED}", required, any_value=any_value)
    for i, term in enumerate(value.get(PREFERRED) or ()):
        path = f"{field}.{PREFERRED}[{i}]"
        _weight(errors, path, term)
        node_selector_term(errors, f"{path}.preference", term.get("preference") or {}, any_value=True)


def node_selector(errors: Errors, field: str, selector: Value, *, any_value: bool = False) -> None:
    """A v1.NodeSelector; `any_value` leaves the values of its expressions unchecked."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        errors.required(f"{field}.nodeSelectorTerms", "must have at least one node selector term")
    for i, term in enumerate(terms):
        node_selector_term(errors, f"{field}.nodeSelectorTerms[{i}]", term, any_value=any_value)


def node_selector_term(errors: Errors, field: str, term: Value, *, any_value: bool) -> None:
    """One term of a node selector: conditions on the labels and on the name of a node."""
    for i, expression in enumerate(term.get("matchExpressions") or ()):
        _node_requirement(errors, f"{field}.matchExpressions[{i}]", expression, any_value)
    for i, expression in enumerate(term.get("matchFields") or ()):
        _node_field(errors, f"{field}.matchFields[{i}]", expression)


def _node_requirement(errors: Errors, field: str, expression: Value, any_value: bool) -> None:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in {"In", "NotIn"}:
        if not values:
            errors.required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            errors.forbidden(f"{field}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in {"Gt", "Lt"}:
        if len(values) != 1:
            errors.required(f"{field}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        errors.invalid(f"{field}.operator", operator, _NO_OPERATOR)
    names.label_name(errors, f"{field}.key", expression.get("key") or "")
    for i, value in enumerate(() if any_value else values):
        names.invalid(errors, f"{field}.values[{i}]", value, names.label_value(value))


def _node_field(errors: Errors, field: str, expression: Value) -> None:
    operator, key, values = (
        expression.get("operator") or "",
        expression.get("key") or "",
        expression.get("values") or (),
    )
    if operator not in {"In", "NotIn"}:
        errors.invalid(f"{field}.operator", operator, _NO_OPERATOR)
    elif len(values) != 1:
        sentence = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.required(f"{field}.values", sentence)
    if key != "metadata.name":
        errors.invalid(f"{field}.key", key, "not a valid field selector key")
        return
    for i, value in enumerate(values):
        names.invalid(errors, f"{field}.values[{i}]", value, names.dns1123_subdomain(value))


def _pod_term(errors: Errors, field: str, term: Value, any_value: bool) -> None:
    selector = term.get("labelSelector")
    metadata.label_selector(selector, errors, f"{field}.labelSelector", any_value=any_value)
    metadata.label_selector(term.get("namespaceSelector"), errors, f"{field}.namespaceSelector", any_value=any_value)
    for namespace in term.get("namespaces") or ():
        names.invalid(errors, f"{field}.namespace", namespace, names.dns1123_label(namespace))
    _label_keys(errors, field, term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or (), selector)
    key = term.get("topologyKey") or ""
    if not key:
        errors.required(f"{field}.topologyKey", "can not be empty")
    names.label_name(errors, f"{field}.topologyKey", key)


def _label_keys(
    errors: Errors, field: str, match: Sequence[str], mismatch: Sequence[str], selector: Value | None
) -> None:
    """ValidateMatchLabelKeysAndMismatchLabelKeys: keys whose values the server merges into the selector."""
    for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            errors.forbidden(f"{field}.{name}", _NO_SELECTOR)
        for i, key in enumerate(keys if selector is not None else ()):
            names.label_name(errors, f"{field}.{name}[{i}]", key)
    if selector is not None:
        # A key may stand once in the selector: that is where the server put it.
        seen = set(selector.get("matchLabels") or ())
        indexes = {key: i for i, key in enumerate(match)}
        for expression in selector.get("matchExpressions") or ():
            key = expression.get("key") or ""
            if key in indexes and key in seen:
                errors.invalid(f"{field}[{indexes[key]}]", key, _IN_BOTH)
            seen.add(key)
    in_both = set(match) & set(mismatch)
    for i, key in enumerate(match):
        if key in in_both:
            errors.invalid(f"{field}.matchLabelKeys[{i}]", key, "exists in both matchLabelKeys and mismatchLabelKeys")


def _spread_keys(errors: Errors, field: str, keys: Sequence[str], selector: Value | None) -> None:
    """ValidateMatchLabelKeysInTopologySpread: the rule before the server merged the keys into the selector."""
    if keys and selector is None:
        errors.forbidden(field, _NO_SELECTOR)
    selected = {e.get("key") for e in (selector or {}).get("matchExpressions") or ()}
    selected |= set((selector or {}).get("matchLabels") or ())
    for i, key in enumerate(keys):
        names.label_name(errors, f"{field}[{i}]", key)
        if key in selected:
            errors.invalid(f"{field}[{i}]", key, _IN_BOTH)


def tolerations(errors: Errors, field: str, found: Sequence[Value], options: PodOptions, *, first: int = 0) -> None:
    """The taints that a pod bears; `first` is the place of the first one of `found` in its list."""
    for i, toleration in enumerate(found, first):
        path, key = f"{field}[{i}]", toleration.get("key") or ""
        operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
        if key:
            names.label_name(errors, f"{path}.key", key)
        elif operator != "Exists":
            sentence = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.invalid(f"{path}.operator", operator, sentence)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            sentence = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.invalid(f"{path}.effect", effect, sentence)
        _toleration_value(errors, path, operator, toleration.get("value") or "", options)
        if effect:
            errors.one_of(f"{path}.effect", effect, TAINT_EFFECTS)


def _toleration_value(errors: Errors, path: str, operator: str, value: str, options: PodOptions) -> None:
    if operator in {"", "Equal"}:
        wrong = names.label_value(value)
        if wrong:
            errors.invalid(f"{path}.operator", value, ";".join(wrong))
    elif operator == "Exists":
        if value:
            errors.invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator not in {"Lt", "Gt"}:
        errors.one_of(f"{path}.operator", operator, ("Equal", "Exists"))
    elif not options.has("TaintTolerationComparisonOperators", podoptions.uses_comparison_tolerations):
        errors.not_supported(f"{path}.operator", operator, ("Equal", "Exists", "Lt", "Gt"), keep_order=True)
    else:
        names.invalid(errors, f"{path}.value", value, names.decimal_integer(value))
        fault = names.int64_fault(value)
        if fault:
            errors.invalid(f"{path}.value", value, f"strconv.ParseInt: parsing {go_quote(value)}: {fault}")


def topology_spread(errors: Errors, field: str, constraints: Sequence[Value], options: PodOptions) -> None:
    """How evenly pods are spread over the nodes."""
    last = {_spread_key(constraint): i for i, constraint in enumerate(constraints)}
    for i, constraint in enumerate(constraints):
        path, skew = f"{field}[{i}]", constraint.get("maxSkew") or 0
        key, action = _spread_key(constraint)
        if skew <= 0:
            errors.invalid(f"{path}.maxSkew", skew, names.POSITIVE)
        if not key:
            errors.required(f"{path}.topologyKey", "can not be empty")
        errors.one_of(f"{path}.whenUnsatisfiable", action, UNSATISFIABLE)
        if last[key, action] > i:
            errors.duplicate(f"{path}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        _min_domains(errors, f"{path}.minDomains", constraint.get("minDomains"), action)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(name) is not None:
                errors.one_of(f"{path}.{name}", constraint[name], NODE_POLICIES)
        _spread_selector(errors, path, constraint, options)


def _spread_key(constraint: Value) -> tuple[str, str]:
    return constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""


def _min_domains(errors: Errors, field: str, domains: int | None, action: str) -> None:
    if domains is None:
        return
    if domains <= 0:
        errors.invalid(field, domains, names.POSITIVE)
    if action != "DoNotSchedule":
        sentence = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        errors.invalid(field, domains, sentence)


def _spread_selector(errors: Errors, path: str, constraint: Value, options: PodOptions) -> None:
    keys, selector = constraint.get("matchLabelKeys") or (), constraint.get("labelSelector")
    merged = options.has("MatchLabelKeysInPodTopologySpreadSelectorMerge")
    if (merged and not options.kept(_breaks_merged_keys)) or (not merged and options.kept(_breaks_unmerged_keys)):
        _label_keys(errors, path, keys, (), selector)
    else:
        _spread_keys(errors, f"{path}.matchLabelKeys", keys, selector)
    if not options.kept(podoptions.has_invalid_spread_selector):
        metadata.label_selector(selector, errors, f"{path}.labelSelector")


def _breaks_merged_keys(spec: Value) -> bool:
    errors = Errors()
    for constraint in spec.get("topologySpreadConstraints") or ():
        _label_keys(errors, "", constraint.get("matchLabelKeys") or (), (), constraint.get("labelSelector"))
    return bool(errors)


def _breaks_unmerged_keys(spec: Value) -> bool:
    errors = Errors()
    for constraint in spec.get("topologySpreadConstraints") or ():
        _spread_keys(errors, "", constraint.get("matchLabelKeys") or (), constraint.get("labelSelector"))
    return bool(errors)
