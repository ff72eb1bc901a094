"""The columns of custom resources, as their CustomResourceDefinition names them.

Follows apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kplan.render import age
from kplan.render.columns.cell import NAME, NAME_AND_AGE, Cell, Column, Now, Value, columns
from kplan.render.columns.jsonpath import find
from kplan.render.fields import plain


def custom(definitions: Iterable[Value]) -> tuple[Column, ...]:
    """Columns from `additionalPrinterColumns` of a version; NAME and AGE where there are none.

    A column with a priority above 0 is wide. The old `JSONPath` of v1beta1 is read too.
    """
    found = tuple(map(_column, definitions))
    return (*columns(NAME), *found) if found else NAME_AND_AGE


def _column(definition: Value) -> Column:
    priority = definition.get("priority")
    path = plain(definition.get("jsonPath") or definition.get("JSONPath"))
    wide = isinstance(priority, int) and priority > 0
    return Column(plain(definition.get("name")), _cell(path, plain(definition.get("type"))), wide)


def _cell(path: str, kind: str) -> Cell:
    def cell(obj: Value, now: Now) -> str:
        found = find(path, obj)
        return _text(found[0], kind, now) if found else ""

    return cell


def _text(value: Any, kind: str, now: Now) -> str:
    """One value; of a type that is not the column's it is left out, but as text all can be shown."""
    if kind == "date":
        return (age.since(value, now) if age.read(value) else age.INVALID) if isinstance(value, str) else ""
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if kind == "boolean":
        return plain(value) if isinstance(value, bool) else ""
    if kind in ("integer", "number") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(int(value)) if kind == "integer" else plain(value)
    return ""
