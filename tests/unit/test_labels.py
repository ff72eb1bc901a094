"""Label selectors: every operator, the text form, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kplan import labels
from kplan.labels import Requirement

WEB = {"app": "web", "tier": "front", "rank": "10", "empty": ""}

CONDITIONS = [
    (Requirement("app", "In", ("web", "api")), True),
    (Requirement("app", "In", ("api",)), False),
    (Requirement("app", "In", ()), False),
    (Requirement("nope", "In", ("",)), False),
    (Requirement("empty", "In", ("",)), True),
    (Requirement("app", "NotIn", ("api",)), True),
    (Requirement("app", "NotIn", ("web",)), False),
    (Requirement("nope", "NotIn", ("web",)), True),
    (Requirement("app", "Exists"), True),
    (Requirement("nope", "Exists"), False),
    (Requirement("app", "DoesNotExist"), False),
    (Requirement("nope", "DoesNotExist"), True),
    (Requirement("rank", "Gt", ("9",)), True),
    (Requirement("rank", "Gt", ("10",)), False),
    (Requirement("rank", "Lt", ("11",)), True),
    (Requirement("rank", "Lt", ("1_1",)), False),
    (Requirement("rank", "Lt", ("99999999999999999999",)), False),
    (Requirement("app", "Gt", ("1",)), False),
    (Requirement("nope", "Gt", ("1",)), False),
    (Requirement("rank", "Gt", ("1", "2")), False),
    (Requirement("app", "Equals", ("web",)), False),
]

SELECTORS: list[tuple[Any, bool]] = [
    (None, False),
    ({}, True),
    ({"matchLabels": {}}, True),
    ({"matchLabels": {"app": "web"}}, True),
    ({"matchLabels": {"app": "web", "tier": "back"}}, False),
    ({"matchLabels": ["app"]}, False),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
    ({"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "x", "operator": "DoesNotExist"}]}, True),
    ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]},
     False),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": "web"}]}, False),
]  # fmt: skip

TEXTS = [
    ("", []),
    ("  ", []),
    ("app", [Requirement("app", "Exists")]),
    ("!app", [Requirement("app", "DoesNotExist")]),
    ("! app", [Requirement("app", "DoesNotExist")]),
    ("app=web", [Requirement("app", "In", ("web",))]),
    ("app==web", [Requirement("app", "In", ("web",))]),
    ("app = web , tier!=db", [Requirement("app", "In", ("web",)), Requirement("tier", "NotIn", ("db",))]),
    ("app=", [Requirement("app", "In", ("",))]),
    ("app!=", [Requirement("app", "NotIn", ("",))]),
    ("b,a", [Requirement("a", "Exists"), Requirement("b", "Exists")]),
    ("x in (b, a)", [Requirement("x", "In", ("a", "b"))]),
    ("x notin(a)", [Requirement("x", "NotIn", ("a",))]),
    ("x in ()", [Requirement("x", "In", ("",))]),
    ("x in (a,,b)", [Requirement("x", "In", ("", "a", "b"))]),
    ("x in (,)", [Requirement("x", "In", ("",))]),
    ("in in (in,notin)", [Requirement("in", "In", ("in", "notin"))]),
    ("x=in", [Requirement("x", "In", ("in",))]),
    ("x>1,y<2", [Requirement("x", "Gt", ("1",)), Requirement("y", "Lt", ("2",))]),
    ("example.com/app=a.b_c-d", [Requirement("example.com/app", "In", ("a.b_c-d",))]),
]

WRONG = [
    (",", "found ',', expected: identifier"),
    ("a=b,", "found '', expected: identifier after ','"),
    ("a,,b", "found ',', expected: identifier after ','"),
    ("a b", "found 'b', expected: in, notin, =, ==, !=, >, <"),
    ("a=b c", "found 'c', expected: ',' or 'end of string'"),
    ("a=b=c", "found '=', expected: ',' or 'end of string'"),
    ("!a=b", "found '=', expected: ',' or 'end of string'"),
    ("!", "found '', expected: identifier"),
    ("x in", "found '', expected: '('"),
    ("x in a", "found 'a', expected: '('"),
    ("x in (a", "found '', expected: ',' or ')'"),
    ("x in (a b)", "found 'b', expected: ',' or ')'"),
    ("x>a", "'a' after > is no integer"),
    ("a/b/c", "'a/b/c' is no label key"),
    ("-a", "'-a' is no label key"),
    ("x<-2", "'-2' is no label value"),
    ("a=-b", "'-b' is no label value"),
    ("a=" + "b" * 64, f"'{'b' * 64}' is no label value"),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS)
def test_operators(condition: Requirement, holds: bool) -> None:
    assert condition.matches(WEB) is holds


@pytest.mark.parametrize(("selector", "selects"), SELECTORS)
def test_selectors(selector: Any, selects: bool) -> None:
    assert labels.matches(selector, WEB) is selects
    if selector:
        assert labels.match_all(labels.requirements(selector), WEB) is (selects or selector == {"matchLabels": ["app"]})


def test_absent_labels() -> None:
    assert labels.matches({}, None)
    assert not labels.matches({"matchLabels": {"a": "b"}}, None)
    assert not labels.matches_map({"a": "b"}, None)


@pytest.mark.parametrize(
    ("selector", "selects"), [({"app": "web"}, True), ({"app": "x"}, False), ({}, False), (None, False)]
)
def test_map_selectors(selector: dict[str, str] | None, selects: bool) -> None:
    assert labels.matches_map(selector, WEB) is selects


@pytest.mark.parametrize(("text", "conditions"), TEXTS)
def test_parse(text: str, conditions: list[Requirement]) -> None:
    assert labels.parse(text) == conditions


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_text(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        labels.parse(text)
    assert str(error.value) == f"unable to parse requirement: {message}"


@pytest.mark.parametrize("text", ["a", "!a", "a=b", "a!=b", "a in (b,c)", "a notin (b,c)", "a>1", "a<1"])
def test_printed_and_read_again(text: str) -> None:
    assert [str(r) for r in labels.parse(text)] == [text]


def test_hostile_selectors() -> None:
    wrong = {"matchLabels": 1, "matchExpressions": [1, None, {"operator": []}, {"key": "a", "values": {"x": 1}}]}
    assert [r.key for r in labels.requirements(wrong)] == ["", "a"]
    assert labels.requirements({"matchExpressions": 7}) == []
