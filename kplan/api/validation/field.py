"""Field errors in the API server's own words.

Follows k8s.io/apimachinery/pkg/util/validation/field/errors.go. A validator gets an `Errors`, reports into it and
returns nothing; field paths are plain text, built with f-strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kplan.hints import Any
from kplan.model import Cause

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def go_quote(text: str) -> str:
    """A string as Go's %q prints it."""
    if text.isprintable():
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c in _ESCAPES:
            out.append(_ESCAPES[c])
        elif c.isprintable():
            out.append(c)
        else:
            n = ord(c)
            out.append(f"\\x{n:02x}" if n < 0x80 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}")
    return '"' + "".join(out) + '"'


def go_json(value: Any) -> str:
    """A value as Go's encoding/json prints it: sorted by the caller, no spaces, HTML characters escaped."""
    import json  # slow to load

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        if c in text:
            text = text.replace(c, f"\\u{ord(c):04x}")
    return text


def render(value: Any) -> str:
    """The bad value inside a message: strings quoted, numbers and booleans plain, all else as JSON."""
    if isinstance(value, str):
        return go_quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return go_json(value)


# A bad value that the message does not show.
OMIT = object()

# Characters of messages after which no more causes are kept: some messages show a whole list for each of its items.
_ROOM = 1 << 24


class Errors:
    """Collects the causes of a refusal in the order in which they are found."""

    __slots__ = ("_room", "causes")

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self._room = _ROOM

    def __bool__(self) -> bool:
        return bool(self.causes)

    def _add(
        self,
        field: str,
        reason: str,
        body: str,
        detail: str,
        value: Any = OMIT,
        show: Callable[[Any], str] = render,
    ) -> None:
        if self._room <= 0:
            return
        if value is not OMIT:
            body = f"{body}: {show(value)}"
        message = f"{body}: {detail}" if detail else body
        self._room -= len(message)
        self.causes.append(Cause(field, reason, message))

    def required(self, field: str, detail: str = "") -> None:
        """A value that must be given is missing."""
        self._add(field, "FieldValueRequired", "Required value", detail)

    def invalid(self, field: str, value: Any, detail: str) -> None:
        """A value that breaks a rule; `value` is what the message shows, OMIT for nothing."""
        self._add(field, "FieldValueInvalid", "Invalid value", detail, value)

    def type_invalid(self, field: str, value: Any, detail: str) -> None:
        """A value of a wrong type (custom resources)."""
        self._add(field, "FieldValueTypeInvalid", "Invalid value", detail, value)

    def not_supported(self, field: str, value: Any, supported: Iterable[str], *, keep_order: bool = False) -> None:
        """A value outside an enumeration; the supported ones are printed sorted unless `keep_order`."""
        values = list(supported) if keep_order else sorted(supported)
        detail = "supported values: " + ", ".join(go_quote(v) for v in values) if values else ""
        # An enumeration is a Go type of its own, and those are printed as JSON.
        self._add(field, "FieldValueNotSupported", "Unsupported value", detail, value, go_json)

    def one_of(self, field: str, value: Any, supported: Sequence[str]) -> None:
        """A value that must be one of an enumeration, which is printed in its own order."""
        if value not in supported:
            self.not_supported(field, value, supported, keep_order=True)

    def forbidden(self, field: str, detail: str) -> None:
        """A value that may not be given here."""
        self._add(field, "FieldValueForbidden", "Forbidden", detail)

    def duplicate(self, field: str, value: Any, detail: str = "") -> None:
        """A value that stands twice where it must be unique."""
        self._add(field, "FieldValueDuplicate", "Duplicate value", detail, value)

    def not_found(self, field: str, value: Any, detail: str = "") -> None:
        """A value that names something which does not exist."""
        self._add(field, "FieldValueNotFound", "Not found", detail, value)

    def too_long(self, field: str, limit: int) -> None:
        """A text of more than `limit` bytes."""
        detail = f"may not be more than {limit} bytes" if limit >= 0 else "value is too long"
        self._add(field, "FieldValueTooLong", "Too long", detail)

    def too_many(self, field: str, count: int, limit: int) -> None:
        """A list of `count` items where `limit` are allowed."""
        items = "items" if limit != 1 else "item"
        self._add(field, "FieldValueTooMany", f"Too many: {count}", f"must have at most {limit} {items}")

    def internal(self, field: str, detail: str) -> None:
        """The server failed to judge the value."""
        self._add(field, "InternalError", "Internal error", detail)
