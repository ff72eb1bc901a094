"""What the registry of each kind does to a changed object before it is validated: what users cannot change is put back.

Follows PrepareForUpdate in pkg/registry/*/*/strategy.go, apiextensions-apiserver and kube-aggregator, and
k8s.io/apiserver/pkg/registry/rest/update.go (BeforeUpdate).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kplan.api import customresources, service_update, strategy
from kplan.api.defaults.cluster import NAME_LABEL
from kplan.api.gated import drop_disabled
from kplan.api.request import Request
from kplan.api.validation import metadata
from kplan.model import ABSENT
from kplan.schema import KindInfo

Value = dict[str, Any]

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
UNKNOWN_VERSION = "1"  # of an object that was not stored by a server
_PRIORITY_CLASS = "scheduling.k8s.io/PriorityClass"
# What counts for the generation of kinds where that is not the spec alone; a path of one or two steps.
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "apps/Deployment": ("spec", "metadata.annotations"),
    "/PodTemplate": ("template",),
    "discovery.k8s.io/EndpointSlice": ("addressType", "endpoints", "ports", "metadata.labels"),
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": ("webhooks",),
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration": ("webhooks",),
}


def prepare_for_update(new: Value, old: Value, info: KindInfo, request: Request) -> Value:
    """The object as it would be stored in place of `old`; `new` is changed in place, `old` is not."""
    key = f"{info.group}/{info.kind}"
    if info.custom:
        new = _custom_status(new, old, info, request)
    else:
        keep(new, old, "status")
        drop_disabled(info.node, new, request.minor)
        prepare = PREPARE.get(key)
        if prepare is not None:
            prepare(new, old, request)
    restore_metadata(new, old)
    _count(new, old, key, info, request)
    return new


def restore_metadata(new: Value, old: Value) -> None:
    """Put back what no user can change or remove, in place."""
    meta, before = new["metadata"], old["metadata"]
    meta.pop("selfLink", None)
    for name in ("generation", "creationTimestamp", "deletionTimestamp"):
        keep(meta, before, name)
    for name in ("uid", "deletionGracePeriodSeconds", "managedFields"):
        if name in before:
            meta.setdefault(name, before[name])
    if "resourceVersion" not in before or metadata.group_kind(new) not in metadata.VERSIONED_UPDATE:
        meta.setdefault("resourceVersion", before.get("resourceVersion", UNKNOWN_VERSION))


def keep(new: Value, old: Value, name: str) -> None:
    """Give a field the value that it has in `old`, in place."""
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)


def _custom_status(new: Value, old: Value, info: KindInfo, request: Request) -> Value:
    if not customresources.has_status(info, request.store):
        return new
    return {k: v for k, v in new.items() if k != "status"} | ({"status": old["status"]} if "status" in old else {})


def _count(new: Value, old: Value, key: str, info: KindInfo, request: Request) -> None:
    """The next generation, if what the kind counts has changed."""
    if info.custom:
        uncounted = {"metadata"} | ({"status"} if customresources.has_status(info, request.store) else set())
        changed = any(new.get(k) != old.get(k) for k in (new.keys() | old.keys()) - uncounted)
    elif key in strategy.GENERATION and key != _PRIORITY_CLASS:
        changed = any(_at(new, path) != _at(old, path) for path in _COUNTED.get(key, ("spec",)))
    else:
        return
    if changed:
        new["metadata"]["generation"] = int(old["metadata"].get("generation") or 0) + 1


def _at(obj: Value, path: str) -> Any:
    found: Any = obj
    for step in path.split("."):
        found = found.get(step, ABSENT) if isinstance(found, dict) else ABSENT
    return found


def _namespace(new: Value, old: Value, request: Request) -> None:
    keep(new["spec"], old.get("spec") or {}, "finalizers")
    meta = new["metadata"]
    meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: request.name}


def _daemon_set(new: Value, old: Value, request: Request) -> None:  # noqa: ARG001
    """The generation of the template is a field that users only see, as an annotation."""
    text = str((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "0"))
    generation = int(text) if text.isascii() and text.isdigit() else 0
    if new["spec"].get("template") != (old.get("spec") or {}).get("template"):
        generation += 1
    meta = new["metadata"]
    meta["annotations"] = {**(meta.get("annotations") or {}), _TEMPLATE_GENERATION: str(generation)}


def _certificate_signing_request(new: Value, old: Value, request: Request) -> None:  # noqa: ARG001
    keep(new, old, "spec")


def _custom_resource_definition(new: Value, old: Value, request: Request) -> None:  # noqa: ARG001
    stored = next((v["name"] for v in new["spec"].get("versions") or () if v.get("storage")), None)
    status = dict(old.get("status") or {})
    versions = status.get("storedVersions") or []
    if stored is not None and stored not in versions:
        new["status"] = {**status, "storedVersions": [*versions, stored]}


def _secret(new: Value, old: Value, request: Request) -> None:  # noqa: ARG001
    if not new.get("type"):
        keep(new, old, "type")


def _as_created(kind: str) -> Callable[[Value, Value, Request], None]:
    """The same as for a new object of this kind."""
    prepare = strategy.PREPARE[kind]
    return lambda new, _, request: prepare(new, request)


PREPARE: Mapping[str, Callable[[Value, Value, Request], None]] = {
    "/Service": service_update.prepare,
    "/Namespace": _namespace,
    "/Secret": _secret,
    "/ServiceAccount": _as_created("/ServiceAccount"),
    "/PersistentVolumeClaim": _as_created("/PersistentVolumeClaim"),
    "apps/DaemonSet": _daemon_set,
    "autoscaling/HorizontalPodAutoscaler": _as_created("autoscaling/HorizontalPodAutoscaler"),
    "discovery.k8s.io/EndpointSlice": _as_created("discovery.k8s.io/EndpointSlice"),
    "certificates.k8s.io/CertificateSigningRequest": _certificate_signing_request,
    "apiextensions.k8s.io/CustomResourceDefinition": _custom_resource_definition,
}
