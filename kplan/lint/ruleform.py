"""The published form of a rule file, schemas/kplan/rule.schema.json, applied to rules of users once they are parsed.

kplan's own rules are held to it by their tests, so that a run need not load a JSON Schema library for them.
"""

from __future__ import annotations

from functools import cache

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import format_path
from kplan.resources import data_dir

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@cache
def _validator() -> Validator:
    import json

    from jsonschema import Draft202012Validator
    from referencing import Registry

    schema = json.loads((data_dir("schemas") / "kplan" / "rule.schema.json").read_text(encoding="utf-8"))
    # An empty registry: a reference is never fetched.
    return Draft202012Validator(schema, registry=Registry())


def check_form(data: Any) -> None:
    """Raise ValueError with the place and the most telling fault of a rule that does not have the form."""
    from jsonschema.exceptions import best_match

    fault = best_match(_validator().iter_errors(data))
    if fault is not None:
        place = format_path(tuple(fault.absolute_path)) or "the rule"
        raise ValueError(f"{place}: {fault.message}"[:400])
