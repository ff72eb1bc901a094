"""The nodes of a YAML document with their places.

Marks are libyaml's (yaml.h, yaml_mark_t), but for the ends of block collections and block scalars, which libyaml puts
after the white space and comments that follow.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from kplan.model import Path
from kplan.yamlio.compose import is_merge, resolved
from kplan.yamlio.events import Event, parse
from kplan.yamlio.positions import Entry, Node, Nodes, Place
from kplan.yamlio.scalars import key as key_text


def yaml_tree(text: str) -> Nodes:
    """The nodes of a YAML document that has been read before."""
    return parse(text, lambda next_event: _YamlNodes(text, next_event).tree())


class _YamlNodes:
    """Builds the nodes from the events of a document that has passed the guards of `compose`."""

    def __init__(self, text: str, next_event: Event) -> None:
        self.text = text
        self.next_event = next_event
        self.anchors: dict[str, tuple[Node, Any]] = {}
        self.duplicates: list[tuple[Path, Entry, Entry]] = []

    def tree(self) -> Nodes:
        event = self.next_event()
        while type(event) is not DocumentStartEvent:
            event = self.next_event()
        return Nodes(self.node(self.next_event(), ()), self.duplicates)

    def node(self, event: Event, path: Path) -> Node:
        start = (event.start_mark.line, event.start_mark.column)
        if type(event) is AliasEvent:
            target, _ = self.anchors[event.anchor]
            return target._replace(start=start, end=(event.end_mark.line, event.end_mark.column))
        if type(event) is ScalarEvent:
            node = Node(start, self.end_of_scalar(event))
        elif type(event) is MappingStartEvent:
            node = self.map(event, start, path)
        else:
            node = self.list(event, start, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = node, event
        return node

    def key(self, event: Event) -> str:
        return key_text(resolved(self.anchors[event.anchor][1] if type(event) is AliasEvent else event))

    def end_of_scalar(self, event: Event) -> Place:
        end = event.end_mark
        if event.style not in ("|", ">"):
            return (end.line, end.column)
        lines = self.text[event.start_mark.index : end.index].rstrip().split("\n")
        if len(lines) == 1:
            return (event.start_mark.line, event.start_mark.column + len(lines[0]))
        return (event.start_mark.line + len(lines) - 1, len(lines[-1]))

    def map(self, start_event: Event, start: Place, path: Path) -> Node:
        children: dict[str, Entry] = {}
        own: set[str] = set()
        end = start
        while type(event := self.next_event()) is not MappingEndEvent:
            named = self.node(event, path)
            if is_merge(event):
                value = self.node(self.next_event(), path)
                for one in reversed(value.children if isinstance(value.children, list) else [value]):
                    children.update(one.children)
                end = value.end
                continue
            key = self.key(event)
            value = self.node(self.next_event(), (*path, key))
            entry = Entry(named.start, named.end, value)
            if key in own:
                self.duplicates.append(((*path, key), children[key], entry))
            own.add(key)
            children[key] = entry
            end = value.end
        if start_event.flow_style:
            end = (event.end_mark.line, event.end_mark.column)
        return Node(start, end, children)

    def list(self, start_event: Event, start: Place, path: Path) -> Node:
        children: list[Node] = []
        end = start
        while type(event := self.next_event()) is not SequenceEndEvent:
            children.append(self.node(event, (*path, len(children))))
            end = children[-1].end
        if start_event.flow_style:
            end = (event.end_mark.line, event.end_mark.column)
        return Node(start, end, children)
