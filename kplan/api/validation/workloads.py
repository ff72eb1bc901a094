"""Deployments, ReplicaSets, DaemonSets, ReplicationControllers and ControllerRevisions.

Follows pkg/apis/apps/validation/validation.go and the ReplicationController of pkg/apis/core/validation/validation.go.
StatefulSets are in statefulsets.py.
"""

from __future__ import annotations

from kplan import labels
from kplan.api.validation import metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal, label_selector
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.pods import template_options
from kplan.api.validation.podspec import pod_template
from kplan.api.validation.rollouts import (
    always_running,
    at_most_all,
    immutable_selector,
    int_or_percent,
    is_sound,
    is_zero,
    no_match,
    required_selector,
    selects_template,
    template_labels,
)
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

_NO_DATA = "data is mandatory"


def _numbers(errors: Errors, spec: Value, *wanted: str) -> None:
    for name in wanted:
        names.non_negative(errors, f"spec.{name}", spec.get(name))


def create_deployment(obj: Value, errors: Errors, context: Context) -> None:
    """A new Deployment."""
    metadata.create(obj, errors, context)
    _deployment_spec(obj.get("spec") or {}, errors, PodOptions(context.minor))


def update_deployment(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed Deployment."""
    metadata.update(new, old, errors)
    _deployment_spec(new.get("spec") or {}, errors, _stored_options(old, context))
    immutable_selector(errors, new, old)


def _stored_options(old: Value, context: Context) -> PodOptions:
    """The options for the template of a workload that is stored as `old`."""
    return template_options((old.get("spec") or {}).get("template") or {}, context.minor)


def _deployment_spec(spec: Value, errors: Errors, options: PodOptions) -> None:
    _numbers(errors, spec, "replicas")
    _selector_and_template(spec, errors, options)
    _deployment_strategy(errors, spec.get("strategy") or {})
    _numbers(errors, spec, "minReadySeconds", "revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        _numbers(errors, spec, "progressDeadlineSeconds")
        if deadline <= (spec.get("minReadySeconds") or 0):
            errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _selector_and_template(spec: Value, errors: Errors, options: PodOptions) -> None:
    """What Deployments and ReplicaSets have in common; the server calls both by the wrong name now and then."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    required_selector(errors, selector, "deployment")
    if not is_sound(selector):
        errors.invalid("spec.selector", label_selector(selector or {}), "invalid label selector")
        return
    selects_template(errors, "spec.template", selector, template)
    pod_template(errors, "spec.template", template, options)
    always_running(errors, template, "ReplicaSet")


def _deployment_strategy(errors: Errors, strategy: Value) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            sentence = "may not be specified when strategy `type` is 'Recreate'"
            errors.forbidden("spec.strategy.rollingUpdate", sentence)
    elif kind != "RollingUpdate":
        shown = internal(strategy, "DeploymentStrategy")
        errors.not_supported("spec.strategy", shown, ("Recreate", "RollingUpdate"), keep_order=True)
    elif rolling is None:
        errors.required("spec.strategy.rollingUpdate", "this should be defaulted and never be nil")
    else:
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        field = "spec.strategy.rollingUpdate.maxUnavailable"
        int_or_percent(errors, field, unavailable)
        int_or_percent(errors, "spec.strategy.rollingUpdate.maxSurge", surge)
        if is_zero(unavailable) and is_zero(surge):
            errors.invalid(field, unavailable, "may not be 0 when `maxSurge` is 0")
        at_most_all(errors, field, unavailable)


def create_replica_set(obj: Value, errors: Errors, context: Context) -> None:
    """A new ReplicaSet."""
    metadata.create(obj, errors, context)
    _replica_set_spec(obj.get("spec") or {}, errors, PodOptions(context.minor))


def update_replica_set(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed ReplicaSet."""
    metadata.update(new, old, errors)
    _replica_set_spec(new.get("spec") or {}, errors, _stored_options(old, context))
    immutable_selector(errors, new, old)


def _replica_set_spec(spec: Value, errors: Errors, options: PodOptions) -> None:
    _numbers(errors, spec, "replicas", "minReadySeconds")
    _selector_and_template(spec, errors, options)


def create_daemon_set(obj: Value, errors: Errors, context: Context) -> None:
    """A new DaemonSet."""
    metadata.create(obj, errors, context)
    _daemon_set_spec(obj.get("spec") or {}, errors, PodOptions(context.minor))


def update_daemon_set(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed DaemonSet."""
    metadata.update(new, old, errors)
    immutable_selector(errors, new, old)
    _daemon_set_spec(new.get("spec") or {}, errors, _stored_options(old, context))


def _daemon_set_spec(spec: Value, errors: Errors, options: PodOptions) -> None:
    selector, template = spec.get("selector"), spec.get("template") or {}
    metadata.label_selector(selector, errors, "spec.selector")
    if is_sound(selector):
        selects_template(errors, "spec.template", selector, template)
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.invalid("spec.selector", label_selector(selector), "empty selector is invalid for daemonset")
    pod_template(errors, "spec.template", template, options)
    always_running(errors, template, "DaemonSet")
    _numbers(errors, spec, "minReadySeconds")
    _daemon_set_strategy(errors, spec.get("updateStrategy") or {})
    _numbers(errors, spec, "revisionHistoryLimit")


def _daemon_set_strategy(errors: Errors, strategy: Value) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    field = "spec.updateStrategy.rollingUpdate"
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = internal(strategy, "DaemonSetUpdateStrategy")
        errors.not_supported("spec.updateStrategy", shown, ("RollingUpdate", "OnDelete"), keep_order=True)
        return
    if rolling is None:
        errors.required(field)
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    for check in (int_or_percent, at_most_all):
        check(errors, f"{field}.maxUnavailable", unavailable)
        check(errors, f"{field}.maxSurge", surge)
    if not is_zero(unavailable) and not is_zero(surge):
        errors.invalid(f"{field}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif is_zero(unavailable) and is_zero(surge):
        errors.required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def create_replication_controller(obj: Value, errors: Errors, context: Context) -> None:
    """A new ReplicationController."""
    metadata.create(obj, errors, context)
    _replication_controller_spec(obj.get("spec") or {}, errors, PodOptions(context.minor))


def update_replication_controller(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed ReplicationController."""
    metadata.update(new, old, errors)
    _replication_controller_spec(new.get("spec") or {}, errors, _stored_options(old, context))


def _replication_controller_spec(spec: Value, errors: Errors, options: PodOptions) -> None:
    selector, template = spec.get("selector") or {}, spec.get("template")
    _numbers(errors, spec, "minReadySeconds")
    if not selector:
        errors.required("spec.selector")
    if spec.get("replicas") is None:
        errors.required("spec.replicas")
    _numbers(errors, spec, "replicas")
    if template is None:
        errors.required("spec.template")
        return
    found = template_labels(template)
    if selector and not labels.matches_map(selector, found):
        no_match(errors, "spec.template", found)
    pod_template(errors, "spec.template", template, options)
    always_running(errors, template, "ReplicationController")


def create_controller_revision(obj: Value, errors: Errors, context: Context) -> None:
    """A new ControllerRevision."""
    _revision(obj, errors, context)
    data = obj.get("data")
    if data is None:
        errors.required("data", _NO_DATA)
    elif not isinstance(data, dict):
        errors.required("data", "data must be a valid JSON object")


def _revision(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    names.non_negative(errors, "revision", obj.get("revision"))


def update_controller_revision(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed ControllerRevision."""
    metadata.update(new, old, errors)
    _revision(new, errors, context)
    if new.get("data") != old.get("data"):
        errors.invalid("data", new.get("data"), names.IMMUTABLE)


CREATE = {
    ("apps", "Deployment"): create_deployment,
    ("apps", "ReplicaSet"): create_replica_set,
    ("apps", "DaemonSet"): create_daemon_set,
    ("apps", "ControllerRevision"): create_controller_revision,
    ("", "ReplicationController"): create_replication_controller,
}
UPDATE = {
    ("apps", "Deployment"): update_deployment,
    ("apps", "ReplicaSet"): update_replica_set,
    ("apps", "DaemonSet"): update_daemon_set,
    ("apps", "ControllerRevision"): update_controller_revision,
    ("", "ReplicationController"): update_replication_controller,
}
