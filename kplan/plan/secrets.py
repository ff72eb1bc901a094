"""Secret values never reach a plan: they are replaced by numbered marks before anything is compared or printed.

Equal values get equal numbers within a run, so that a reader sees what changed and what is shared, but no value, no
length and no hash. What counts as secret: `data` and `stringData` of a Secret and their echoes in its annotations,
values whose name looks like a credential, and passwords in URLs and in configuration texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from kplan.hints import Any
from kplan.model import Placeholder
from kplan.patterns import lazy

Value = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_KEYS = r"(?:access|api|encryption|master|private|secret|session|signing)[_-]?key"
_WORDS = rf"(?:password|passwd|passphrase|secret|token|credentials?|{_KEYS})"
_NAME = lazy(rf"(?i)(?:.*(?:password|passwd|passphrase).*|.*{_WORDS}|.+[_-]pwd)(?:[_-]?\d+)?\Z")
_HARMLESS_NAME = lazy(
    r"(?i).*(?:file|path|dir|name|ref|length|ttl|expiry|enabled|policy|required|rotation|url|uri|host|port|type|mode)\Z"
)
_HARMLESS = lazy(r"(?i)(?:true|false|null|none|\$\(\w+\)|\$\{\w+\}|)\Z")
_URL = lazy(r"(?<=://)([^\s/:@\"']*):([^\s/@\"']+)(?=@)")
_LONE_USER = lazy(r"(?<=://)[^\s/:@\"']{20,}(?=@)")
_SETTING = lazy(
    rf"(?i)(?P<name>(?<![\w.-])[\w.-]*{_WORDS}[\"']?\s*[:=]\s*)(?P<quote>[\"']?)(?P<value>[^\s\"',;}}\]]+)(?P=quote)"
)
# A text that has none of this needs no closer look, but for its URLs.
_HINTS = ("passw", "passphrase", "secret", "token", "credential", "_pwd", "-pwd", "_key", "-key") + tuple(
    f"{kind}key" for kind in ("access", "api", "encryption", "master", "private", "session", "signing")
)
_SHORTEST = 3  # characters: a shorter text is found by chance
# Where configuration is written as text; elsewhere (descriptions) a sentence would be mistaken for it.
_TEXTS = {"data", "args", "command", "annotations", "env"}


class Masks:
    """The numbers of one run."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def of(self, secret: bytes) -> Placeholder:
        """The mark for a secret value: the same for the same value."""
        number = self._numbers.setdefault(secret, len(self._numbers) + 1)
        return Placeholder(f"(sensitive #{number})")


def as_stored(value: Value) -> Value:
    """A Secret as the server stores it: `stringData` moved over `data`; anything else as it is."""
    if value.get("kind") != "Secret" or value.get("apiVersion") != "v1" or "stringData" not in value:
        return value
    texts, data = value["stringData"], value.get("data")
    if not isinstance(texts, dict) or not isinstance(data, (dict, type(None))):
        return value
    added = {k: _base64(_bytes(v)) for k, v in texts.items()}
    return {k: v for k, v in value.items() if k != "stringData"} | {"data": {**(data or {}), **added}}


def _base64(data: bytes) -> str:
    from binascii import b2a_base64  # for secrets only

    return b2a_base64(data, newline=False).decode()


def _bytes(value: Any) -> bytes:
    return str("" if value is None else value).encode("utf-8", "surrogatepass")


def mask(value: Value, masks: Masks) -> Value:
    """The object without secret values, and without the annotation that repeats all of it."""
    value = _without_copies(value)
    if value.get("kind") == "Secret":
        value = _secret(value, masks)
    text = json.dumps(value, default=str)
    if "://" not in text and not _hints(text):
        return value
    found: Value = _walk(value, "", False, masks)
    return found


def _hints(text: str) -> bool:
    """Whether a text may hold a word for a credential. To other alphabets the patterns alone know the small letters."""
    small = text.lower()
    return not text.isascii() or any(hint in small for hint in _HINTS)


def redacted(text: str, sides: Iterable[tuple[Value, Value]]) -> str:
    """A text about objects without their secret values; `sides` are objects and what may be shown of them."""
    hidden = {secret: shown for value, masked in sides for secret, shown in _hidden(value, masked)}
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, hidden[secret])
    return text


def _hidden(value: Any, shown: Any) -> Iterator[tuple[str, str]]:
    """The texts that are shown as something else; a Secret's data in plain as well."""
    if isinstance(value, str) and isinstance(shown, str) and value != shown:
        for text in (value, _decoded(value).decode("utf-8", "replace")) if isinstance(shown, Placeholder) else (value,):
            if len(text) >= _SHORTEST:
                yield text, shown
    elif isinstance(value, dict) and isinstance(shown, dict):
        for k, v in value.items():
            yield from _hidden(v, shown.get(k))
    elif isinstance(value, list) and isinstance(shown, list):
        for v, s in zip(value, shown, strict=False):
            yield from _hidden(v, s)


def _without_copies(value: Value) -> Value:
    meta = value.get("metadata")
    if not isinstance(meta, dict):
        return value
    notes = meta.get("annotations")
    kept = {k: v for k, v in meta.items() if k != "managedFields"}
    if isinstance(notes, dict) and LAST_APPLIED in notes:
        kept["annotations"] = {k: v for k, v in notes.items() if k != LAST_APPLIED}
        if not kept["annotations"]:
            del kept["annotations"]
    return value if kept == meta else {**value, "metadata": kept}


def _secret(value: Value, masks: Masks) -> Value:
    out = dict(value)
    known: dict[str, Placeholder] = {}
    for part in ("data", "stringData"):
        entries = value.get(part)
        if not isinstance(entries, dict):
            if entries is not None:
                out[part] = masks.of(_bytes(entries))
            continue
        out[part] = {k: _entry(v, part, masks, known) for k, v in entries.items()}
    rest = {k: v for k, v in out.items() if k not in ("data", "stringData")}
    return {k: _strings(v, lambda s: _echo(s, known)) for k, v in rest.items()} | {
        k: out[k] for k in ("data", "stringData") if k in out
    }


def _entry(value: Any, part: str, masks: Masks, known: dict[str, Placeholder]) -> Any:
    if value is None or value == "":
        return value
    plain = _decoded(value) if part == "data" else _bytes(value)
    mark = masks.of(plain)
    for text in (plain.decode("utf-8", "replace"), str(value), _base64(plain)):
        if len(text) >= 4:
            known[text] = mark
    return mark


def _decoded(value: Any) -> bytes:
    from binascii import a2b_base64  # for secrets only

    try:
        return a2b_base64(_bytes(value), strict_mode=True)
    except ValueError:
        return _bytes(value)


def _echo(text: str, known: dict[str, Placeholder]) -> str:
    for secret, mark in known.items():
        if secret in text:
            text = text.replace(secret, mark)
    return text


def _strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {k: _strings(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [_strings(v, change) for v in value]
    return value


def _walk(value: Any, parent: str, texts: bool, masks: Masks) -> Any:
    """`parent` is the field that the value stands under, `texts` whether texts here may be configuration."""
    if isinstance(value, str):
        return _text(value, texts, masks)
    if isinstance(value, dict):
        if parent == "env" and isinstance(value.get("value"), str):
            return {**value, "value": _named(str(value.get("name", "")), value["value"], True, masks)}
        return {k: _named(k, v, texts or k in _TEXTS, masks) for k, v in value.items()}
    if isinstance(value, list):
        return [_walk(item, parent, texts, masks) for item in value]
    return value


def _named(name: str, value: Any, texts: bool, masks: Masks) -> Any:
    if not isinstance(value, str):
        return _walk(value, name, texts, masks)
    if not isinstance(value, Placeholder) and looks_secret(name):
        return value if _HARMLESS.match(value) else masks.of(_bytes(value))
    return _text(value, texts, masks)


@lru_cache(maxsize=4096)
def looks_secret(name: str) -> bool:
    """Whether a field or variable of this name holds a credential."""
    return _hints(name) and bool(_NAME.match(name)) and not _HARMLESS_NAME.match(name)


def _text(text: str, texts: bool, masks: Masks) -> str:
    if isinstance(text, Placeholder):
        return text
    if "://" in text:
        text = _URL.sub(lambda m: f"{m[1]}:{_part(m[2], masks)}", text)
        text = _LONE_USER.sub(lambda m: _part(m[0], masks), text)
    if texts and ("=" in text or ":" in text) and _hints(text):
        text = _SETTING.sub(lambda m: _setting(m, masks), text)
    return text


def _setting(m: re.Match[str], masks: Masks) -> str:
    part = _part(m["value"], masks)
    # In quotes, because ` #` starts a comment in YAML.
    quote = m["quote"] or ("" if part == m["value"] else '"')
    return f"{m['name']}{quote}{part}{quote}"


def _part(secret: str, masks: Masks) -> str:
    return secret if _HARMLESS.match(secret) or "sensitive #" in secret else masks.of(_bytes(secret))
