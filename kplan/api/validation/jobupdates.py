"""What may change in a stored Job: numbers, suspension, and where the pods of a suspended Job will run.

Follows pkg/apis/batch/validation/validation.go (ValidateJobSpecUpdate and around) and
pkg/registry/batch/job/strategy.go (validationOptionsForJob).
"""

from __future__ import annotations

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal, label_selector
from kplan.api.validation.podupdates import put_back
from kplan.hints import Any

Value = dict[str, Any]

# The first minor in which a suspended Job may have started before, and in which the resources of its pods may change.
IDLE_SINCE = 36

_PLAIN = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_TYPES = {"podFailurePolicy": "PodFailurePolicy", "successPolicy": "SuccessPolicy"}
_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")


def job_update(errors: Errors, new: Value, old: Value, minor: int) -> None:
    """The spec of a Job against the stored one."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _completions(errors, spec, before)
    if spec.get("selector") != before.get("selector"):
        errors.invalid("spec.selector", spec.get("selector") and label_selector(spec["selector"]), names.IMMUTABLE)
    _template(errors, spec.get("template") or {}, before.get("template") or {}, old, minor)
    for name in _PLAIN:
        value = spec.get(name)
        if value != before.get(name):
            shown = internal(value, _TYPES[name]) if value is not None and name in _TYPES else value
            errors.invalid(f"spec.{name}", shown, names.IMMUTABLE)


def _completions(errors: Errors, spec: Value, before: Value) -> None:
    completions = spec.get("completions")
    if completions == before.get("completions"):
        return
    if spec.get("completionMode") != "Indexed":
        errors.invalid("spec.completions", completions, names.IMMUTABLE)
    elif completions is not None and completions != spec.get("parallelism"):
        errors.invalid("spec.completions", completions, "can only be modified in tandem with spec.parallelism")


def _template(errors: Errors, template: Value, before: Value, old: Value, minor: int) -> None:
    spec, status = old.get("spec") or {}, old.get("status") or {}
    suspended, started = bool(spec.get("suspend")), bool(status.get("startTime"))
    idle = suspended and not status.get("active") and (not started or _is_suspended(status))
    waits = idle if minor >= IDLE_SINCE else suspended and not started
    if waits:
        before = _with_directives(before, template)
    if idle and minor >= IDLE_SINCE:
        pod = template.get("spec") or {}
        if pod != _with_resources(before.get("spec") or {}, pod):
            errors.invalid("spec.template.spec", pod, names.IMMUTABLE)
    elif template != before:
        errors.invalid("spec.template", template, names.IMMUTABLE)


def _is_suspended(status: Value) -> bool:
    return any(c.get("type") == "Suspended" and c.get("status") == "True" for c in status.get("conditions") or ())


def _with_directives(template: Value, new: Value) -> Value:
    """The stored template with the scheduling directives, labels and annotations of the new one."""
    meta, spec = dict(template.get("metadata") or {}), dict(template.get("spec") or {})
    new_meta, new_spec = new.get("metadata") or {}, new.get("spec") or {}
    for name in ("labels", "annotations"):
        put_back(meta, new_meta, name)
    for name in _DIRECTIVES:
        put_back(spec, new_spec, name)
    affinity, new_affinity = spec.get("affinity"), new_spec.get("affinity")
    if affinity is not None or new_affinity is not None:
        merged = dict(affinity or {})
        put_back(merged, new_affinity or {}, "nodeAffinity")
        spec["affinity"] = merged
        if not merged and new_affinity is None:
            del spec["affinity"]
    return {**template, "metadata": meta, "spec": spec}


def _with_resources(spec: Value, new: Value) -> Value:
    """The stored pod spec with the resources of the containers of the new one."""
    spec = dict(spec)
    for role in ("containers", "initContainers"):
        found, given = spec.get(role) or [], new.get(role) or []
        if found and len(found) == len(given):
            spec[role] = [_container(c, n) for c, n in zip(found, given, strict=True)]
    return spec


def _container(container: Value, new: Value) -> Value:
    if container.get("name") != new.get("name"):
        return container
    container = dict(container)
    put_back(container, new, "resources")
    return container
