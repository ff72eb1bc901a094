"""From the field of an API server's message, `spec.containers[0].ports[1].name`, to a path in the object.

The text is not unique (`metadata.labels[a/b]`, but `spec.selector.matchLabels.a.b/c` as well), so the object decides.
"""

from __future__ import annotations

from kplan.hints import Any
from kplan.model import Path
from kplan.patterns import lazy

_STEP = lazy(r"\.?([^.\[\]]+)|\[([^\]]*)\]")
_FIELD = lazy(r"[a-zA-Z][\w-]*(?:\.[\w-]+|\[[^\]\s]*\])*\Z")


def parse(text: str, value: Any) -> Path:
    """The path that a field text means in this object; steps that the object does not have are taken as written."""
    path: list[str | int] = []
    rest = text
    while rest:
        step, rest = _next(rest, value)
        path.append(step)
        value = _inside(value, step)
    return tuple(path)


def leading(message: str) -> tuple[str, str]:
    """(field, text) of a warning that starts with a field, such as `spec.ports[0]: duplicate ...`; ("", message)."""
    field, colon, text = message.partition(": ")
    return (field, text) if colon and _FIELD.match(field) and ("." in field or "[" in field) else ("", message)


def _next(rest: str, value: Any) -> tuple[str | int, str]:
    own = rest.removeprefix(".")
    if isinstance(value, dict) and not rest.startswith("["):
        for key in sorted((k for k in value if isinstance(k, str)), key=len, reverse=True):
            if own == key or own.startswith((f"{key}.", f"{key}[")):
                return key, own[len(key) :]
    m = _STEP.match(rest)
    if m is None:
        return own, ""
    inner = m[2]
    if inner is None:
        return m[1], rest[m.end() :]
    inner = inner.strip('"')
    numeric = inner.isdecimal() and not isinstance(value, dict)
    return int(inner) if numeric else inner, rest[m.end() :]


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
