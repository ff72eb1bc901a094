"""Looking into JSON values of any shape: what is not there, or of another type, is absent or empty, never an error."""

from __future__ import annotations

from kplan.hints import Any
from kplan.model import ABSENT

Value = dict[str, Any]


def get(value: Any, names: tuple[str, ...]) -> Any:
    """The value at a place made of field names only; ABSENT where there is none."""
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def submap(value: Any, *names: str) -> Value:
    """The map at a place; {} where there is none."""
    found = get(value, names)
    return found if isinstance(found, dict) else {}


def items(value: Any, *names: str) -> list[Value]:
    """The maps in the list at a place; [] where there is none."""
    found = get(value, names)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
