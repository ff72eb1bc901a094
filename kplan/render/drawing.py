"""What the graph renderers draw: boxes and arrows."""

from __future__ import annotations

from typing import NamedTuple


class Vertex(NamedTuple):
    """One object. `group` is its namespace; `state` is "" for one that is there, else `missing` or `unknown`."""

    id: str
    label: str
    group: str = ""
    state: str = ""


class Arc(NamedTuple):
    """An arrow between two vertices, by their ids; `state` is `found`, `missing` or `unknown`."""

    source: str
    target: str
    label: str
    state: str = "found"
