"""StatefulSets.

Follows pkg/apis/apps/validation/validation.go (ValidateStatefulSetSpec, ValidateStatefulSetUpdate).
"""

from __future__ import annotations

from kplan.api.validation import metadata, names
from kplan.api.validation.claims import claim_spec
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal, label_selector
from kplan.api.validation.podannotations import pod_annotations
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.pods import template_options
from kplan.api.validation.podspec import pod_template
from kplan.api.validation.rollouts import (
    always_running,
    at_most_all,
    int_or_percent,
    is_sound,
    is_zero,
    required_selector,
    selects_template,
)
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

# First minors: spec.revisionHistoryLimit may change; spec.serviceName must be a DNS label.
HISTORY_LIMIT_SINCE = SERVICE_NAME_SINCE = 33
_ONLY = "updates to statefulset spec for fields other than {} are forbidden"
_UPDATABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def create_stateful_set(obj: Value, errors: Errors, context: Context) -> None:
    """A new StatefulSet."""
    spec, options = obj.get("spec") or {}, PodOptions(context.minor)
    metadata.create(obj, errors, context)
    _policies(errors, spec)
    for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        claim_spec(errors, f"spec.volumeClaimTemplates[{i}].spec", claim.get("spec") or {}, context.minor)
    _numbers(errors, spec)
    service = spec.get("serviceName")
    if service and context.minor >= SERVICE_NAME_SINCE:
        names.invalid(errors, "spec.serviceName", service, names.dns1123_label(service))
    _selector_and_template(errors, spec, options)


def update_stateful_set(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed StatefulSet. A stored template with a fault may stay, and so may what cannot change anyway."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    options = template_options(before.get("template") or {}, context.minor)
    stored = Errors()
    _anything_but_claims(stored, before, options)
    metadata.update(new, old, errors)
    _anything_but_claims(errors, spec, options, check_template=not stored)
    updatable = [n for n in _UPDATABLE if n != "revisionHistoryLimit" or context.minor >= HISTORY_LIMIT_SINCE]
    if any(spec.get(n) != before.get(n) for n in {*spec, *before} - set(updatable)):
        listed = ", ".join(f"'{n}'" for n in updatable[:-1]) + f" and '{updatable[-1]}'"
        errors.forbidden("spec", _ONLY.format(listed))


def _anything_but_claims(errors: Errors, spec: Value, options: PodOptions, *, check_template: bool = True) -> None:
    _policies(errors, spec)
    _numbers(errors, spec)
    _selector_and_template(errors, spec, options, check_template=check_template)


def _policies(errors: Errors, spec: Value) -> None:
    management = spec.get("podManagementPolicy") or ""
    if not management:
        errors.required("spec.podManagementPolicy")
    elif management not in {"OrderedReady", "Parallel"}:
        errors.invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
    _update_strategy(errors, spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention is not None:
        for name in ("whenDeleted", "whenScaled"):
            field = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
            errors.one_of(field, retention.get(name) or "", ("Retain", "Delete"))


def _update_strategy(errors: Errors, strategy: Value) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        errors.required("spec.updateStrategy")
    elif kind not in {"OnDelete", "RollingUpdate"}:
        shown = internal(strategy, "StatefulSetUpdateStrategy")
        errors.invalid("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None and kind == "OnDelete":
        shown = internal(rolling, "RollingUpdateStatefulSetStrategy")
        sentence = "only allowed for updateStrategy 'RollingUpdate'"
        errors.invalid("spec.updateStrategy.rollingUpdate", shown, sentence)
    elif rolling is not None:
        _rolling_update(errors, rolling)


def _rolling_update(errors: Errors, rolling: Value) -> None:
    names.non_negative(errors, "spec.updateStrategy.rollingUpdate.partition", rolling.get("partition"))
    unavailable = rolling.get("maxUnavailable")
    if unavailable is None:
        return
    field = "spec.updateStrategy.rollingUpdate.maxUnavailable"
    int_or_percent(errors, field, unavailable)
    if is_zero(unavailable):
        errors.invalid(field, unavailable, "cannot be 0")
    at_most_all(errors, field, unavailable)


def _numbers(errors: Errors, spec: Value) -> None:
    names.non_negative(errors, "spec.replicas", spec.get("replicas"))
    names.non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    names.non_negative(errors, "spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))


def _selector_and_template(errors: Errors, spec: Value, options: PodOptions, *, check_template: bool = True) -> None:
    selector, template = spec.get("selector"), spec.get("template") or {}
    required_selector(errors, selector, "statefulset")
    if not is_sound(selector):
        errors.invalid("spec.selector", label_selector(selector or {}), "")
    else:
        meta, pod = template.get("metadata") or {}, _pod_of_set(spec, template.get("spec") or {})
        selects_template(errors, "spec.template", selector, template)
        if check_template:
            pod_template(errors, "spec.template", {**template, "spec": pod}, options)
        # The server looks at the metadata of the template twice.
        annotations = meta.get("annotations") or {}
        metadata.label_map(meta.get("labels"), errors, "spec.template.labels")
        metadata.annotation_map(annotations, errors, "spec.template.annotations")
        pod_annotations(errors, "spec.template.annotations", annotations, pod, options)
    always_running(errors, template, "StatefulSet")


def _pod_of_set(spec: Value, pod: Value) -> Value:
    """The pod as the controller will make it: its host names given, a volume for every claim."""
    claims = {claim.get("metadata", {}).get("name") or "": claim for claim in spec.get("volumeClaimTemplates") or ()}
    made = {k: v for k, v in pod.items() if k not in {"hostname", "subdomain"}}
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    volumes += [v for v in pod.get("volumes") or () if (v.get("name") or "") not in claims]
    if volumes:
        made["volumes"] = volumes
    return made


CREATE = {("apps", "StatefulSet"): create_stateful_set}
UPDATE = {("apps", "StatefulSet"): update_stateful_set}
