"""The JSONPath of printer columns: fields, indexes, wildcards and filters that compare with a constant.

The grammar is that of k8s.io/client-go/util/jsonpath as far as CustomResourceDefinitions use it. A path that is not
understood finds nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

_FIELD = re.compile(r"\.?((?:\\.|[^.\[\]\\])+)")
_INDEX = re.compile(r"\[\s*(-?\d{1,9}|\*)\s*\]")
_KEY = re.compile(r"""\[\s*(['"])(.*?)\1\s*\]""")
_FILTER = re.compile(r"""\[\?\(\s*@\.([^=!<>?\s]+)\s*(?:(==|!=)\s*(?:(['"])(.*?)\3|([^)\s]+))\s*)?\)\]""")
_ESCAPE = re.compile(r"\\(.)")


class Step(NamedTuple):
    """One step: `field` with a name, `index` with a number, `all`, or `filter` with a path, operator and constant."""

    kind: str
    name: str = ""
    position: int = 0
    operator: str = ""
    constant: str = ""


@lru_cache(maxsize=1024)
def parse(path: str) -> tuple[Step, ...] | None:
    """The steps of a path such as `.status.conditions[?(@.type=="Ready")].status`; None for another grammar."""
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps, at = [], 0
    while at < len(text):
        found = _step(text, at)
        if found is None:
            return None
        step, at = found
        steps.append(step)
    return tuple(steps)


def _step(text: str, at: int) -> tuple[Step, int] | None:
    if m := _INDEX.match(text, at):
        step = Step("all") if m[1] == "*" else Step("index", position=int(m[1]))
    elif m := _KEY.match(text, at):
        step = Step("field", _ESCAPE.sub(r"\1", m[2]))
    elif m := _FILTER.match(text, at):
        step = Step("filter", m[1], 0, m[2] or "", m[4] if m[4] is not None else m[5] or "")
    elif m := _FIELD.match(text, at):
        step = Step("all") if m[1] == "*" else Step("field", _ESCAPE.sub(r"\1", m[1]))
    else:
        return None
    return step, m.end()


def find(path: str, value: Any) -> list[Any]:
    """All values at a path; [] where there is none."""
    steps = parse(path)
    found = [value] if steps is not None else []
    for step in steps or ():
        found = [v for one in found for v in _take(step, one)]
    return found


def _take(step: Step, value: Any) -> list[Any]:
    if step.kind == "field":
        return [value[step.name]] if isinstance(value, dict) and step.name in value else []
    if step.kind == "all":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if not isinstance(value, list):
        return []
    if step.kind == "index":
        return [value[step.position]] if -len(value) <= step.position < len(value) else []
    return [v for v in value if _holds(step, v)]


def _holds(step: Step, value: Any) -> bool:
    found = find("." + step.name, value)
    if not step.operator:
        return bool(found)
    if not found:
        return False
    first = found[0]
    text = first if isinstance(first, str) else str(first).lower() if isinstance(first, bool) else str(first)
    return (text == step.constant) == (step.operator == "==")
