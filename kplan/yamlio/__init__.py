"""YAML and JSON exactly as kubectl reads them: bytes to documents with their places."""

from __future__ import annotations

from kplan.yamlio.fast import forget
from kplan.yamlio.limits import Limits
from kplan.yamlio.reader import One, load_value, read, read_one

__all__ = ["Limits", "One", "forget", "load_value", "read", "read_one"]
