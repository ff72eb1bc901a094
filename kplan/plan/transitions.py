"""Immutable fields of custom resources: the transition rules in their CustomResourceDefinition.

A rule of x-kubernetes-validations that speaks of `oldSelf` judges updates (KEP-2876). The forms in which people say
"immutable" are recognised; any other rule is left alone, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.model import Change
from kplan.patterns import lazy
from kplan.plan.patterns import Names, covers, matches
from kplan.plan.values import get, items, submap
from kplan.tuples import NamedTuple

Value = dict[str, Any]

_EQUAL = lazy(r"(?:self((?:\.\w+)*)==oldSelf\1|oldSelf((?:\.\w+)*)==self\2)\Z")
_SAME_PRESENCE = lazy(r"(?:has\(self((?:\.\w+)+)\)==has\(oldSelf\1\)|has\(oldSelf((?:\.\w+)+)\)==has\(self\2\))\Z")
_GUARDS = (
    (lazy(r"!has\(oldSelf(?:\.\w+)+\)\Z"), "create"),
    (lazy(r"!has\(self(?:\.\w+)+\)\Z"), "delete"),
    (lazy(r"oldSelf(?:\.\w+)*==(?:''|\"\")\Z"), "empty"),
)
# A rule that says "immutable" is short; a long one would only cost time.
_LONGEST = 1000
_PRESENT = lazy(r"has\((?:self|oldSelf)(?:\.\w+)+\)\Z")


class Transition(NamedTuple):
    """A place that may not change. `free` is what is allowed all the same: create, delete, to fill an empty one."""

    path: Names
    message: str
    free: frozenset[str] = frozenset()

    def forbids(self, names: Names, change: Change) -> bool:
        """Whether this change at this place is refused."""
        if not covers(self.path, names):
            return False
        if matches(self.path, names):
            return change.op not in self.free and not ("empty" in self.free and change.before == "")
        return True


def transitions(crd: Value, version: str) -> tuple[Transition, ...]:
    """The immutable places of a version of a CustomResourceDefinition (v1)."""
    for one in items(crd, "spec", "versions"):
        if one.get("name") == version:
            return tuple(_walk(submap(one, "schema", "openAPIV3Schema"), ()))
    return ()


def _walk(schema: Any, path: Names) -> Iterator[Transition]:
    if not isinstance(schema, dict):
        return
    for rule in items(schema, "x-kubernetes-validations"):
        if "oldSelf" in str(rule.get("rule")):
            text = str(rule["rule"])
            if len(text) > _LONGEST:
                continue
            message = str(rule.get("message") or f"failed rule: {' '.join(text.split())}")
            for sub, free in _restrictions("".join(text.split())):
                yield Transition((*path, *sub), message, free)
    for name, inner in submap(schema, "properties").items():
        yield from _walk(inner, (*path, str(name)))
    for word in ("items", "additionalProperties"):
        yield from _walk(schema.get(word), (*path, "*"))


def _restrictions(rule: str) -> Iterator[tuple[Names, frozenset[str]]]:
    """What a rule (without spaces) forbids: (place below self, what stays free)."""
    rule = _bare(rule)
    alternatives = _split(rule, "||")
    if len(alternatives) > 1:
        yield from _guarded(alternatives)
        return
    clauses = _split(rule, "&&")
    if len(clauses) > 1:
        for clause in clauses:
            yield from _restrictions(clause)
        return
    presence = _SAME_PRESENCE.match(rule)
    if presence:
        yield _names(presence), frozenset({"update"})
    equal = _EQUAL.match(rule)
    if equal:
        place = _names(equal)
        # A rule on the value itself is only asked when there is an old and a new one.
        yield place, frozenset() if place else frozenset({"create", "delete"})


def _guarded(alternatives: list[str]) -> Iterator[tuple[Names, frozenset[str]]]:
    free: set[str] = set()
    rest = []
    for alternative in map(_bare, alternatives):
        allowed = {_allowed(clause) for clause in _split(alternative, "&&")}
        if "" in allowed:
            rest.append(alternative)
        elif len(allowed) == 1:  # two guards together (neither side has it) free nothing that is a change
            free |= allowed
    if len(rest) != 1:
        return
    for clause in _split(rest[0], "&&"):
        equal = _EQUAL.match(_bare(clause))
        if equal:
            place = _names(equal)
            yield place, frozenset(free) | (frozenset() if place else frozenset({"create", "delete"}))
        elif not _PRESENT.match(_bare(clause)):
            return


def _allowed(clause: str) -> str:
    return next((word for pattern, word in _GUARDS if pattern.match(_bare(clause))), "")


def _names(m: re.Match[str]) -> Names:
    return tuple((m[1] or m[2] or "").strip(".").split(".")) if (m[1] or m[2]) else ()


def _bare(rule: str) -> str:
    while rule.startswith("(") and rule.endswith(")") and _closes(rule) == len(rule) - 1:
        rule = rule[1:-1]
    return rule


def _closes(rule: str) -> int:
    depth = 0
    for at, char in enumerate(rule):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at
    return -1


def _split(rule: str, operator: str) -> list[str]:
    parts, depth, start, at = [], 0, 0, 0
    while at < len(rule):
        depth += (rule[at] in "([{") - (rule[at] in ")]}")
        if depth == 0 and rule.startswith(operator, at):
            parts.append(rule[start:at])
            at += len(operator)
            start = at
        else:
            at += 1
    return [*parts, rule[start:]]


def of_crds(crds: Iterable[Value], group: str, kind: str, version: str) -> tuple[Transition, ...]:
    """The immutable places of a custom resource, by the CustomResourceDefinition among these that defines it."""
    for crd in crds:
        if (get(crd, ("spec", "group")), get(crd, ("spec", "names", "kind"))) == (group, kind):
            return transitions(crd, version)
    return ()
