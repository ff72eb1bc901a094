"""Functions over lists that came late (https://github.com/kubernetes/kubernetes/pull/131700), and who may use them."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.api import cel
from tests.definitions import definition

ENVIRONMENT = cel.Environment()


def value(source: str) -> Any:
    return cel.compile(source, ENVIRONMENT).evaluate({})[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[3, 1, 2].sort()", [1, 2, 3]),
        ("['b', 'a'].sort()", ["a", "b"]),
        ("[1, 2, 2, 3, 1].distinct()", [1, 2, 3]),
        ("['b', 'a', 'b'].distinct()", ["b", "a"]),
        ("[1, 2, 3].reverse()", [3, 2, 1]),
        ("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
        ("[[1], [2, 3]].flatten()", [1, 2, 3]),
        ("[[[1]], [[2, 3]]].flatten(2)", [1, 2, 3]),
        ("lists.range(3)", [0, 1, 2]),
        ("[{'n': 'b', 'i': '2'}, {'n': 'a', 'i': '1'}].sortBy(e, e.n).map(e, e.i)", ["1", "2"]),
        ("['x', 'y'].reverse()[0]", "y"),
        ("strings.quote('a')", '"a"'),
    ],
)
def test_lists(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[1, 2].slice(1, 3)", "cannot slice(1, 3), list is length 2"),
        ("[1, 2].slice(2, 1)", "cannot slice(2, 1), start index must be less than or equal to end index"),
        ("[1, 2].slice(-1, 1)", "cannot slice(-1, 1), negative indexes not supported"),
        ("dyn([1]).flatten(-1)", "level must be non-negative"),
        ("[1, 2].sortBy(e, [e])", "list elements must be comparable"),
    ],
)
def test_what_has_no_value(source: str, message: str) -> None:
    with pytest.raises(cel.EvalError, match=message.replace("(", r"\(").replace(")", r"\)")):
        value(source)


@pytest.mark.parametrize("source", ["lists.range(1000000000)", "lists.range(2000).distinct()"])
def test_work_is_limited(source: str) -> None:
    with pytest.raises(cel.BudgetError):
        value(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[[1]].sort()", "found no matching overload for 'sort' applied to 'list(list(int)).()'"),
        ("[1].slice('a', 1)", "found no matching overload for 'slice' applied to 'list(int).(string, int)'"),
        ("[1].flatten()", "found no matching overload for 'flatten' applied to 'list(int).()'"),
    ],
)
def test_types(source: str, message: str) -> None:
    with pytest.raises(cel.CompileError) as error:
        cel.compile(source, ENVIRONMENT)
    assert error.value.issues[0].message == message


def ruled(rule: str) -> dict[str, Any]:
    names = {"type": "array", "maxItems": 9, "items": {"type": "string", "maxLength": 9}}
    return definition({**names, "x-kubernetes-validations": [{"rule": rule}]})


@pytest.mark.parametrize(
    ("rule", "name", "since"),
    [
        ("self.sort() == self", "sort", 35),
        ("self.sortBy(e, e) == self", "sortBy", 35),
        ("lists.range(2).size() == 2", "lists.range", 35),
        ("semver(self[0]).major() == 1", "semver", 34),
        ("self.all(e, isIP(e))", "isIP", 31),
        ("sets.contains(self, ['a'])", "sets.contains", 30),
    ],
)
def test_a_definition_may_use_what_its_release_has(rule: str, name: str, since: int) -> None:
    assert kplan.admit(ruled(rule), version=f"1.{since}").accepted
    older = kplan.admit(ruled(rule), version=f"1.{since - 1}")
    assert not older.accepted
    assert f"undeclared reference to '{name}' (in container '')" in older.causes[0].message
