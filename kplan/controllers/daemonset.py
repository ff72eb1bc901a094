"""DaemonSet: one pod on every node that fits.

Follows pkg/controller/daemon/daemon_controller.go: each sync first makes and removes pods by node, and goes on with a
rolling update only when there was nothing to make or remove.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers import pods
from kplan.controllers.claims import claim
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.daemonsethistory import History, history_of, truncate
from kplan.controllers.daemonsetpods import Daemons, by_node, fits_of, sync_nodes
from kplan.controllers.daemonsetupdate import surges, update
from kplan.controllers.manager import Controller, itself
from kplan.controllers.podroutes import of_controlled, selects
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 1.0, 900.0  # seconds between two deletions of failed pods on one node


def reconcile(key: Key, control: Control) -> None:
    """One sync of one DaemonSet."""
    owner = control.get(key)
    if owner is None:
        control.memory.pop(("daemonset.fits", key), None)
        control.memory.pop(("daemonset.failed", key), None)
        return
    selector = owner["spec"].get("selector") or {}
    if owner["metadata"].get("deletionTimestamp") or not any(selector.values()):
        return
    try:
        history = history_of(owner, control)
    except Refused:
        history = None
    if history is None:
        control.retry()
        return
    sync = _looked_at(owner, history, control)
    before = control.store.revision
    if not _manage(sync):
        control.retry()
    if control.store.revision != before:
        sync = _looked_at(owner, history, control)
    control.status(owner, _status(sync))
    wait = pods.until_available([p for some in sync.own.values() for p in some], sync.min_ready, control.clock.now)
    if wait is not None:
        control.wake(wait)


def _looked_at(owner: Value, history: History, control: Control) -> Daemons:
    own = claim(owner, "Pod", control, lambda p: selects(owner, p))
    return Daemons(owner, history, fits_of(owner, control), by_node(own), control)


def _manage(sync: Daemons) -> bool:
    """Bring the pods one step nearer to what they are to be; whether all of it worked."""
    owner, surging = sync.owner, surges(sync.owner)
    surplus: list[Value] = []
    lacking: list[str] = []
    for node, fit in sync.fits.items():
        some = sync.own.get(node)
        if some is None:
            if fit.runs:
                lacking.append(node)
        elif not fit.stays:
            surplus += [p for p in some if not pods.is_terminating(p)]
        else:
            running = _running(sync, node, some, surplus)
            if surging:
                surplus += _beyond_surge(sync, running)
                if not running and fit.runs:
                    lacking.append(node)
            else:
                surplus += running[1:]
    # of nodes that are gone: what never got there is seen by nobody else
    for node, some in sync.own.items():
        if node not in sync.fits:
            surplus += [p for p in some if not p["spec"].get("nodeName") and not pods.is_terminating(p)]
    if surplus or lacking:
        good = sync_nodes(sync, surplus, lacking)
    else:
        good = (owner["spec"].get("updateStrategy") or {}).get("type") == "OnDelete" or update(sync)
    if good:
        truncate(owner, sync.control.owned(owner, "Pod"), sync.history, sync.control)
    return good


def _running(sync: Daemons, node: str, some: list[Value], surplus: list[Value]) -> list[Value]:
    """The pods on a node that have not ended, the oldest first; those that have are added to the surplus."""
    running = []
    for pod in some:
        if pods.is_terminating(pod):
            continue
        meta = pod["metadata"]
        what = f"daemon pod {meta['namespace']}/{meta['name']} on node {node}, will try to"
        if pods.phase(pod) == "Failed":
            if _may_delete(sync, node):
                sync.control.event(sync.owner, WARNING, "FailedDaemonPod", f"Found failed {what} kill it")
                surplus.append(pod)
        elif pods.phase(pod) == "Succeeded":
            sync.control.event(sync.owner, NORMAL, "SucceededDaemonPod", f"Found succeeded {what} delete it")
            surplus.append(pod)
        else:
            running.append(pod)
    return sync.oldest_first(running)


def _may_delete(sync: Daemons, node: str) -> bool:
    """Whether a failed pod may go at once; pods that keep failing on one node are deleted at growing intervals.

    After twice the longest interval without a failure it starts anew (client-go, util/flowcontrol/backoff.go).
    """
    control = sync.control
    now = control.clock.now
    waits: dict[str, tuple[float, float]] = control.memory.setdefault(("daemonset.failed", control.current[1]), {})
    since, wait = waits.get(node, (float("-inf"), 0.0))
    if now - since < wait:
        control.wake(wait)
        return False
    fresh = now - since > 2 * _LONGEST_BACK_OFF
    waits[node] = (now, _FIRST_BACK_OFF if fresh else min(2 * wait, _LONGEST_BACK_OFF))
    return True


def _beyond_surge(sync: Daemons, running: list[Value]) -> list[Value]:
    """With surge two pods may be on a node: an old one that is ready and a new one that is not available yet."""
    new = [p for p in running if sync.has_code(p)]
    old = [p for p in running if not sync.has_code(p)]
    if len(running) <= 1:
        return []
    beyond = [*new[1:], *old[1:]]
    if new and old and (not pods.is_ready(old[0]) or sync.is_available(new[0])):
        beyond.append(old[0])
    return beyond


def _status(sync: Daemons) -> Value:
    """The status: on each node the oldest pod counts, also while it is being deleted."""
    wanted = [node for node, fit in sync.fits.items() if fit.runs]
    placed = [sync.oldest_first(sync.own[node])[0] for node in wanted if node in sync.own]
    available = sum(map(sync.is_available, placed))
    old = sync.owner.get("status") or {}
    status: Value = {
        "currentNumberScheduled": len(placed),
        "numberMisscheduled": sum(node in sync.own for node, fit in sync.fits.items() if not fit.runs),
        "desiredNumberScheduled": len(wanted),
        "numberReady": sum(map(pods.is_ready, placed)),
        "observedGeneration": sync.owner["metadata"].get("generation", 1),
    }
    counts = {
        "updatedNumberScheduled": sum(map(sync.is_updated, placed)),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
    kept = {k: old[k] for k in ("collisionCount", "conditions") if k in old}
    return {**status, **{k: n for k, n in counts.items() if n}, **kept}


def _of_node(write: Write, control: Control) -> list[Key]:
    """A node that is new or has other labels or taints; one that goes is noticed when its pods go."""
    old, new = write.old, write.new
    if new is None or (old is not None and _marks(old) == _marks(new)):
        return []
    return [ref_of(d).key for d in control.store.all("DaemonSet")]


def _marks(node: Value) -> tuple[Any, ...]:
    spec = node.get("spec") or {}
    conditions = (node.get("status") or {}).get("conditions") or ()
    states = [(c.get("type"), c.get("status")) for c in conditions]
    return node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable"), states


CONTROLLER = Controller(
    "daemonset",
    {
        "DaemonSet": itself,
        "ControllerRevision": of_controlled("apps", "DaemonSet"),
        "Pod": of_controlled("apps", "DaemonSet"),
        "Node": _of_node,
    },
    reconcile,
)
