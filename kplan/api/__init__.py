"""The API server as a pure function: decode, defaults, admission, validation and the stored form."""

from __future__ import annotations

from kplan.api.pipeline import admit

__all__ = ["admit"]
