"""Saved plans: a plan with the fingerprints of what it was made from, as one JSON document.

A saved plan holds no secret value. The fingerprints cover secrets all the same, so they are salted and slow to compute:
nobody learns a short password by trying.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from kplan import model
from kplan.model import ABSENT, Absent, Change, Placeholder, Plan
from kplan.sealed import Format, damaged

FORMAT = Format("kplan-plan", "plan")
AGAIN = "make the plan again"

_ROUNDS = 100_000
_CLASSES: Mapping[str, Any] = {
    name: getattr(model, name)
    for name in ("Action", "Change", "Ignored", "Plan", "PlanCounts", "Ref", "Skipped", "Span", "Unreadable")
}
# Fields that hold values of the user's: what is a list there stays one.
_VALUES = {"before", "after"}
_TAG = "$"


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan, the request that led to it (plain JSON values) and the fingerprints of the current and desired side."""

    plan: Plan
    request: Mapping[str, Any]
    salt: str
    fingerprints: tuple[str, str]


def fingerprint(values: Iterable[Any], salt: str) -> str:
    """A digest of JSON values, the same in whatever order they come."""
    texts = sorted(json.dumps(v, sort_keys=True, ensure_ascii=True, default=str) for v in values)
    plain = hashlib.sha256("\n".join(texts).encode()).digest()
    return hashlib.pbkdf2_hmac("sha256", plain, salt.encode(), _ROUNDS).hex()


def dump(saved: Saved, tool: str) -> str:
    """The text of a saved plan; `tool` is the version of kplan that made it."""
    content = {
        "request": dict(saved.request),
        "salt": saved.salt,
        "fingerprints": list(saved.fingerprints),
        "plan": _encode(saved.plan),
    }
    return FORMAT.seal(content, tool)


def load(text: str, name: str) -> Saved:
    """The saved plan in a text. Raises KplanError if it is none, damaged, or of a newer format; `name` is its file."""
    content = FORMAT.unseal(text, name, AGAIN)
    try:
        plan = _decode(content["plan"])
        salt, (current, desired) = str(content["salt"]), content["fingerprints"]
        request = dict(content["request"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise damaged(name, AGAIN) from error
    if not isinstance(plan, Plan):
        raise damaged(name, AGAIN)
    return Saved(plan, request, salt, (str(current), str(desired)))


def _encode(value: Any) -> Any:
    if isinstance(value, Placeholder):
        return {_TAG: "Placeholder", "text": str(value)}
    if isinstance(value, Absent):
        return {_TAG: "Absent"}
    if is_dataclass(value) and not isinstance(value, type):
        return {_TAG: type(value).__name__} | {n: _encode(v) for n, v in _told(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {_TAG: type(value).__name__} | {n: _encode(v) for n, v in value._asdict().items()}
    if isinstance(value, Mapping):
        inner = {k: _encode(v) for k, v in value.items()}
        return {_TAG: "map", "of": inner} if _TAG in inner else inner
    if isinstance(value, (list, tuple)):
        return [_encode(v) for v in value]
    return value


def _told(value: Any) -> Iterable[tuple[str, Any]]:
    """The fields that say something: not defaults, nor the values of a node whose parts say it all."""
    for f in fields(value):
        content = getattr(value, f.name)
        if content == f.default and type(content) is type(f.default):
            continue
        if isinstance(value, Change) and value.container in ("map", "list") and f.name in _VALUES:
            continue
        yield f.name, content


def _decode(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_decode(v) for v in raw]
    if not isinstance(raw, dict):
        return raw
    tag = raw.get(_TAG)
    if tag is None:
        return {k: _decode(v) for k, v in raw.items()}
    if tag == "map":
        return {k: _decode(v) for k, v in raw["of"].items()}
    if tag == "Absent":
        return ABSENT
    if tag == "Placeholder":
        text = str(raw["text"])
        return model.KNOWN_AFTER_APPLY if text == model.KNOWN_AFTER_APPLY else Placeholder(text)
    inner = {k: _decode(v) for k, v in raw.items() if k != _TAG}
    return _CLASSES[tag](**{k: v if k in _VALUES else _frozen(v) for k, v in inner.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
