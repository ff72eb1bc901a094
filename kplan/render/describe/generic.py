"""Any other kind: all fields in the order of their names, as kubectl describes what it does not know.

Layout of k8s.io/kubectl/pkg/describe (genericDescriber).
"""

from __future__ import annotations

import re
from typing import Any

from kplan.model import Path
from kplan.render.describe import events
from kplan.render.describe.context import Context, Value
from kplan.render.describe.lines import Lines, head
from kplan.render.fields import plain
from kplan.workloads import get

_ACRONYMS = frozenset(("API", "URL", "UID", "OSB", "GUID"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[^A-Za-z]+")
_SHOWN_ABOVE: frozenset[Path] = frozenset(
    ("metadata", name) for name in ("annotations", "labels", "managedFields", "name", "namespace")
)


def generic(out: Lines, obj: Value, context: Context) -> None:
    """Name, namespace, labels, annotations, and then every field."""
    head(out, obj, "name")
    out.add(0, "Namespace:", plain(get(obj, "metadata", "namespace")))
    head(out, obj, "labels", "annotations")
    _map(out, 0, obj, ())
    events.write(out, obj, context)


def label(field: str) -> str:
    """The name of a field in words: `apiVersion` is `API Version`; one with digits or signs stays as it is."""
    if not all(c.isalpha() or c == "-" for c in field):
        return field
    words = (w for w in _WORD.findall(field) if w != "_")
    return " ".join(w.upper() if w.upper() in _ACRONYMS else w[:1].upper() + w[1:] for w in words)


def _map(out: Lines, level: int, value: Value, path: Path) -> None:
    for field in sorted(value):
        here = (*path, field)
        found = value[field]
        if here in _SHOWN_ABOVE:
            continue
        if isinstance(found, dict):
            out.add(level, f"{label(field)}:")
            _map(out, level + 1, found, here)
        elif isinstance(found, list):
            out.add(level, f"{label(field)}:")
            _list(out, level + 1, found, here)
        else:
            out.add(level, f"{label(field)}:", "<nil>" if found is None else plain(found))


def _list(out: Lines, level: int, items: list[Any], path: Path) -> None:
    for item in items:
        if isinstance(item, dict):
            _map(out, level, item, path)
        else:
            out.add(level, plain(item))
