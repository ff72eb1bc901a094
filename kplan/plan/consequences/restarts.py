"""Which pods restart, start or stop because of an action, and in which steps."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Action
from kplan.plan.cast import Act
from kplan.plan.consequences.scene import Course, Moment, Scene
from kplan.plan.rollout import BECAUSE, ROLLOUT
from kplan.plan.sides import counted, is_workload
from kplan.plan.values import get

if TYPE_CHECKING:
    from kplan.plan.rehearsal import Run

Value = dict[str, Any]

_MOST_STEPS = 6
_PARTITION = ("spec", "updateStrategy", "rollingUpdate", "partition")


def rollout(scene: Scene, action: Action) -> str:
    """The sentence on the rollout of a changed template, with the numbers of the rehearsal where there are any."""
    act = scene.act(action)
    course = scene.course(act.key) if act is not None else None
    if course is None or act is None or not action.rollout.startswith(ROLLOUT) or not course.old:
        return action.rollout
    why = action.rollout.partition(BECAUSE)[2]
    if action.verb == "replace":
        return f"{ROLLOUT}{_stop_and_start(course)}{BECAUSE}{why}"
    if not course.moments:
        return action.rollout
    total = len(course.old)
    asked = course.asked[1] if act.ref.kind != "DaemonSet" else total
    restarting = _restarting(act.new or {}, min(total, asked))
    verb = f"restart{'s' * (restarting == 1)}"
    if course.gone < restarting:
        verb = f"{'is' if restarting == 1 else 'are'} to restart"
    number = counted(restarting, "pod")
    if restarting != min(total, asked):
        number = f"{restarting} of {counted(total, 'pod')}"
        verb += f" (partition {get(act.new, _PARTITION)})"
    parts = [f"{ROLLOUT}{number} {verb}{_scaled(asked - total)}{BECAUSE}{why}"]
    if get(act.new, ("spec", "strategy", "type")) == "Recreate":
        parts.append("all stop before the first new one starts (Recreate)")
    elif course.gone and course.gone >= restarting:
        parts += [_bounds(course, act), _steps(course)]
    return "; ".join(parts)


def _restarting(new: Value, total: int) -> int:
    """A partition keeps the pods with lower ordinals as they are."""
    partition = get(new, _PARTITION)
    return max(0, total - partition) if isinstance(partition, int) and new.get("kind") == "StatefulSet" else total


def _scaled(more: int) -> str:
    if not more:
        return ""
    return f" and {more} more start{'s' * (more == 1)}" if more > 0 else f" and {-more} stop{'s' * (more == -1)}"


def _stop_and_start(course: Course) -> str:
    old, come = len(course.old), course.come
    return f"{counted(old, 'pod')} stop{'s' * (old == 1)}, then {come} start{'s' * (come == 1)}"


def _bounds(course: Course, act: Act) -> str:
    """How many pods there are beyond what is wanted, and how many of these are missing, at worst."""
    moments = [m or Moment() for m in course.moments[1:]]
    if course.key.kind == "DaemonSet":  # its counts are of nodes: one with two pods is one
        extra = get(act.new, ("spec", "updateStrategy", "rollingUpdate", "maxSurge"))
        extra = extra if isinstance(extra, int | str) and extra not in ("0", "0%") else 0
        least = (course.moments[0] or Moment()).available
    else:
        extra = max(0, max(m.pods for m in moments) - max(course.asked))
        least = min(course.asked)
    missing = max(0, max(least - m.available for m in moments))
    return f"{_at_most(extra, 'extra', 'no')}, {_at_most(missing, 'unavailable', 'none')}"


def _steps(course: Course) -> str:
    """How many steps there are, and if they are few, the new and old pods at each."""
    steps = course.steps
    if not 1 < len(steps) <= _MOST_STEPS:
        return counted(len(steps), "step")
    shown = ", ".join(f"{m.updated}+{m.pods - m.updated}" for m in steps)
    return f"{counted(len(steps), 'step')} ({shown} new + old pods)"


def _at_most(n: int | str, what: str, none: str) -> str:
    return f"at most {n} {what}" if n else f"{none} {what}"


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """What starts or stops without a rollout: workloads that come, go, are replaced or scaled."""
    act = scene.act(action)
    if act is None or not is_workload(action.ref) or act.ref.kind in ("CronJob", "Pod"):
        return
    course = scene.course(act.key)
    if course is None or scene.run is None or act.key in scene.run.refused:
        return
    if act.ref.kind == "Job":
        yield from _of_job(scene.run, act)
        return
    old, come = len(course.old), course.come
    match action.verb:
        case "create" if come:
            yield f"{counted(come, 'pod')} start{'s' * (come == 1)}"
        case "delete" if old:
            yield f"{counted(old, 'pod')} stop{'s' * (old == 1)}"
        case "replace" if old and act.key not in scene.run.held and not action.rollout.startswith(ROLLOUT):
            yield _stop_and_start(course)
        case "update" if not action.rollout and come + course.gone:
            yield _scaling(course)


def _of_job(run: Run, act: Act) -> Iterator[str]:
    """How many pods a new Job runs until it is done; those that have ended count."""
    job = run.after.get(act.key)
    if job is not None and act.verb in ("create", "replace"):
        made = [v for v in run.after.dependents(str(job["metadata"].get("uid") or "-")) if v["kind"] == "Pod"]
        if made:
            yield f"{counted(len(made), 'pod')} run{'s' * (len(made) == 1)}"


def _scaling(course: Course) -> str:
    gone, come = course.gone, course.come
    if come and gone:
        return f"{counted(gone, 'pod')} stop{'s' * (gone == 1)}, {come} start{'s' * (come == 1)}"
    if come:
        return f"{come} more pod{'s' * (come > 1)} start{'s' * (come == 1)}"
    return f"{counted(gone, 'pod')} stop{'s' * (gone == 1)}"
