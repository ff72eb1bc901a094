"""Saved plans: what is written comes back, and what is damaged, foreign or newer is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kplan.cluster import Cluster
from kplan.errors import KplanError
from kplan.model import ABSENT, Action, Change, Placeholder, Plan, PlanCounts, Ref, Skipped, Span, Unreadable
from kplan.plan import Settings, plan
from kplan.plan.saved import Saved, dump, fingerprint, load
from kplan.render import plan_json, plan_text
from kplan.sealed import digest

Value = dict[str, Any]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.plan.saved._ROUNDS", 10)


def config(name: str, **rest: Any) -> Value:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **rest}


def saved() -> Saved:
    before = [config("a", data={"k": "1", "$": "x", "l": "1\n2\n"}), config("gone")]
    after = [
        config("a", data={"k": "2", "$": "y", "l": "1\n3\n"}),
        config("new"),
        {**config("s"), "kind": "Service", "spec": {}},
    ]
    made = plan(Cluster(before), Cluster(after), settings=Settings(values=True))
    span = Span("f", 1, 2, 3, 4)
    made = Plan(
        made.actions,
        made.counts,
        made.noise,
        ("careful",),
        (Skipped("f", "why", span),),
        (Unreadable(span, "no"),),
        made.version,
        "before",
        "after",
    )
    return Saved(made, {"paths": ["x"], "prune": True}, "salt", ("1", "2"))


def test_a_plan_comes_back_as_it_was() -> None:
    one = saved()
    other = load(dump(one, "1.2.3"), "file")
    assert (other.request, other.salt, other.fingerprints) == (one.request, one.salt, one.fingerprints)
    assert other.plan.counts == one.plan.counts
    assert [a.ref for a in other.plan.actions] == [a.ref for a in one.plan.actions]
    for options in (plan_text.Options(noise=True, full=True), plan_text.Options(concise=True)):
        assert plan_text.render(other.plan, options) == plan_text.render(one.plan, options)
    assert plan_json.render(other.plan) == plan_json.render(one.plan)


def test_every_kind_of_value_comes_back() -> None:
    values: list[Any] = [None, True, 1, 1.5, "x", [], {}, [1, [2]], {"$": 1}, {"$": {"$": "Absent"}}, ABSENT]
    values.append(Placeholder("(sensitive #1)"))
    change = Change((), "update", children=tuple(Change(("a", i), "update", v, v) for i, v in enumerate(values)))
    action = Action(Ref("", "v1", "X", "", "x"), "update", change, before={"$": [1]})
    text = dump(Saved(Plan((action,), PlanCounts()), {}, "", ("", "")), "")
    (back,) = load(text, "file").plan.actions
    assert back == action
    assert back.change is not None
    assert isinstance(back.change.children[-1].before, Placeholder)


def edited(**changes: Any) -> str:
    content = json.loads(dump(saved(), "1.2.3"))
    content.update(changes)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file is not a saved plan"),
        ("[" * 100_000, "file is not a saved plan"),
        ("[]", "file is not a saved plan"),
        ("{}", "file is not a saved plan"),
        (edited(format_version="2.0"), "file has the plan format 2.0, which this kplan does not know"),
        (edited(format_version=None), "file has the plan format None, which this kplan does not know"),
        (edited(salt="x"), "file is damaged"),
        (edited(plan={}), "file is damaged"),
        (edited(digest=None), "file is damaged"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(KplanError) as caught:
        load(text, "file")
    assert caught.value.message == message


def test_a_forged_digest_is_no_crash() -> None:
    for broken in ({}, {"$": "Plan"}, {"$": "System"}, {"$": "Action", "ref": 1}, [1], {"$": "map"}):
        content = json.loads(dump(saved(), ""))
        del content["digest"]
        content["plan"] = broken
        text = json.dumps({**content, "digest": digest(content)})
        with pytest.raises(KplanError, match="file is damaged"):
            load(text, "file")


def test_later_minors_of_the_format_are_read() -> None:
    content = json.loads(dump(saved(), ""))
    del content["digest"]
    content["format_version"] = "1.9"
    assert load(json.dumps({**content, "digest": digest(content)}), "file").salt == "salt"


def test_fingerprints_know_content_not_order() -> None:
    a, b = config("a", data={"k": "1"}), config("b")
    assert fingerprint([a, b], "s") == fingerprint([b, dict(reversed(list(a.items())))], "s")
    assert fingerprint([a, b], "s") != fingerprint([a], "s")
    assert fingerprint([a], "s") != fingerprint([a], "t")
    assert fingerprint([config("a", data={"k": 1})], "s") != fingerprint([config("a", data={"k": True})], "s")


def test_no_secret_is_written() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "c4nary"}}
    made = plan(
        Cluster([secret]), Cluster([{**secret, "stringData": {"k": "c4nary2"}}]), settings=Settings(values=True)
    )
    assert "c4nary" not in dump(Saved(made, {}, "", ("", "")), "")
