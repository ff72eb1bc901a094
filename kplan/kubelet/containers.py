"""Containers that cannot be made, because a variable has no source or the user is not allowed.

Follows pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables) and kuberuntime/security_context.go (verifyRunAsNonRoot):
the first thing that is wrong is reported, bulk sources first.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.control import Control
from kplan.kubelet.sources import CONFIG_MAP, SECRET, Problem, find

Value = dict[str, Any]

_KEY_REFS = (("configMapKeyRef", CONFIG_MAP), ("secretKeyRef", SECRET))
_BULK_REFS = (("configMapRef", CONFIG_MAP), ("secretRef", SECRET))


def problem(container: Value, pod: Value, control: Control) -> Problem | None:
    """Why a container cannot be made, None if it can: the message of CreateContainerConfigError."""
    for source in container.get("envFrom") or ():
        wrong = _bulk_problem(source, pod, control)
        if wrong is not None:
            return wrong
    for variable in container.get("env") or ():
        wrong = _variable_problem(variable.get("valueFrom") or {}, pod, control)
        if wrong is not None:
            return wrong
    return _user_problem(container, pod)


def _bulk_problem(source: Value, pod: Value, control: Control) -> Problem | None:
    for field, kind in _BULK_REFS:
        ref = source.get(field)
        if ref is not None and not ref.get("optional"):
            found = find(kind, ref.get("name") or "", pod, control)
            if found.keys is None:
                return found.missing
    return None


def _variable_problem(value_from: Value, pod: Value, control: Control) -> Problem | None:
    for field, kind in _KEY_REFS:
        ref = value_from.get(field)
        if ref is None or ref.get("optional"):
            continue
        found = find(kind, ref.get("name") or "", pod, control)
        if found.keys is None:
            return found.missing
        if ref["key"] not in found.keys:
            where = f"{kind} {found.key.namespace}/{found.key.name}"
            return Problem(f"couldn't find key {ref['key']} in {where}", (found.key,))
    return None


def _user_problem(container: Value, pod: Value) -> Problem | None:
    """A container that must not run as root, and is told to; the user of an image is not known."""
    own, shared = container.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    forbidden = own.get("runAsNonRoot", shared.get("runAsNonRoot"))
    user = own.get("runAsUser", shared.get("runAsUser"))
    if not forbidden or user != 0:
        return None
    meta = pod["metadata"]
    which = f"{meta['name']}_{meta.get('namespace') or 'default'}({meta.get('uid', '')})"
    return Problem(f'container\'s runAsUser breaks non-root policy (pod: "{which}", container: {container["name"]})')


def pull_secrets(pod: Value, control: Control) -> Problem | None:
    """Pull secrets that are not there: that is told, and the image pulled without them."""
    names = [ref.get("name") or "" for ref in pod["spec"].get("imagePullSecrets") or ()]
    missing = [name for name in names if name and find(SECRET, name, pod, control).keys is None]
    if not missing:
        return None
    what = f"Unable to retrieve some image pull secrets ({', '.join(missing)})"
    return Problem(f"{what}; attempting to pull the image may not succeed.")
