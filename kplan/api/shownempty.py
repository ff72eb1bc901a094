"""Messages about values that were sent empty.

In the server an empty list or map is another value than none, and a message shows which one it was: `{}` or `null`. The
decoder here leaves empty ones out, so the difference is looked up in what was sent.
"""

from __future__ import annotations

import re

from kplan.api.request import Refused
from kplan.hints import Any
from kplan.schema import Node

_NULL = "Invalid value: null: "
_STEPS = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def with_empty(no: Refused, sent: Any, node: Node) -> Refused:
    """The refusal of an object of this type with `{}` and `[]` in place of null where that is what was sent."""
    message, causes = no.message, []
    for cause in no.causes:
        text = cause.message
        if text.startswith(_NULL) and (found := _at(sent, cause.field, node)) in ({}, []):
            text = text.replace("null", "{}" if found == {} else "[]", 1)
            message = message.replace(f"{cause.field}: {cause.message}", f"{cause.field}: {text}")
        causes.append(cause._replace(message=text))
    return Refused(no.status, message, tuple(causes))


def _at(value: Any, field: str, node: Node) -> Any:
    """The list or map at the path of a field; None if there is none."""
    end, at = 0, node
    for step in _STEPS.finditer(field):
        name, index = step.groups()
        inner = (at.fields or {}).get(name) if name is not None else at.items
        if step.start() != end or inner is None:
            return None
        end, at = step.end(), inner
        if name is not None:
            value = value.get(name) if isinstance(value, dict) else None
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value if end == len(field) and (at.items is not None or at.values is not None) else None
