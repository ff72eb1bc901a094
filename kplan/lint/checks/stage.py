"""Check kind `stage`: what a stage of the run reports itself (reading, schema, API server, suppressions)."""

from __future__ import annotations

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.lint.site import Check

STAGES = ("engine", "source", "schema", "admission", "suppressions")


def build(stage: Any, trusted: bool) -> Check:
    """A check that finds nothing: the stage of this name makes the findings of the rule."""
    if stage not in STAGES or not trusted:
        raise KplanError("the check kind `stage` is for kplan's own rules")
    return lambda site: ()  # noqa: ARG005
