"""One YAML document to plain JSON values, as kubectl gets them, with the guards against hostile input.

Follows go.yaml.in/yaml/v2 decode.go (merge keys, aliases, the limit on aliasing) and sigs.k8s.io/yaml yaml.go (keys
become texts). The values are built while the events come: nothing is composed that a guard would refuse.
"""

from __future__ import annotations

from typing import Any, Final

from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from kplan.tuples import NamedTuple
from kplan.yamlio import scalars
from kplan.yamlio.events import Event, NextEvent
from kplan.yamlio.limits import Limits
from kplan.yamlio.readerror import ReadError
from kplan.yamlio.scalars import ScalarError

_KEY: Final = object()  # the next node of a map is a key
_MERGE: Final = object()  # the next node is the value of `<<`


class Composed(NamedTuple):
    """The value, the line it starts on (0: no document), and whether some map may hold a key twice."""

    value: Any
    line: int
    repeated: bool


class _Frame:
    """A map or list that is open. `key` is the pending key of a map, None in a list."""

    __slots__ = ("anchor", "depth", "key", "nodes", "value")

    def __init__(self, value: Any, key: object, anchor: _Anchor | None, nodes: int) -> None:
        self.value = value
        self.key = key
        self.anchor = anchor
        self.nodes = nodes
        self.depth = 0


class _Anchor:
    """What an alias stands for: `nodes` counts the decode operations, `depth` the levels inside; open has 0 nodes."""

    __slots__ = ("depth", "nodes", "value")

    def __init__(self, value: Any, nodes: int) -> None:
        self.value = value
        self.nodes = nodes
        self.depth = 0


def compose(next_event: NextEvent, limits: Limits) -> Composed:
    """The first document of the events. Raises ReadError."""
    builder = _Builder(limits)
    handlers = {
        ScalarEvent: builder.scalar,
        MappingStartEvent: builder.start_map,
        SequenceStartEvent: builder.start_list,
        MappingEndEvent: builder.end,
        SequenceEndEvent: builder.end,
        AliasEvent: builder.alias,
    }
    handler = handlers.get
    line = 0
    try:
        while True:
            event = next_event()
            kind = type(event)
            handle = handler(kind)
            if handle is not None:
                if not line:
                    line = event.start_mark.line + 1
                handle(event)
            elif kind is DocumentEndEvent or kind is StreamEndEvent:
                break
        builder.check_aliasing(event)
    except _DecodeError:
        _look_for_syntax_errors(next_event)
        raise
    return Composed(builder.frame.value[0] if line else None, line, builder.repeated > 0)


def resolved(event: Event) -> scalars.Scalar:
    """The value of a scalar event. Raises ScalarError."""
    if event.tag is not None:
        return scalars.tagged(event.tag, event.value)
    return scalars.resolve(event.value) if event.implicit[0] else event.value


def is_merge(event: Event) -> bool:
    """Whether an event in the place of a key is the merge key."""
    if type(event) is not ScalarEvent or event.value != "<<":
        return False
    return event.tag == scalars.MERGE or (event.tag is None and event.implicit[0])


def _look_for_syntax_errors(next_event: NextEvent) -> None:
    """go-yaml parses the whole document before it looks at what it means: an error of syntax comes first."""
    for _ in range(_LOOK_AHEAD):
        if type(next_event()) in (DocumentEndEvent, StreamEndEvent):
            return


class _DecodeError(ReadError):
    """What go-yaml sees only after it has parsed the document."""


class _Builder:
    """The state of one document: the open frames, the anchors, and go-yaml's counters."""

    __slots__ = ("aliased", "anchors", "frame", "limits", "nodes", "repeated", "stack")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.frame = _Frame([], None, None, 0)
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchor] = {}
        self.nodes = 1  # decode operations: one for the document
        self.aliased = 0  # those of them inside an alias
        self.repeated = 0

    def scalar(self, event: Event) -> None:
        self.nodes += 1
        frame = self.frame
        try:
            found = resolved(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = _Anchor(found, 1)
            if frame.key is _KEY:
                frame.key = _MERGE if is_merge(event) else scalars.key(found)
                return
            self.put(scalars.value(found), event)
        except ScalarError as error:
            raise _problem(event, str(error)) from error

    def start_map(self, event: Event) -> None:
        self._start(event, {}, _KEY)

    def start_list(self, event: Event) -> None:
        self._start(event, [], None)

    def _start(self, event: Event, value: Any, key: object) -> None:
        if self.frame.key is _KEY:
            raise _problem(event, f"invalid map key: a {'list' if key is None else 'map'}")
        self.check_depth(event, 1)
        anchor = None
        if event.anchor is not None:
            anchor = self.anchors[event.anchor] = _Anchor(value, 0)
        self.stack.append(self.frame)
        self.frame = _Frame(value, key, anchor, self.nodes)
        self.nodes += 1

    def end(self, event: Event) -> None:
        done = self.frame
        depth = done.depth + 1
        if done.anchor is not None:
            done.anchor.nodes = self.nodes - done.nodes
            done.anchor.depth = depth
        self.frame = frame = self.stack.pop()
        if frame.depth < depth:
            frame.depth = depth
        self.put(done.value, event)

    def put(self, value: Any, event: Event) -> None:
        """Give a finished value its place in the open map or list."""
        frame = self.frame
        key = frame.key
        if key is None:
            frame.value.append(value)
            return
        frame.key = _KEY
        if key is _MERGE:
            self.merge(frame.value, value, event)
            return
        if key in frame.value:
            self.repeat(event)
        frame.value[key] = value

    def repeat(self, event: Event) -> None:
        self.repeated += 1
        if self.repeated > self.limits.duplicates:
            raise _limit(event, f"more than {self.limits.duplicates} keys that stand twice in one map")

    def alias(self, event: Event) -> None:
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            mark = event.start_mark
            raise ReadError(f"unknown anchor '{event.anchor}' referenced", mark.line + 1, mark.column + 1)
        if not anchor.nodes:
            raise _problem(event, f"anchor '{event.anchor}' value contains itself")
        self.check_aliasing(event)
        self.nodes += 1 + anchor.nodes
        self.aliased += anchor.nodes
        self.check_aliasing(event)
        self.check_depth(event, anchor.depth)
        frame = self.frame
        if frame.depth < anchor.depth:
            frame.depth = anchor.depth
        if frame.key is _KEY:
            frame.key = self._alias_key(anchor.value, event)
        elif frame.key is _MERGE and not isinstance(anchor.value, dict):
            raise _problem(event, _NO_MERGE)
        else:
            self.put(_alias_value(anchor.value, event), event)

    def _alias_key(self, value: Any, event: Event) -> str:
        if isinstance(value, (dict, list)):
            raise _problem(event, f"invalid map key: a {'list' if isinstance(value, list) else 'map'}")
        try:
            return scalars.key(value)
        except ScalarError as error:
            raise _problem(event, str(error)) from error

    def merge(self, target: dict[str, Any], value: Any, event: Event) -> None:
        """`<<`: what is merged overwrites what stands before it, and is overwritten by what follows."""
        maps = value if isinstance(value, list) else [value]
        if not all(isinstance(m, dict) for m in maps):
            raise _problem(event, _NO_MERGE)
        for one in reversed(maps):
            target.update(one)

    def check_depth(self, event: Event, more: int) -> None:
        if len(self.stack) + more > self.limits.depth:
            raise _limit(event, f"nested deeper than {self.limits.depth} levels")

    def check_aliasing(self, event: Event) -> None:
        """go-yaml's rule: the share of decode operations that aliases cause, allowed from 99 % down to 10 %."""
        if self.aliased > 100 and self.nodes > 1000 and self.aliased / self.nodes > _allowed_ratio(self.nodes):
            raise _problem(event, "document contains excessive aliasing")


_LOOK_AHEAD = 100_000
_NO_MERGE = "map merge requires map or sequence of maps as the value"
_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000


def _allowed_ratio(nodes: int) -> float:
    if nodes <= _RATIO_LOW:
        return 0.99
    if nodes >= _RATIO_HIGH:
        return 0.10
    return 0.99 - 0.89 * ((nodes - _RATIO_LOW) / (_RATIO_HIGH - _RATIO_LOW))


def _alias_value(value: Any, event: Event) -> Any:
    if isinstance(value, (dict, list)):
        return _copy(value)
    try:
        return scalars.value(value)
    except ScalarError as error:
        raise _problem(event, str(error)) from error


def _copy(value: Any) -> Any:
    """The value of an alias is its own: a later change of one place must not show in the other."""
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_copy(v) for v in value]
    return value


def _problem(event: Event, message: str) -> ReadError:
    return _DecodeError(message, event.start_mark.line + 1, event.start_mark.column + 1)


def _limit(event: Event, message: str) -> ReadError:
    return ReadError(message, event.start_mark.line + 1, event.start_mark.column + 1, code="limit")
