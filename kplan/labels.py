"""Label selectors: matching, and the comma-separated text form.

Semantics of k8s.io/apimachinery/pkg/labels (selector.go) and metav1.LabelSelectorAsSelector: an absent selector
selects nothing, an empty one everything. A requirement `NotIn` or `DoesNotExist` holds for an absent key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Requirement(NamedTuple):
    """One condition on one key; `operator` is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy this condition; an unknown operator never does."""
        have = labels.get(self.key)
        match self.operator:
            case "In":
                return have is not None and have in self.values
            case "NotIn":
                return have is None or have not in self.values
            case "Exists":
                return have is not None
            case "DoesNotExist":
                return have is None
            case "Gt" | "Lt":
                return have is not None and _compares(have, self.operator, self.values)
        return False


def _compares(have: str, operator: str, values: tuple[str, ...]) -> bool:
    if len(values) != 1:
        return False
    try:
        a, b = int(have), int(values[0])
    except ValueError:
        return False
    return a > b if operator == "Gt" else a < b


def requirements(selector: Mapping[str, Any]) -> list[Requirement]:
    """The conditions of a metav1.LabelSelector (matchLabels and matchExpressions), sorted by key."""
    out = [Requirement(k, "In", (str(v),)) for k, v in (selector.get("matchLabels") or {}).items()]
    for e in selector.get("matchExpressions") or ():
        values = tuple(str(v) for v in e.get("values") or ())
        out.append(Requirement(str(e.get("key", "")), str(e.get("operator", "")), values))
    return sorted(out)


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a metav1.LabelSelector selects these labels: None selects nothing, {} everything."""
    if selector is None:
        return False
    have = labels or {}
    want = selector.get("matchLabels")
    if want and any(have.get(k) != v for k, v in want.items()):
        return False
    expressions = selector.get("matchExpressions")
    return not expressions or all(r.matches(have) for r in requirements({"matchExpressions": expressions}))


def matches_map(selector: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a plain map selector (Service, ReplicationController) selects these labels; {} selects nothing."""
    have = labels or {}
    return bool(selector) and all(have.get(k) == v for k, v in (selector or {}).items())


_TERM = re.compile(
    r"""\s*(?:
      !\s*(?P<absent>[^\s,=!()]+)
    | (?P<key>[^\s,=!()<>]+)\s*(?:
        (?P<op>==|=|!=|>|<)\s*(?P<value>[^\s,()]*)
      | (?P<set>in|notin)\s*\((?P<values>[^()]*)\)
      )?
    )\s*(?:,|\Z)""",
    re.VERBOSE,
)


def parse(text: str) -> list[Requirement]:
    """Read a text selector such as `app=web,tier!=db,env in (a, b),!old`; raises ValueError with the place."""
    out: list[Requirement] = []
    at = 0
    while at < len(text.rstrip()):
        m = _TERM.match(text, at)
        if m is None:
            raise ValueError(f"unable to parse requirement at {text[at:]!r}")
        out.append(_requirement(m))
        at = m.end()
    return sorted(out)


def _requirement(m: re.Match[str]) -> Requirement:
    if m["absent"]:
        return Requirement(m["absent"], "DoesNotExist")
    if m["set"]:
        values = tuple(sorted(v.strip() for v in m["values"].split(",")))
        return Requirement(m["key"], "In" if m["set"] == "in" else "NotIn", values)
    if m["op"]:
        operator = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt"}[m["op"]]
        return Requirement(m["key"], operator, (m["value"],))
    return Requirement(m["key"], "Exists")


def match_all(conditions: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether the labels satisfy every condition."""
    return all(r.matches(labels) for r in conditions)
