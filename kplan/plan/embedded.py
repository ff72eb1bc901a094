"""JSON and YAML documents inside text values, such as the files in a ConfigMap."""

from __future__ import annotations

import json

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.tuples import NamedTuple

# Larger texts are compared line by line: nobody reads a tree of that size.
_LIMIT = 256 * 1024
_YAML_NAMES = (".yaml", ".yml")


class Embedded(NamedTuple):
    """Both sides read as documents; `language` is json or yaml."""

    language: str
    before: Any
    after: Any


def read(before: str, after: str, name: str) -> Embedded | None:
    """The documents in two texts, if both hold a map, or both a list; `name` is the key the text stands under."""
    if max(len(before), len(after)) > _LIMIT:
        return None
    for language, reader in (("json", _json), ("yaml", _yaml)):
        if language == "yaml" and not name.lower().endswith(_YAML_NAMES):
            continue
        old, new = reader(before), reader(after)
        if isinstance(old, (dict, list)) and type(old) is type(new):
            return Embedded(language, old, new)
    return None


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _yaml(text: str) -> Any:
    from kplan import yamlio

    try:
        return yamlio.load_value(text, "")
    except KplanError:
        return None
