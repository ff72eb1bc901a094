"""What a description is written on: lines of cells, set into columns at the end as kubectl's tabwriter does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan.render.fields import NONE, plain
from kplan.render.tabs import align

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 140


class Lines:
    """A description in the making; `level` counts indents of two blanks."""

    __slots__ = ("_indent", "_lines")

    def __init__(self, indent: int = 0) -> None:
        self._lines: list[tuple[str, ...]] = []
        self._indent = indent

    def add(self, level: int, *cells: str) -> None:
        """One line of cells; the last one is not padded."""
        first, *rest = cells or ("",)
        self._lines.append(("  " * (level + self._indent) + first, *rest))

    def nested(self, level: int) -> Lines:
        """A part whose lines stand deeper by so many levels, to be joined by `extend`."""
        return Lines(self._indent + level)

    def extend(self, other: Lines) -> None:
        """Put the lines of a part behind these."""
        self._lines += other._lines

    def several(self, level: int, title: str, values: Iterable[str]) -> None:
        """A title with one value a line beside it; `<none>` for no value."""
        for i, value in enumerate(list(values) or [NONE]):
            self.add(level, title if i == 0 else "", value)

    def block(self, text: str) -> None:
        """A text of several lines, with blanks for its tabs."""
        for line in text.split("\n"):
            self.add(0, line.expandtabs())

    def text(self) -> str:
        """All lines, set into columns."""
        return "".join(f"{line}\n" for line in align(self._lines))


def labels(out: Lines, level: int, title: str, values: Mapping[str, object]) -> None:
    """Labels, or another map, as `key=value` one a line."""
    out.several(level, title, (f"{k}={plain(values[k])}" for k in sorted(values)))


def notes(out: Lines, level: int, title: str, values: Mapping[str, object]) -> None:
    """Annotations as `key: value`; a long value, or one of several lines, stands below its key and is cut."""
    shown = sorted(k for k in values if k != LAST_APPLIED)
    if not shown:
        out.add(level, title, NONE)
    for i, key in enumerate(shown):
        head = title if i == 0 else ""
        value = plain(values[key]).removesuffix("\n")
        if len(value) + len(key) + 2 <= _LONGEST and "\n" not in value:
            out.add(level, head, f"{key}: {value}")
            continue
        out.add(level, head, f"{key}:")
        for line in value.split("\n"):
            out.add(level, "", f"  {_shortened(line, _LONGEST - 2)}")


def _shortened(text: str, most: int) -> str:
    return f"{text[:most]}..." if len(text) > most else text


def head(out: Lines, obj: Mapping[str, object], *names: str) -> None:
    """The first lines: `name`, `namespace`, `labels`, `annotations` as asked for."""
    meta = obj.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    for name in names:
        value = meta.get(name)
        mapping = value if isinstance(value, dict) else {}
        if name == "labels":
            labels(out, 0, "Labels:", mapping)
        elif name == "annotations":
            notes(out, 0, "Annotations:", mapping)
        else:
            out.add(0, f"{name.capitalize()}:", plain(value))


def go_list(values: Iterable[str]) -> str:
    """A list as Go's fmt prints it: `[get list]`."""
    return f"[{' '.join(values)}]"
