"""What a column of `kplan get` is made of: a header and a function from an object to the text below it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kplan.render import age
from kplan.render.fields import NONE, UNKNOWN, items, mapping, pairs, plain, text, texts
from kplan.workloads import dicts, get

Value = dict[str, Any]
Now = datetime | None
Cell = Callable[[Value, Now], str]


class Column(NamedTuple):
    """A header, its cells, and whether it is shown with `-o wide` only."""

    name: str
    cell: Cell
    wide: bool = False


def columns(*given: tuple[str, Cell | str]) -> tuple[Column, ...]:
    """Columns from headers and cells; a text is the path of a field, a `*` before the header means wide."""
    return tuple(Column(h.lstrip("*"), field(c) if isinstance(c, str) else c, h.startswith("*")) for h, c in given)


def field(path: str, absent: str = "") -> Cell:
    """The value at a path such as `spec.schedule`, or `absent`."""
    steps = path.split(".")
    return lambda obj, _: text(obj, *steps) or absent


def count(*path: str) -> Cell:
    """How many items or entries the part at a path has."""

    def cell(obj: Value, _: Now) -> str:
        found = get(obj, *path)
        return str(len(found)) if isinstance(found, (list, dict)) else "0"

    return cell


def number(path: str) -> Cell:
    """The number at a path, 0 if it was never set."""
    return field(path, "0")


def truth(path: str) -> Cell:
    """true or false; false if it was never set."""
    return field(path, "false")


def created(obj: Value, now: Now) -> str:
    """The AGE of the object."""
    return age.since(get(obj, "metadata", "creationTimestamp"), now)


def created_at(obj: Value, _: Now) -> str:
    """The CREATED AT of kinds that the server prints without columns of their own."""
    time = age.read(get(obj, "metadata", "creationTimestamp"))
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if time else UNKNOWN


def container_names(*path: str) -> Cell:
    """Names of the containers of the pod spec at a path; sidecars are none of them."""
    return lambda obj, _: ",".join(text(c, "name") for c in dicts(obj, *path, "containers"))


def container_images(*path: str) -> Cell:
    """Images of the containers of the pod spec at a path."""
    return lambda obj, _: ",".join(text(c, "image") for c in dicts(obj, *path, "containers"))


def labels(*path: str) -> Cell:
    """A map of labels as `a=1,b=2`."""
    return lambda obj, _: pairs(mapping(obj, *path))


def listed(*path: str, absent: str = NONE) -> Cell:
    """The texts of a list, joined by commas."""
    return lambda obj, _: ",".join(texts(obj, *path)) if items(obj, *path) else absent


def selector(*path: str) -> Cell:
    """A metav1.LabelSelector as text."""
    return lambda obj, _: selector_text(get(obj, *path))


def selector_text(value: object) -> str:
    """A metav1.LabelSelector as metav1.FormatLabelSelector prints it, sorted by key; `<none>` if it says nothing."""
    want = mapping(value, "matchLabels")
    found = [(key, f"{key}={plain(want[key])}") for key in want]
    found += [(text(e, "key"), _expression(e)) for e in dicts(value, "matchExpressions")]
    return ",".join(written for _, written in sorted(found, key=lambda f: f[0])) or NONE


def _expression(e: Value) -> str:
    key, operator = text(e, "key"), text(e, "operator")
    if operator in ("In", "NotIn"):
        return f"{key} {operator.lower()} ({','.join(sorted(texts(e, 'values')))})"
    return f"!{key}" if operator == "DoesNotExist" else key


NAME: tuple[str, str] = ("Name", "metadata.name")
AGE: tuple[str, Cell] = ("Age", created)
CREATED_AT = columns(NAME, ("Created At", created_at))
NAME_AND_AGE = columns(NAME, AGE)
