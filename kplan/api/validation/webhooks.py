"""Admission webhooks. Follows pkg/apis/admissionregistration/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, admissionrules, metadata, names, webhookclient
from kplan.api.validation.expressions import Variables
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "admissionregistration.k8s.io"
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REINVOCATION = ("IfNeeded", "Never")


def _configuration(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _webhooks(obj, errors)


def _configuration_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    """A changed configuration by the rules for a new one."""
    _configuration(new, errors, context)


def _webhooks(obj: Value, errors: Errors) -> None:
    seen: set[str] = set()
    for i, hook in enumerate(h or {} for h in obj.get("webhooks") or ()):
        at, name = f"webhooks[{i}]", hook.get("name") or ""
        _webhook(hook, errors, at)
        if obj["kind"] == "MutatingWebhookConfiguration" and hook.get("reinvocationPolicy") is not None:
            errors.one_of(f"{at}.reinvocationPolicy", hook["reinvocationPolicy"], _REINVOCATION)
        if name and name in seen:
            errors.duplicate(f"{at}.name", name)
        seen.add(name)


def _webhook(hook: Value, errors: Errors, at: str) -> None:
    _fully_qualified(hook.get("name") or "", errors, f"{at}.name")
    for i, rule in enumerate(hook.get("rules") or ()):
        admissionrules.rule(rule or {}, errors, f"{at}.rules[{i}]")
    for name, supported in (
        ("failurePolicy", admissionrules.FAILURE_POLICIES),
        ("matchPolicy", admissionrules.MATCH_POLICIES),
        ("sideEffects", _SIDE_EFFECTS),
    ):
        if hook.get(name) is not None:
            errors.one_of(f"{at}.{name}", hook[name], supported)
    if hook.get("sideEffects") is None:
        errors.required(f"{at}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    timeout = hook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= 30:
        errors.invalid(f"{at}.timeoutSeconds", timeout, "the timeout value must be between 1 and 30 seconds")
    for name in ("namespaceSelector", "objectSelector"):
        metadata.label_selector(hook.get(name), errors, f"{at}.{name}")
    webhookclient.client_config(hook.get("clientConfig") or {}, errors, f"{at}.clientConfig")
    needed = f"must specify one of {', '.join(webhookclient.REVIEW_VERSIONS)}"
    versions = hook.get("admissionReviewVersions") or ()
    webhookclient.review_versions(versions, errors, f"{at}.admissionReviewVersions", needed=needed)
    admissionrules.match_conditions(hook.get("matchConditions") or (), errors, f"{at}.matchConditions", Variables())


def _fully_qualified(name: str, errors: Errors, at: str) -> None:
    if not name:
        errors.required(at)
        return
    wrong = names.dns1123_subdomain(name)
    if wrong:
        errors.invalid(at, name, ",".join(wrong))
    elif name.count(".") < 2:
        errors.invalid(at, name, "should be a domain with at least three segments separated by dots")


_KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
CREATE = {(GROUP, kind): _configuration for kind in _KINDS}
UPDATE = {(GROUP, kind): _configuration_update for kind in _KINDS}
