"""What a stage reports before it is a finding: a rule by name, a place in an object, and words for the message."""

from __future__ import annotations

from collections.abc import Mapping

from kplan.model import Object, Path, Span
from kplan.tuples import NamedTuple


class Draft(NamedTuple):
    """One observation of a stage that is no rule of its own; `span` where the path does not lead to the right place."""

    rule: str
    subject: Object
    path: Path
    data: Mapping[str, object]
    span: Span | None = None
