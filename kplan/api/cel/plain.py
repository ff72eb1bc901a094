"""The values of expressions as JSON, for those who put them into objects."""

from __future__ import annotations

import math

from kplan.api.cel import library
from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import Duration, Optional, Timestamp, is_number, type_name
from kplan.hints import Any


def plain(value: Any) -> Any:
    """The value as JSON holds it: bytes as base64, times as text, an optional as what it holds. Raises EvalError."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, dict):
        return {_key(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if is_number(value) and math.isfinite(value):
        return value if isinstance(value, float) else int(value)
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode()
    if isinstance(value, (Duration, Timestamp)):
        return library.call("string", [value])
    if isinstance(value, Optional):
        return plain(value.inner) if value.present else None
    raise EvalError(f"a value of type {type_name(value)} has no form in JSON")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise EvalError(f"unsupported key type: {type_name(key)}")
    return key
