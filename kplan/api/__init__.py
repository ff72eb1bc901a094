"""The API server as a pure function: decode, defaults, admission, validation and the stored form."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kplan.api.pipeline import admit

__all__ = ["admit"]


def __getattr__(name: str) -> Any:
    """`admit` loads all of the API server; whoever wants a part of it takes that alone."""
    if name != "admit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kplan.api.pipeline import admit

    return admit
