"""What a stored custom resource may keep although the schema of its kind does not allow it (any more): KEP-4008 and
"Validation ratcheting" in the documentation of custom resources."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan
from tests.definitions import definition

Value = dict[str, Any]

SMALL: Value = {"type": "integer", "maximum": 5}
TEXT: Value = {"type": "string"}


def changed(property_: Value, old: Any, new: Any, version: str = "1.36") -> list[str]:
    """What is said to a change of a property, and of another one, of an object that is stored."""
    tool = {"apiVersion": "example.org/v1", "kind": "Tool", "metadata": {"name": "a"}, "spec": {"a": old}}
    spec = {"type": "object", "properties": {"a": property_, "other": TEXT}}
    cluster = kplan.Cluster([definition(spec), tool], version=version)
    sent = copy.deepcopy(cluster.get(tool))
    assert sent is not None
    sent["spec"] = {"a": new, "other": "changes"}
    answer = cluster.apply([sent], mode="replace", dry_run=True)[0]
    return [f"{c.field} {c.reason.removeprefix('FieldValue')}" for c in answer.causes]


def ruled(rule: str, **more: Any) -> Value:
    return {**TEXT, "x-kubernetes-validations": [{"rule": rule, **more}]}


KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}
ITEM = {"type": "object", "required": ["n"], "properties": {"n": TEXT, "size": SMALL}}
NAMED = {"type": "object", "required": ["name"], "properties": {"name": TEXT, "size": SMALL}}
SET = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}


@pytest.mark.parametrize(
    ("property_", "old", "new", "causes"),
    [
        (SMALL, 9, 9, []),
        (SMALL, 9, 8, ["spec.a Invalid"]),
        (SMALL, 9, 3, []),
        # What is inside of something that changed is looked at on its own, and what is required belongs to the whole.
        (NAMED, {"name": "x", "size": 9}, {"name": "y", "size": 9}, []),
        (NAMED, {"size": 9}, {"size": 9}, []),
        (NAMED, {"size": 9}, {"size": 3}, ["spec.a.name Required"]),
        # Items are known again by their keys only.
        ({"type": "array", "items": SMALL}, [9], [9], []),
        ({"type": "array", "items": SMALL}, [9], [9, 1], ["spec.a[0] Invalid"]),
        ({"type": "array", "items": ITEM, **KEYED}, [{"n": "x", "size": 9}], [{"n": "y"}, {"n": "x", "size": 9}], []),
        (
            {"type": "array", "items": ITEM, **KEYED},
            [{"n": "x", "size": 9}],
            [{"n": "y", "size": 9}, {"n": "x", "size": 9}],
            ["spec.a[0].size Invalid"],
        ),
        ({"type": "object", "additionalProperties": SMALL}, {"x": 9}, {"x": 9, "y": 1}, []),
        # Alternatives are judged as a whole.
        ({**NAMED, "anyOf": [{"required": ["size"]}]}, {"name": "x"}, {"name": "x"}, []),
        (
            {**NAMED, "anyOf": [{"required": ["size"]}]},
            {"name": "x"},
            {"name": "y"},
            ["<nil> Invalid", "spec.a.size Required"],
        ),
        # A list that had duplicates may have others.
        (SET, ["x", "x"], ["x", "x", "y", "y"], []),
        (SET, ["x"], ["x", "y", "y"], ["spec.a[2] Duplicate"]),
        # So it is with rules, unless they are about the change itself.
        (ruled("self.startsWith('k')"), "x", "x", []),
        (ruled("self.startsWith('k')"), "x", "y", ["spec.a Invalid"]),
        (ruled("oldSelf != 'x'"), "x", "x", ["spec.a Invalid"]),
        ({"type": "array", "items": ruled("self.startsWith('k')")}, ["x"], ["x"], []),
        ({"type": "array", "items": ruled("self.startsWith('k')")}, ["x"], ["x", "k"], ["spec.a[0] Invalid"]),
    ],
)
def test_what_is_as_it_was_is_not_judged_again(property_: Value, old: Any, new: Any, causes: list[str]) -> None:
    assert changed(property_, old, new) == causes


@pytest.mark.parametrize(("version", "causes"), [("1.29", ["spec.a Invalid"]), ("1.30", [])])
def test_ratcheting_is_on_since_1_30(version: str, causes: list[str]) -> None:
    assert changed(SMALL, 9, 9, version) == causes
    assert changed(ruled("self.startsWith('k')"), "x", "x", version) == causes
