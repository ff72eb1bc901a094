"""Which containers a kubelet starts again when they have ended: by their rules, their own policy or that of the pod.

Follows KEP-5307 (rules and policies of containers, on since 1.35) and KEP-5532 (a rule that restarts all containers, on
since 1.36): the first rule whose exit codes fit decides, then the policy of the container, then that of the pod. The
API server refuses what a release does not know. An init container that has ended well is done, and one with the policy
Always is a sidecar.
"""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

_ALL = "RestartAllContainers"


def again(pod: Value, code: int) -> frozenset[str]:
    """The names of the containers, init containers aside, that start again if all of them end with a code."""
    containers = pod["spec"]["containers"]
    everything = any(_action(c, code) == _ALL for c in containers)
    return frozenset(c["name"] for c in containers if everything or starts_again(c, pod, code))


def starts_again(container: Value, pod: Value, code: int) -> bool:
    """Whether a container that has ended with a code is started again."""
    if _action(container, code):
        return True
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy") or "Always"
    return bool(policy == "Always" or (policy == "OnFailure" and code))


def _action(container: Value, code: int) -> str:
    """What the first rule says that fits an exit code; "" if none does."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes")
        if codes and (code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return str(rule.get("action") or "")
    return ""
