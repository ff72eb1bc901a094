"""Numbers and percentages of rollouts and budgets, and selectors of workloads.

Follows pkg/apis/apps/validation/validation.go (ValidatePositiveIntOrPercent and around) and
metav1.LabelSelectorAsSelector.
"""

from __future__ import annotations

from kplan import labels
from kplan.api.validation import metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import label_selector
from kplan.hints import Any
from kplan.patterns import lazy

Value = dict[str, Any]

_INTEGER = lazy(r"[-+]?[0-9]+")


def int_or_percent(errors: Errors, field: str, value: int | str) -> None:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        names.invalid(errors, field, value, names.percent(value))
    else:
        names.non_negative(errors, field, value)


def at_most_all(errors: Errors, field: str, value: int | str) -> None:
    """A percentage of no more than a hundred."""
    if not isinstance(value, str) or names.percent(value):
        return
    digits = value[:-1].lstrip("0")
    if len(digits) > 3 or int(digits or "0") > 100:
        errors.invalid(field, value, "must not be greater than 100%")


def is_zero(value: int | str) -> bool:
    """Whether an int-or-percent counts as none; a text that is no number does."""
    if not isinstance(value, str):
        return value == 0
    text = value if names.percent(value) else value[:-1]
    return not _INTEGER.fullmatch(text) or not text.strip("+-0")


def required_selector(errors: Errors, selector: Value | None, kind: str) -> None:
    """spec.selector of a workload: it must be there, sound, and not select everything."""
    if selector is None:
        errors.required("spec.selector")
        return
    metadata.label_selector(selector, errors, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.invalid("spec.selector", label_selector(selector), f"empty selector is invalid for {kind}")


def is_sound(selector: Value | None) -> bool:
    """Whether the server can make a selector of it (LabelSelectorAsSelector gives no error)."""
    errors = Errors()
    metadata.label_selector(selector, errors, "")
    return not errors


def template_labels(template: Value) -> dict[str, str]:
    """The labels of a pod template."""
    return (template.get("metadata") or {}).get("labels") or {}


def selects_template(errors: Errors, field: str, selector: Value | None, template: Value) -> None:
    """The pods of a template must be those that a sound selector selects."""
    found = template_labels(template)
    if not labels.matches(selector, found):
        no_match(errors, field, found)


def no_match(errors: Errors, field: str, found: dict[str, str]) -> None:
    """Report that the labels of a pod template are not what the selector of its owner selects."""
    shown = dict(sorted(found.items())) or None
    errors.invalid(f"{field}.metadata.labels", shown, "`selector` does not match template `labels`")


def immutable_selector(errors: Errors, new: Value, old: Value) -> None:
    """spec.selector against the stored one."""
    selector = (new.get("spec") or {}).get("selector")
    if selector != (old.get("spec") or {}).get("selector"):
        errors.invalid("spec.selector", selector and label_selector(selector), names.IMMUTABLE)


def always_running(errors: Errors, template: Value, owner: str) -> None:
    """The pods of a workload run until they are stopped; `owner` is how the message calls the workload."""
    spec = template.get("spec") or {}
    errors.one_of("spec.template.spec.restartPolicy", spec.get("restartPolicy") or "", ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        sentence = f"activeDeadlineSeconds in {owner} is not Supported"
        errors.forbidden("spec.template.spec.activeDeadlineSeconds", sentence)
