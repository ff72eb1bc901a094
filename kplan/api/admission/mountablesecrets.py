"""Pods whose service account limits which secrets they may use.

Follows the page "Configure Service Accounts for Pods" on kubernetes.io/enforce-mountable-secrets and
plugin/pkg/admission/serviceaccount/admission.go (limitSecretReferences). The first secret that is not allowed answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.workloads import get

Value = dict[str, Any]

ANNOTATION = "kubernetes.io/enforce-mountable-secrets"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")


def fault(pod: Value, account: Value) -> str:
    """What a pod uses although its account does not allow it; "" if there is no such thing."""
    if (account["metadata"].get("annotations") or {}).get(ANNOTATION) not in _TRUE:
        return ""
    spec, name = pod["spec"], account["metadata"]["name"]
    allowed = {s.get("name") for s in account.get("secrets") or ()}
    for secret, where in _used(spec):
        if secret not in allowed:
            return f"{where} is not allowed because service account {name} does not reference that secret"
    pulled = {s.get("name") for s in account.get("imagePullSecrets") or ()}
    for i, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if secret.get("name") not in pulled:
            where = f'imagePullSecrets[{i}].name="{secret.get("name", "")}"'
            return f"{where} is not allowed because service account {name} does not reference that imagePullSecret"
    return ""


def _used(spec: Value) -> Iterator[tuple[str, str]]:
    """The secrets that a pod uses, with where it does."""
    for volume in spec.get("volumes") or ():
        if volume.get("secret") is not None:
            name = volume["secret"].get("secretName", "")
            yield name, f'volume with secret.secretName="{name}"'
    for role, word in (("initContainers", "init container"), ("containers", "container")):
        for container in spec.get(role) or ():
            who = f"{word} {container.get('name', '')}"
            for env in container.get("env") or ():
                secret = get(env, "valueFrom", "secretKeyRef")
                if secret is not None:
                    name = secret.get("name", "")
                    yield name, f'{who} with envVar {env.get("name", "")} referencing secret.secretName="{name}"'
            for source in container.get("envFrom") or ():
                if source.get("secretRef") is not None:
                    name = source["secretRef"].get("name", "")
                    yield name, f'{who} with envFrom referencing secret.secretName="{name}"'
