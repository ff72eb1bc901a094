"""Warnings about node labels that were renamed. Follows pkg/api/node/util.go."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.api.validation import names
from kplan.hints import Any

Value = dict[str, Any]


def _since(release: str, label: str) -> str:
    return f'deprecated since {release}; use "{label}" instead'


MESSAGES = {
    "beta.kubernetes.io/arch": _since("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": _since("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": _since("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": _since("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": _since("v1.17", "node.kubernetes.io/instance-type"),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def in_map(selector: Value, at: str) -> Iterator[str]:
    """Old labels among the keys of a node selector map."""
    for key in selector:
        if key in MESSAGES:
            yield f"{at}[{key}]: {MESSAGES[key]}"


def in_selector(selector: Value | None, at: str) -> Iterator[str]:
    """Old labels in a v1.NodeSelector."""
    for i, term in enumerate((selector or {}).get("nodeSelectorTerms") or ()):
        yield from in_term(term, f"{at}.nodeSelectorTerms[{i}]", check_values=False)


def in_term(term: Value, at: str, *, check_values: bool) -> Iterator[str]:
    """Old labels, and with `check_values` impossible values, in a v1.NodeSelectorTerm."""
    for i, expression in enumerate(term.get("matchExpressions") or ()):
        key = expression.get("key") or ""
        if key in MESSAGES:
            yield f"{at}.matchExpressions[{i}].key: {key} is {MESSAGES[key]}"
        if not check_values:
            continue
        for n, value in enumerate(expression.get("values") or ()):
            for problem in names.label_value(value):
                yield f"{at}.matchExpressions[{i}].values[{n}]: {value} is invalid, {problem}"
