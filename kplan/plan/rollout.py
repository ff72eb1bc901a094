"""What a change of a pod template does to running pods, as far as the object itself tells."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Change
from kplan.patterns import lazy
from kplan.plan.patterns import Names
from kplan.plan.values import get
from kplan.plan.written import leaves
from kplan.workloads import CONTAINER_LISTS, POD_PATHS

Value = dict[str, Any]

_SHOWN = 4
ROLLOUT = "rollout: "
IN_PLACE = "the container restarts in place"
BECAUSE = " because "
# Annotations that charts put into a template so that changed configuration restarts its pods.
_CHECKSUM = lazy(r"(?i)(?:.*[./_-])?(?:checksum|sha256|md5|hash|config-?hash)(?:[./_-].*)?\Z")
_SOURCES = {
    "configMap": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "secret": "Secret",
    "secretRef": "Secret",
    "secretKeyRef": "Secret",
}


def rollout(kind: str, change: Change, after: Value) -> str:
    """One sentence on what happens to the pods, and because of what; "" if the pod template stays."""
    path = POD_PATHS.get(kind)
    if path is None:
        return ""
    depth = len(path)
    found = [(names[depth:], leaf) for names, leaf in leaves(change) if names[:depth] == path]
    if kind == "Pod":  # of all that may be updated, only an image makes the kubelet act
        found = [(names, leaf) for names, leaf in found if names[-1] == "image"]
    parts = list(dict.fromkeys(_parts(found)))
    if "serviceAccountName" in parts and "serviceAccount" in parts:
        parts.remove("serviceAccount")  # the old name of the same field
    if not parts:
        return ""
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    only = " (order only)" if all(part.startswith("order of ") for part in parts) else ""
    effect = _effect(kind, after)
    because = BECAUSE if effect.startswith("rollout") else "; "
    return f"{effect}{because}{', '.join(parts[:_SHOWN])}{more} changed{only}"


def restarts_pods(sentence: str) -> bool:
    """Whether a sentence of `rollout` says that containers start anew."""
    return sentence.startswith((ROLLOUT, IN_PLACE))


def _effect(kind: str, after: Value) -> str:
    if kind == "Pod":
        return IN_PLACE
    if kind == "CronJob":
        return "the next run uses the new template"
    if kind in ("ReplicaSet", "ReplicationController", "PodTemplate"):
        return "running pods keep the old template"
    if kind == "Job":
        return "its pods are made anew"
    if get(after, ("spec", "updateStrategy", "type")) == "OnDelete":
        return "pods keep the old template until they are deleted (OnDelete)"
    if kind == "Deployment" and get(after, ("spec", "paused")) is True:
        return "pods stay as long as the Deployment is paused"
    if get(after, ("spec", "replicas")) == 0:
        return "no pods run (replicas 0)"
    if kind == "Deployment" and get(after, ("spec", "strategy", "type")) == "Recreate":
        return "rollout: all pods stop, then new ones start (Recreate)"
    return "rollout: pods restart"


def _parts(found: list[tuple[Names, Change]]) -> Iterator[str]:
    """What changed, in words: `image of web`, `env CACHE_URL of web`, `order of env of web`, `label tier`."""
    for names, leaf in found:
        if leaf.container in ("map", "list") and leaf.moved and leaf.children:
            continue  # its own changes speak for it
        yield _part(names, leaf)


def _part(names: Names, leaf: Change) -> str:
    if names[:1] == ("metadata",):
        if len(names) > 2:
            field = names[1].removesuffix("s")
            return f"{'checksum ' if field == 'annotation' and _CHECKSUM.match(names[2]) else ''}{field} {names[2]}"
        return names[-1]
    if names[:1] != ("spec",) or len(names) < 2:
        return "template"
    source = _source(names, leaf)
    if source:
        return source
    if names[1] in CONTAINER_LISTS and len(names) > 2:
        return _of_container(names, leaf)
    return f"order of {names[1]}" if leaf.op == "move" else names[1]


def _of_container(names: Names, leaf: Change) -> str:
    if len(names) == 3:
        return f"order of {names[1]}" if leaf.op == "move" else f"container {names[2]}"
    field = names[3]
    if leaf.op == "move":
        return f"order of {field} of {names[2]}"
    if field == "env" and len(names) > 4:
        field = f"env {names[4]}"
    return f"{field} of {names[2]}"


def _source(names: Names, leaf: Change) -> str:
    """`name of ConfigMap settings-7g4t7m57mg` where another object of configuration is read; "" for anything else."""
    if leaf.op != "update" or names[-1] not in ("name", "secretName") or not isinstance(leaf.before, str):
        return ""
    kind = _SOURCES.get(names[-2])
    return f"name of {kind} {leaf.before}" if kind else ""
