"""PodDisruptionBudgets.

Follows pkg/apis/policy/validation/validation.go. The server leaves the metadata to the checks that every object has.
"""

from __future__ import annotations

from kplan.api.validation import metadata
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.podoptions import has_invalid_value
from kplan.api.validation.rollouts import at_most_all, int_or_percent
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def create_pod_disruption_budget(obj: Value, errors: Errors, _context: Context) -> None:
    """A new PodDisruptionBudget."""
    _spec(obj.get("spec") or {}, errors)


def update_pod_disruption_budget(new: Value, old: Value, errors: Errors, _context: Context) -> None:
    """A changed PodDisruptionBudget; its selector may keep values that are no label values."""
    _spec(new.get("spec") or {}, errors, any_value=has_invalid_value((old.get("spec") or {}).get("selector")))


def _spec(spec: Value, errors: Errors, *, any_value: bool = False) -> None:
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        sentence = "minAvailable and maxUnavailable cannot be both set"
        errors.invalid("spec", internal(spec, "PodDisruptionBudgetSpec"), sentence)
    for name in ("minAvailable", "maxUnavailable"):
        if spec.get(name) is not None:
            int_or_percent(errors, f"spec.{name}", spec[name])
            at_most_all(errors, f"spec.{name}", spec[name])
    metadata.label_selector(spec.get("selector"), errors, "spec.selector", any_value=any_value)
    if spec.get("unhealthyPodEvictionPolicy") is not None:
        errors.one_of("spec.unhealthyPodEvictionPolicy", spec["unhealthyPodEvictionPolicy"], EVICTION_POLICIES)


CREATE = {("policy", "PodDisruptionBudget"): create_pod_disruption_budget}
UPDATE = {("policy", "PodDisruptionBudget"): update_pod_disruption_budget}
