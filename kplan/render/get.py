"""`kplan get`: objects as kubectl's tables, or as their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from json import dumps
from typing import NamedTuple

from kplan.render import age, table
from kplan.render.columns import Column, Now, of_custom, of_kind
from kplan.render.columns.cell import Value
from kplan.render.fields import NONE, mapping, pairs, plain, text
from kplan.render.sanitise import one_line


class Listed(NamedTuple):
    """The objects of one kind that were asked for.

    `printed` are the `additionalPrinterColumns` of a custom resource, None for a built-in kind.
    """

    group: str
    kind: str
    namespaced: bool
    objects: Sequence[Value]
    printed: Sequence[Value] | None = None

    @property
    def prefix(self) -> str:
        """What names start with where kinds are mixed: `pod/`, `deployment.apps/`."""
        return f"{self.kind.lower()}{'.' if self.group else ''}{self.group}/"


class Look(NamedTuple):
    """What the tables show. `now` is the time (RFC 3339) that ages are counted to; without it they are unknown.

    `kinds` puts the kind before each name, `labels` are shown as columns of their own.
    """

    now: str | None = None
    wide: bool = False
    namespaces: bool = False
    kinds: bool = False
    headers: bool = True
    all_labels: bool = False
    labels: tuple[str, ...] = ()


def tables(found: Iterable[Listed], look: Look) -> str:
    """A table for each kind that has objects, with an empty line between two."""
    shown = (table.text(_table(listed, look), headers=look.headers) for listed in found if listed.objects)
    return ("\n" if look.headers else "").join(shown)


def _table(listed: Listed, look: Look) -> table.Table:
    known = of_kind(listed.group, listed.kind) if listed.printed is None else of_custom(listed.printed)
    chosen = [c for c in known if look.wide or not c.wide]
    now = age.read(look.now)
    with_namespace = look.namespaces and listed.namespaced
    prefix = listed.prefix if look.kinds else ""
    names = [c.name for c in chosen] + [label.rpartition("/")[2] for label in look.labels]
    names += ["Labels"] if look.all_labels else []
    rows = [_row(o, chosen, now, prefix) + _labels(o, look) for o in listed.objects]
    if with_namespace:
        names = ["Namespace", *names]
        rows = [[text(o, "metadata", "namespace"), *row] for o, row in zip(listed.objects, rows, strict=True)]
    return table.Table(names, rows)


def _row(obj: Value, chosen: Iterable[Column], now: Now, prefix: str) -> list[str]:
    return [(prefix if c.name == "Name" else "") + c.cell(obj, now) for c in chosen]


def _labels(obj: Value, look: Look) -> list[str]:
    have = mapping(obj, "metadata", "labels")
    cells = [plain(have.get(label)) or NONE for label in look.labels]
    return [*cells, pairs(have)] if look.all_labels else cells


def names(found: Iterable[Listed]) -> str:
    """`pod/web-0`, `deployment.apps/web`, one a line."""
    return "".join(
        f"{one_line(listed.prefix + text(o, 'metadata', 'name'))}\n" for listed in found for o in listed.objects
    )


def json(value: Value) -> str:
    """An object as kubectl's JSON: indented by four, keys sorted; in ASCII, no line a command of a build server."""
    written = dumps(value, indent=4, ensure_ascii=True, sort_keys=True)
    return written.replace("\x7f", "\\u007f").replace("##", "#\\u0023") + "\n"
