"""Differences that are no change, each with its reason: what a server fills in, normalises or keeps for itself.

The facts are schemas/facts/noise.json. The reasons: `default`, `normalised`, `empty` (nil and empty are one),
`order` (of a set), `server` (metadata), `status`, `allocated`, `controller`, `api version`, `ignore rule`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from kplan import quantity
from kplan.hints import Any
from kplan.model import ABSENT, Change, Ignored, Ref
from kplan.patterns import lazy
from kplan.plan.diff import name_of
from kplan.plan.kinds import Kind, rows
from kplan.plan.patterns import Names, covers, leads_to, matches, parse
from kplan.plan.values import get, submap
from kplan.record import record, replace
from kplan.schema.definitions import read
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

Value = dict[str, Any]

IGNORE_RULE = "ignore rule"
# Fields of `metadata` that only a server writes.
LIVE = frozenset(("uid", "resourceVersion", "managedFields", "selfLink"))

_DURATION = lazy(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION_NAMES = lazy(r"(?i)(duration|interval|timeout|period|delay|ttl)$")


class IgnoreRule(NamedTuple):
    """Differences that the user does not want to see: at this place of objects of this kind and name; `*` is any."""

    kind: str
    name: str
    path: Names

    @classmethod
    def parse(cls, text: str) -> IgnoreRule:
        """A rule written as `KIND:PATH` or `KIND/NAME:PATH`. Raises ValueError."""
        what, colon, path = text.partition(":")
        kind, _, name = what.partition("/")
        if not (kind and colon and path):
            raise ValueError(f"{text!r} is not KIND:PATH or KIND/NAME:PATH")
        return cls(kind, name or "*", parse(path))

    def applies(self, ref: Ref) -> bool:
        """Whether it speaks of this object."""
        return fnmatchcase(ref.kind.lower(), self.kind.lower()) and fnmatchcase(ref.name, self.name)

    def __str__(self) -> str:
        return f"{self.kind}{'/' + self.name if self.name != '*' else ''}:{dotted(self.path)}"


@record
class Pair:
    """Two stored forms of one object, and what is known of its kind. `live` says that a server gave `before`."""

    kind: Kind
    before: Value
    after: Value
    live: bool
    ignores: tuple[IgnoreRule, ...] = ()

    @property
    def is_unknown_release(self) -> bool:
        """Whether a server gave the object in a version that this release has no more: nobody knows its defaults here,
        so fields that only the server has are taken for them."""
        return self.live and self.kind.node is None and not self.kind.custom


def is_live(value: Value) -> bool:
    """Whether an object was read from a server, not written by hand."""
    meta = submap(value, "metadata")
    if LIVE.isdisjoint(meta):
        return False
    return "selfLink" in meta or any(meta.get(k) for k in LIVE)


def split(change: Change, pair: Pair) -> tuple[Change | None, list[Ignored]]:
    """The tree without noise, None if nothing is left, and the noise."""
    ignored: list[Ignored] = []
    return _node(change, (), (), pair, ignored), ignored


def _node(change: Change, names: Names, fields: Names, pair: Pair, ignored: list[Ignored]) -> Change | None:
    reason = _whole(change, names, fields, pair)
    if reason:
        ignored.append(Ignored(dotted(names), reason, change.before, change.after))
        return None
    if change.container in ("map", "list"):
        return _inner(change, names, fields, pair, ignored)
    if change.op in ("create", "delete"):
        return _one_sided(change, names, fields, pair, ignored)
    return change


def _inner(change: Change, names: Names, fields: Names, pair: Pair, ignored: list[Ignored]) -> Change | None:
    children = []
    as_set = change.container == "list" and pair.kind.list_rule(fields).unordered
    for child in change.children:
        inner = (*names, name_of(child))
        step = "*" if change.container == "list" else child.label
        if as_set and child.moved:
            ignored.append(Ignored(dotted(inner), "order", child.moved[0], child.moved[1]))
            if child.op == "move":
                continue
            child = replace(child, moved=None)
        kept = child if child.op == "same" else _node(child, inner, (*fields, step), pair, ignored)
        if kept is not None:
            children.append(kept)
    if all(c.op == "same" for c in children):
        return None
    gone = len(change.children) - len(children)
    return replace(change, children=tuple(children), unchanged=change.unchanged + gone)


def _one_sided(change: Change, names: Names, fields: Names, pair: Pair, ignored: list[Ignored]) -> Change | None:
    """A created or destroyed part may be noise in parts: what is left of it is the change."""
    side = change.after if change.op == "create" else change.before
    kept = _without_noise(side, change.op, names, fields, pair, ignored)
    if kept is ABSENT:
        return None
    return replace(change, after=kept) if change.op == "create" else replace(change, before=kept)


def _without_noise(value: Any, op: str, names: Names, fields: Names, pair: Pair, ignored: list[Ignored]) -> Any:
    if not isinstance(value, (dict, list)) or not value or not _goes_deeper(names, pair):
        return value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    kept: list[tuple[Any, Any]] = []
    for key, item in items:
        inner, place = (*names, str(key)), (*fields, key if isinstance(key, str) else "*")
        one = Change((), op, *((ABSENT, item) if op == "create" else (item, ABSENT)))
        reason = _whole(one, inner, place, pair)
        if reason:
            ignored.append(Ignored(dotted(inner), reason, one.before, one.after))
            continue
        rest = _without_noise(item, op, inner, place, pair, ignored)
        if rest is not ABSENT:
            kept.append((key, rest))
    if not kept:
        return ABSENT
    return dict(kept) if isinstance(value, dict) else [item for _, item in kept]


def _goes_deeper(names: Names, pair: Pair) -> bool:
    if names[0] == "metadata":
        return len(names) == 1 or names[1:] in (("annotations",), ("labels",), ("finalizers",))
    found = rows("fields", pair.kind.group, pair.kind.name)
    return any(leads_to(parse(p), names) for row in found for p in row["paths"])


def _whole(change: Change, names: Names, fields: Names, pair: Pair) -> str:
    """Why all of this difference is noise; "" if it is a change, or only parts of it are noise."""
    if not names:
        return ""
    reason = by_place(names)
    if reason:
        return reason
    if any(covers(rule.path, names) for rule in pair.ignores):
        return IGNORE_RULE
    for row in rows("fields", pair.kind.group, pair.kind.name):
        if _applies(row, change, names, pair):
            return str(row["reason"])
    if change.container in ("map", "list"):
        return ""
    if change.op == "delete" and pair.is_unknown_release and fields[-1] != "*":
        return "default"
    return _by_value(change, names, fields, pair.kind)


def by_place(names: Names) -> str:
    """Why any difference at this place is noise; "" if it depends."""
    facts = read("facts/noise")
    if names[0] == "status":
        return "status"
    if names[0] == "apiVersion":
        return "api version"
    if names == ("metadata", "namespace"):  # a pair in two namespaces has one that is not named
        return "default"
    if names[0] == "metadata" and len(names) > 1:
        if names[1] in facts["server"]:
            return "server"
        if names[1] == "annotations" and len(names) > 2 and any(fnmatchcase(names[2], a) for a in facts["annotations"]):
            return "controller"
    return ""


def _applies(row: Any, change: Change, names: Names, pair: Pair) -> bool:
    if not any(matches(parse(p), names) for p in row["paths"]):
        return False
    if not _at_the_time(row["when"], change, pair.live):
        return False
    if "if" in row and get(pair.after, parse(row["if"])) is ABSENT:
        return False
    item = change.before if change.after is ABSENT else change.after
    return "match" not in row or _looks_like(item, row["match"])


def _at_the_time(when: str, change: Change, live: bool) -> bool:
    if when == "new":
        return change.op == "create" and not live
    if when == "live" and not live:
        return False
    return when == "any" or _unset(change.after)


def _looks_like(item: Any, want: Any) -> bool:
    if isinstance(want, str):
        return fnmatchcase(str(item), want)
    return isinstance(item, dict) and all(fnmatchcase(str(item.get(k, "")), v) for k, v in want.items())


def _unset(value: Any) -> bool:
    return value is ABSENT or value is None or value in ("", [], {})


def _by_value(change: Change, names: Names, fields: Names, kind: Kind) -> str:
    before, after = change.before, change.after
    node = kind.at(fields)
    if _is_quantity(node, names) and quantity.equal(before, after):
        return "normalised"
    if _DURATION_NAMES.search(names[-1]) and _nanoseconds(before) == _nanoseconds(after) is not None:
        return "normalised"
    in_list = fields[-1] == "*"
    if not in_list and _nothing(before, names, node, kind) and _nothing(after, names, node, kind):
        return "empty"
    return ""


def _is_quantity(node: Node | None, names: Names) -> bool:
    if node is not None:
        return node.format == "quantity"
    return len(names) > 2 and names[-2] in ("limits", "requests")


def _nanoseconds(value: Any) -> int | None:
    if not isinstance(value, str) or not value or _DURATION.sub("", value):
        return None
    return sum(int(float(n) * _UNITS[unit]) for n, unit in _DURATION.findall(value))


def _nothing(value: Any, names: Names, node: Node | None, kind: Kind) -> bool:
    """Whether a value says no more than its absence."""
    if value is ABSENT or value is None:
        return True
    facts = read("facts/noise")["empty"]
    if value == "" and any(matches(parse(p), names) for p in facts["texts"]):
        return True
    if kind.custom and names[0] != "metadata":
        return False
    if value == []:
        return True
    if value == {}:
        return names[-1] in facts["structs"] or (node is not None and node.values is not None)
    if isinstance(value, (dict, list)) or node is None:
        return False
    return not value and names[-1] not in read("facts/noise")["pointers"]["fields"]


def dotted(names: Names) -> str:
    """A place as text: `metadata.labels[a/b]`."""
    out = ""
    for name in names:
        plain = name.replace("-", "").replace("_", "").isalnum() and not name.isdigit()
        out += (f".{name}" if out else name) if plain else f"[{name}]"
    return out
