"""Annotations of pods that the server reads: what came before a field, and must agree with it.

Follows pkg/apis/core/validation/validation.go (ValidatePodSpecificAnnotations and the checks that seccomp and AppArmor
annotations match their fields).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kplan.api.validation import names
from kplan.api.validation.field import Errors, go_quote
from kplan.api.validation.paths import local_descending
from kplan.api.validation.podoptions import PodOptions, all_containers
from kplan.hints import Any

Value = dict[str, Any]

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"

_RUNTIME = ("runtime/default", "docker/default")


def pod_annotations(
    errors: Errors, field: str, annotations: Mapping[str, str], spec: Value, options: PodOptions
) -> None:
    """ValidatePodSpecificAnnotations."""
    if not annotations:
        return
    if MIRROR in annotations and not spec.get("nodeName"):
        sentence = "must set spec.nodeName if mirror pod annotation is set"
        errors.invalid(f"{field}[{MIRROR}]", annotations[MIRROR], sentence)
    if annotations.get(TOLERATIONS):
        _tolerations(errors, field, annotations[TOLERATIONS], options)
    cost, old_cost = annotations.get(DELETION_COST, "0"), options.old_annotations.get(DELETION_COST, "0")
    if not _is_cost(cost) and _is_cost(old_cost):
        errors.invalid(f"{field}[{DELETION_COST}]", cost, "must be a 32bit integer")
    for key in sorted(annotations):
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            _seccomp(errors, f"{field}.{key}", annotations[key])
    containers = {c.get("name") or "" for c, _ in all_containers(spec)}
    for key in sorted(annotations):
        if key.startswith(APP_ARMOR):
            _app_armor(errors, f"{field}[{key}]", key.removeprefix(APP_ARMOR), annotations[key], containers)


def _is_cost(text: str) -> bool:
    canonical = text == "0" or text[:1] in set("-123456789")
    return canonical and not names.int64_fault(text) and -(2**31) <= int(text) < 2**31


def _tolerations(errors: Errors, field: str, text: str, options: PodOptions) -> None:
    import json  # slow to load

    from kplan.api.validation.affinity import tolerations

    try:
        found = json.loads(text)
        if not isinstance(found, list) or not all(isinstance(t, dict) for t in found):
            raise ValueError("json: cannot unmarshal into Go value of type []v1.Toleration")
    except (ValueError, RecursionError) as fault:
        errors.invalid(field, TOLERATIONS, str(fault))
        return
    tolerations(errors, f"{field}.{TOLERATIONS}", found, options)


def _seccomp(errors: Errors, field: str, profile: str) -> None:
    if profile.startswith("localhost/"):
        local_descending(errors, field, profile.removeprefix("localhost/"))
    elif profile not in {*_RUNTIME, "unconfined"}:
        errors.invalid(field, profile, "must be a valid seccomp profile")


def _app_armor(errors: Errors, field: str, container: str, profile: str, containers: Collection[str]) -> None:
    if container not in containers:
        errors.invalid(field, container, "container not found")
    if profile not in {"", "runtime/default", "unconfined"} and not profile.startswith("localhost/"):
        errors.invalid(field, profile, f"invalid AppArmor profile name: {go_quote(profile)}")


def annotations_and_fields(errors: Errors, path: str, annotations: Mapping[str, str], spec: Value) -> None:
    """On creation, the old annotations must say the same as the fields that took their place."""
    if not any(k == SECCOMP_POD or k.startswith((SECCOMP_CONTAINER, APP_ARMOR)) for k in annotations):
        return
    of_pod = spec.get("securityContext") or {}
    _agree(errors, f"{path}.securityContext.seccompProfile", annotations.get(SECCOMP_POD), of_pod.get("seccompProfile"))
    for container, where in all_containers(spec, path):
        own = (container.get("securityContext") or {}).get("seccompProfile")
        annotation = annotations.get(f"{SECCOMP_CONTAINER}{container.get('name')}")
        _agree(errors, f"{where}.securityContext.seccompProfile", annotation, own)
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for container, where in all_containers(spec, path):
        own = (container.get("securityContext") or {}).get("appArmorProfile") or of_pod.get("appArmorProfile")
        annotation = annotations.get(f"{APP_ARMOR}{container.get('name')}")
        _agree(errors, f"{where}.securityContext.appArmorProfile", annotation, own, "apparmor", _RUNTIME[:1])


def _agree(
    errors: Errors,
    field: str,
    annotation: str | None,
    profile: Value | None,
    what: str = "seccomp",
    runtime: tuple[str, ...] = _RUNTIME,
) -> None:
    if annotation is None or profile is None:
        return
    kind = profile.get("type")
    same = {
        "Unconfined": annotation == "unconfined",
        "RuntimeDefault": annotation in runtime,
        "Localhost": annotation.startswith("localhost/"),
    }
    if not same.get(str(kind), True):
        errors.forbidden(f"{field}.type", f"{what} type in annotation and field must match")
    elif kind == "Localhost" and annotation.removeprefix("localhost/") != profile.get("localhostProfile"):
        errors.forbidden(f"{field}.localhostProfile", f"{what} profile in annotation and field must match")
