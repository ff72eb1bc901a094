"""Where new pods go, and whom they drive out; nothing is said unless the nodes are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Action
from kplan.plan.consequences.scene import Course, Scene
from kplan.plan.sides import counted, is_workload
from kplan.plan.values import submap
from kplan.store import ref_of

if TYPE_CHECKING:
    from kplan.plan.rehearsal import Run

Value = dict[str, Any]

_MOST = 4


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
    run = scene.run
    assert run is not None
    old = {p["metadata"].get("uid") for p in course.old}
    fresh = [p for p in course.new if p["metadata"].get("uid") not in old]
    nodes = Counter(str(node) for p in fresh if (node := submap(p, "spec").get("nodeName")))
    if not nodes:
        return
    shown = [f"{name} ({n})" if n > 1 else name for name, n in sorted(nodes.items())]
    more = f" and {counted(len(shown) - _MOST, 'more node')}" if len(shown) > _MOST else ""
    where = ", ".join(shown[:_MOST]) + more
    total = sum(nodes.values())
    if _is_sure(scene, run, course, fresh):
        yield f"{counted(total, 'new pod')} {'go' if total > 1 else 'goes'} to {where}"
    else:
        yield f"{counted(total, 'new pod')} {'find' if total > 1 else 'finds'} room, for example on {where}"


def _is_sure(scene: Scene, run: Run, course: Course, fresh: list[Value]) -> bool:
    """Whether the nodes follow from the input: no tie was broken, and no other workload asks for room as well.

    A DaemonSet has its pods where it has them.
    """
    if course.key.kind == "DaemonSet":
        return True
    names = {f"Pod/{ref_of(p).name}" for p in fresh}
    acting = [a for a in scene.acts.values() if is_workload(a.ref) and a.verb != "delete"]
    return len(acting) == 1 and all(e.certain for e in run.events if e.reason == "Scheduled" and e.object in names)
