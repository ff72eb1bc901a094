"""The annotation in which kubectl keeps what it applied last.

Follows k8s.io/kubectl/pkg/util/apply.go.
"""

from __future__ import annotations

import json
from typing import Any

from kplan.api.validation.field import go_json

Value = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE_MANAGER = "kubectl-client-side-apply"  # how kubectl calls itself when it writes the annotation


def with_last_applied(value: Value) -> Value:
    """The object with itself in the annotation, as kubectl writes it."""
    return remembering(value, value)


def remembering(value: Value, applied: Value) -> Value:
    """An object whose annotation says that `applied` was applied last."""
    notes = value["metadata"].get("annotations")
    if not isinstance(notes, dict | None):
        return value  # decoding will say so
    meta = applied["metadata"]
    given = meta.get("annotations") or {}
    others = {k: v for k, v in given.items() if k != LAST_APPLIED}
    text = go_json(_sorted({**applied, "metadata": {**meta, "annotations": others}})) + "\n"
    kept = {k: v for k, v in (notes or {}).items() if k != LAST_APPLIED}
    return {**value, "metadata": {**value["metadata"], "annotations": {**kept, LAST_APPLIED: text}}}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _sorted(value[k]) for k in sorted(value)}
    return [_sorted(v) for v in value] if isinstance(value, list) else value


def last_applied(stored: Value) -> Value | None:
    """The object that kubectl applied last, by its annotation; None without a readable one."""
    text = (stored["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
