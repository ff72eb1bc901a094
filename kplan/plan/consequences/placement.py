"""Where new pods go, and whom they drive out; nothing is said unless the nodes are known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kplan.model import Action
from kplan.plan.consequences.scene import Course, Scene
from kplan.plan.sides import counted, is_workload
from kplan.plan.values import submap
from kplan.store import ref_of

_MOST = 4
_BY = re.compile(r"<uid Pod/([^>]+(?:<\d+>)?)>")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """The nodes of a workload's new pods, and pods of others that are evicted for them."""
    act, run = scene.act(action), scene.run
    if act is None or run is None or not run.nodes or not is_workload(action.ref) or action.verb == "delete":
        return
    course = scene.course(act.key)
    if course is None or not course.come:
        return
    yield from _where(scene, course)
    mine = {ref_of(p).name for p in course.new}
    for e in run.events:
        if e.reason == "Preempted" and any(name in e.message for name in mine):
            yield f"{e.object.replace('/', ' ')} is evicted to make room"


def _where(scene: Scene, course: Course) -> Iterator[str]:
    assert scene.run is not None
    old = {p["metadata"].get("uid") for p in course.old}
    fresh = [p for p in course.new if p["metadata"].get("uid") not in old]
    nodes = Counter(str(node) for p in fresh if (node := submap(p, "spec").get("nodeName")))
    if not nodes:
        return
    names = {f"Pod/{ref_of(p).name}" for p in fresh}
    sure = all(e.certain for e in scene.run.events if e.reason == "Scheduled" and e.object in names)
    shown = [f"{name} ({n})" if n > 1 else name for name, n in sorted(nodes.items())]
    more = f" and {counted(len(shown) - _MOST, 'more node')}" if len(shown) > _MOST else ""
    where = ", ".join(shown[:_MOST]) + more
    total = sum(nodes.values())
    yield (
        f"{counted(total, 'new pod')} {'go' if total > 1 else 'goes'} to {where}"
        if sure
        else f"{counted(total, 'new pod')} {'find' if total > 1 else 'finds'} room, for example on {where}"
    )
