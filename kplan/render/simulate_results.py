"""What became of a cluster, for people: workloads, what is not ready and why, events and steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kplan.render import admission
from kplan.render.admission import Answered
from kplan.render.rows import aligned
from kplan.render.sanitise import one_line
from kplan.render.summary import many
from kplan.results import Reason, Results, Step, Told, Unready, Workload

_SHOWN = 3  # objects named before a sentence that they share


def refused(answers: Iterable[Answered]) -> str:
    """What the API server did not take, in its words."""
    lines = admission.text(answers).splitlines()
    return "\n".join(["Refused by the API server:", *(f"  {line}" for line in lines)]) if lines else ""


def workloads(rows: Sequence[Workload]) -> str:
    """How many pods of each workload are ready, pods of their own left out: they have a row as pods."""
    shown = [w for w in rows if w.kind != "Pod"]
    table = [("WORKLOAD", "READY", "STATE")]
    table += [(_title(w), f"{w.ready}/{w.wanted}", w.state or ("" if w.is_ready else "not ready")) for w in shown]
    return aligned(table) if shown else ""


def _title(w: Workload | Unready) -> str:
    return f"{w.kind} {w.namespace}/{w.name}"


def unready(found: Sequence[Unready]) -> str:
    """What is not ready in the end, each with its reasons."""
    lines = []
    for u in found:
        count = f": {u.ready} of {u.wanted}" if u.kind not in ("Pod", "PersistentVolumeClaim") else ""
        lines.append(f"  {one_line(_title(u))}{count}")
        lines += [f"    {one_line(line)}" for r in u.reasons for line in _reason(r, u)]
    return "\n".join(["Never became ready:", *lines]) if lines else ""


def _reason(r: Reason, u: Unready) -> list[str]:
    own = r.objects == (f"{u.kind}/{u.name}",)
    return [f"{r.reason}: {r.message}" if r.message else r.reason, *([] if own else [f"  {_named(r.objects)}"])]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def warnings(told: Iterable[Told]) -> str:
    """The events that warn, those of one reason and message together."""
    alike: dict[tuple[str, str], dict[str, int]] = {}
    for e in told:
        objects = alike.setdefault((e.reason, e.message), {})
        about = f"{e.kind} {e.namespace}/{e.name}" if e.namespace else f"{e.kind} {e.name}"
        objects[about] = objects.get(about, 0) + 1
    lines = []
    for (reason, message), objects in alike.items():
        lines.append(f"  {sum(objects.values())}x {one_line(reason)}: {one_line(message)}")
        lines.append(f"     {one_line(_named(list(objects)))}")
    return "\n".join(["Warning events:", *lines]) if lines else ""


def events(told: Iterable[Told]) -> str:
    """All events in their order, with the time since the beginning."""
    rows = [("AFTER", "TYPE", "REASON", "OBJECT", "MESSAGE")]
    for e in told:
        about = f"{e.kind} {e.namespace}/{e.name}" if e.namespace else f"{e.kind} {e.name}"
        message = e.message if e.certain else f"{e.message} (by chance)"
        rows.append((_after(e.after), e.type, e.reason, about, message))
    return aligned(rows) if len(rows) > 1 else "No events."


def steps(found: Iterable[Step]) -> str:
    """What each step wrote."""
    lines = []
    for s in found:
        if s.action or s.changes or s.counts:
            lines.append(f"  {_after(s.after)}  {one_line(s.action or 'controllers')}")
            lines += [f"      {one_line(change)}" for change in s.changes]
            lines += [f"      {one_line(name)} {_counts(counts)}" for name, counts in s.counts.items()]
    return "\n".join(["Steps:", *lines]) if lines else "No steps."


def _counts(counts: Sequence[int] | None) -> str:
    return "gone" if counts is None else f"[{' '.join(map(str, counts))}]"


def _after(seconds: float) -> str:
    return f"{seconds:.1f}s"


def summary(r: Results) -> list[str]:
    """The closing lines."""
    ready = sum(w.is_ready for w in r.workloads)
    rest = f"{ready} of {many(len(r.workloads), 'workload')} ready"
    if r.unsettled:
        return [
            f"does not come to rest ({one_line(r.unsettled)}), {rest} when it was given up after {_after(r.lasted)}"
        ]
    return [f"at rest after {_after(r.lasted)}, {rest}"]
