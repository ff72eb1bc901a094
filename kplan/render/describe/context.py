"""What a description may say beside the object: the objects around it, its events, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kplan.render import age
from kplan.render.fields import number, text
from kplan.workloads import dicts, get

Value = dict[str, Any]
Find = Callable[[str, str | None], Sequence[Value]]


def _nothing(_kind: str, _namespace: str | None) -> Sequence[Value]:
    return ()


class Context(NamedTuple):
    """`find` gives the stored objects of a kind in a namespace (None: in all).

    `events` have `type`, `reason`, `message`, `object` ("Kind/name") and, where known, `namespace`, `count`, `age`
    (a text) and `from`; without `show_events` they are left out. `sizes` are the lengths in bytes of a Secret's
    values, which are masked.
    """

    now: datetime | None = None
    find: Find = _nothing
    events: Sequence[Mapping[str, Any]] = ()
    sizes: Mapping[str, int] = {}
    show_events: bool = True


def namespace_of(obj: Value) -> str:
    """The namespace of an object; "" for a cluster-scoped one."""
    return text(obj, "metadata", "namespace")


def name_of(obj: Value) -> str:
    """The name of an object."""
    return text(obj, "metadata", "name")


def controller(obj: Value) -> str:
    """The controlling owner as `Kind/name`; "" for none."""
    for ref in dicts(obj, "metadata", "ownerReferences"):
        if ref.get("controller") is True:
            return f"{text(ref, 'kind')}/{text(ref, 'name')}"
    return ""


def controlled(owner: Value, kind: str, context: Context) -> list[Value]:
    """The objects of a kind that this one controls, by uid where it has one."""
    uid, title = get(owner, "metadata", "uid"), f"{text(owner, 'kind')}/{name_of(owner)}"
    found = []
    for obj in context.find(kind, namespace_of(owner)):
        ref = next((r for r in dicts(obj, "metadata", "ownerReferences") if r.get("controller") is True), None)
        if ref is None or f"{text(ref, 'kind')}/{text(ref, 'name')}" != title:
            continue
        if not uid or not ref.get("uid") or ref["uid"] == uid:
            found.append(obj)
    return found


def time_of(obj: Value, *path: str) -> str:
    """A time of the object as `Thu, 17 Feb 2022 16:51:01 +0000`."""
    return age.rfc1123z(get(obj, *path))


def lasting(obj: Value, context: Context) -> str:
    """How an object that is being deleted is said to last."""
    return f"Terminating (lasts {age.since(get(obj, 'metadata', 'deletionTimestamp'), context.now)})"


def pod_counts(owner: Value, context: Context) -> str:
    """`3 Running / 0 Waiting / 0 Succeeded / 0 Failed`: the pods that this object controls."""
    phases = [text(p, "status", "phase") for p in controlled(owner, "Pod", context)]
    names = {"Running": "Running", "Pending": "Waiting", "Succeeded": "Succeeded", "Failed": "Failed"}
    return " / ".join(f"{phases.count(phase)} {name}" for phase, name in names.items())


def count_of(obj: Value, *path: str) -> str:
    """The number at a path as text, 0 if it was never set."""
    return str(number(obj, *path))
