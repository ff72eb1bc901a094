"""Pods, PodTemplates and Bindings.

Follows pkg/apis/core/validation/validation.go (ValidatePodCreate, ValidatePodTemplate). What an update of a pod may
change is in podupdates.py.
"""

from __future__ import annotations

from kplan.api.validation import metadata
from kplan.api.validation.containers import image_padding
from kplan.api.validation.field import Errors
from kplan.api.validation.podannotations import annotations_and_fields, pod_annotations
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.podspec import pod_spec, pod_template
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]


def create_pod(pod: Value, errors: Errors, context: Context) -> None:
    """A new pod."""
    spec = pod.get("spec") or {}
    metadata_and_spec(pod, errors, context, PodOptions(context.minor, is_pod=True))
    if spec.get("ephemeralContainers"):
        errors.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    annotations_and_fields(errors, "spec", _annotations(pod), spec)


def metadata_and_spec(pod: Value, errors: Errors, context: Context, options: PodOptions) -> None:
    """What holds for a pod at any time."""
    spec = pod.get("spec") or {}
    metadata.create(pod, errors, context)
    pod_annotations(errors, "metadata.annotations", _annotations(pod), spec, options)
    pod_spec(errors, "spec", spec, options, pod.get("metadata") or {})
    if not spec.get("serviceAccountName"):
        _tokens(errors, spec)
    for role in ("containers", "initContainers"):
        for i, container in enumerate(spec.get(role) or ()):
            image_padding(errors, f"spec.{role}[{i}]", container)


def _annotations(obj: Value) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("annotations") or {}


def _tokens(errors: Errors, spec: Value) -> None:
    """A token is that of a service account."""
    for i, volume in enumerate(spec.get("volumes") or ()):
        for j, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                path = f"spec.volumes[{i}].projected.sources[{j}].serviceAccountToken"
                errors.forbidden(path, "must not be specified when serviceAccountName is not set")


def update_pod(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed pod."""
    from kplan.api.validation.podupdates import annotation_updates, spec_update

    options = PodOptions(context.minor, is_pod=True, old=old.get("spec") or {}, old_annotations=_annotations(old))
    metadata.update(new, old, errors)
    metadata_and_spec(new, errors, context, options)
    annotation_updates(errors, "metadata.annotations", _annotations(new), _annotations(old))
    pod_annotations(errors, "metadata.annotations", _annotations(new), new.get("spec") or {}, options)
    spec_update(errors, new.get("spec") or {}, old.get("spec") or {}, options)


def create_pod_template(obj: Value, errors: Errors, context: Context) -> None:
    """A new PodTemplate."""
    metadata.create(obj, errors, context)
    pod_template(errors, "template", obj.get("template") or {}, PodOptions(context.minor))


def update_pod_template(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed PodTemplate."""
    metadata.update(new, old, errors)
    options = template_options(old.get("template") or {}, context.minor)
    pod_template(errors, "template", new.get("template") or {}, options)


def template_options(old: Value, minor: int) -> PodOptions:
    """The options for the update of a pod template that is stored as `old`."""
    return PodOptions(minor, old=old.get("spec") or {}, old_annotations=_annotations(old))


def create_binding(obj: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001 - a validator's signature
    """A Binding: where a pod is to run."""
    target: Value = obj.get("target") or {}
    if target.get("kind") not in (None, "", "Node"):
        errors.not_supported("target.kind", target["kind"], ("Node", "<empty>"), keep_order=True)
    if not target.get("name"):
        errors.required("target.name")


CREATE = {("", "Pod"): create_pod, ("", "PodTemplate"): create_pod_template, ("", "Binding"): create_binding}
UPDATE = {("", "Pod"): update_pod, ("", "PodTemplate"): update_pod_template}
