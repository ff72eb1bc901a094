"""Pods that are there already when Pod Security would judge them anew: as their namespace or they themselves change.

Follows k8s.io/pod-security-admission/admission (admission.go): a stricter level in force never harms pods that run; who
sets it is told which of them are against it. Of the pods of one controller the first ones are named before the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kplan.hints import Any

Value = dict[str, Any]

MOST = 3000  # pods that the server looks at
_PROFILES = ("seccomp.security.alpha.kubernetes.io/", "container.apparmor.security.beta.kubernetes.io/")


def is_significant(pod: Value, old: Value) -> bool:
    """Whether an update of a pod changes what the standards ask about: images, or profiles written as annotations."""
    return _images(pod) != _images(old) or _profiles(pod) != _profiles(old)


def _images(pod: Value) -> list[list[Any]]:
    spec = pod.get("spec") or {}
    roles = ("containers", "initContainers", "ephemeralContainers")
    return [[c.get("image") for c in spec.get(role) or ()] for role in roles]


def _profiles(pod: Value) -> Value:
    found = (pod.get("metadata") or {}).get("annotations") or {}
    return {k: v for k, v in found.items() if k.startswith(_PROFILES)}


def warnings(namespace: str, level: str, pods: Iterable[Value], reasons: Callable[[Value], list[str]]) -> list[str]:
    """What the server says of the pods of a namespace that is to enforce `level`; `reasons` has what is against it."""
    listed = _prioritised(pods)
    against: dict[str, list[str]] = {}
    for pod in listed[:MOST]:
        found = reasons(pod)
        if found:
            against.setdefault(", ".join(found), []).append(pod["metadata"]["name"])
    if not against:
        return []
    out = [f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"']
    if len(listed) > MOST:
        out.append(
            f"new PodSecurity enforce level only checked against the first {MOST} of {len(listed)} existing pods"
        )
    return out + sorted(f"{_named(names)}: {why}" for why, names in against.items())


def _prioritised(pods: Iterable[Value]) -> list[Value]:
    """Pods without a controller and one of each controller come first."""
    first: list[Value] = []
    rest: list[Value] = []
    seen = set()
    for pod in pods:
        owners = pod["metadata"].get("ownerReferences") or ()
        owner = next((o.get("uid") for o in owners if o.get("controller")), None)
        (rest if owner in seen else first).append(pod)
        if owner is not None:
            seen.add(owner)
    return first + rest


def _named(names: list[str]) -> str:
    others = len(names) - 1
    return f"{names[0]} (and {others} other pod{'s' if others > 1 else ''})" if others else names[0]
