"""What a Job's own rules say: which failures count, and when enough indexes have succeeded.

Follows pkg/controller/job/pod_failure_policy.go and success_policy.go: the first rule that matches decides.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from kplan.controllers import jobindexes

Value = dict[str, Any]


class Match(NamedTuple):
    """What the first matching rule does to a failed pod; `message` says why the Job is to fail."""

    action: str = ""
    counts: bool = True
    message: str = ""


def judge(pod: Value, job: Value) -> Match:
    """What the podFailurePolicy of a Job says of a failed pod; without a policy or a match it counts."""
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or ()
    for at, rule in enumerate(rules):
        reason = _reason(pod, rule)
        if reason:
            action = str(rule.get("action"))
            message = f"{reason} matching FailJob rule at index {at}" if action == "FailJob" else ""
            return Match(action, action != "Ignore", message)
    return Match()


def _reason(pod: Value, rule: Value) -> str:
    """What of a pod matches a rule, in words; "" if nothing does."""
    meta, status = pod["metadata"], pod.get("status") or {}
    if rule.get("onExitCodes") is not None:
        for state in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
            code = ((state.get("state") or {}).get("terminated") or {}).get("exitCode") or 0
            if code and _fits(str(state.get("name")), code, rule["onExitCodes"]):
                name = f"{meta['namespace']}/{meta['name']}"
                return f"Container {state['name']} for pod {name} failed with exit code {code}"
        return ""
    wanted = {(c.get("type"), c.get("status", "True")) for c in rule.get("onPodConditions") or ()}
    for condition in status.get("conditions") or ():
        if (condition.get("type"), condition.get("status")) in wanted:
            return f"Pod {meta['namespace']}/{meta['name']} has condition {condition['type']}"
    return ""


def _fits(container: str, code: int, wanted: Value) -> bool:
    if wanted.get("containerName") not in (None, container):
        return False
    return bool((code in (wanted.get("values") or ())) == (wanted.get("operator") == "In"))


def enough(job: Value, succeeded: Collection[int]) -> str:
    """The message of the successPolicy rule that the succeeded indexes fulfil; "" if none does."""
    rules = (job["spec"].get("successPolicy") or {}).get("rules") or ()
    for at, rule in enumerate(rules):
        if _fulfilled(rule, succeeded, int(job["spec"].get("completions") or 0)):
            return f"Matched rules at index {at}"
    return ""


def _fulfilled(rule: Value, succeeded: Collection[int], completions: int) -> bool:
    matching = set(succeeded)
    needed = len(matching)
    if rule.get("succeededIndexes") is not None:
        wanted = jobindexes.parse(rule["succeededIndexes"], completions)
        matching &= wanted
        needed = len(wanted)
    if rule.get("succeededCount") is not None:
        needed = int(rule["succeededCount"])
    return bool(succeeded) and len(matching) >= needed
