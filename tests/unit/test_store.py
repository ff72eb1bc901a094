"""The store's index of labels, and the index of selectors on top of it."""

from __future__ import annotations

from typing import Any

from kplan.controllers.selecting import Selecting, required
from kplan.model import Key
from kplan.store import Store, Write, ref_of

Value = dict[str, Any]


def pod(name: str, namespace: str = "a", **labels: Any) -> Value:
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace, "labels": labels}}


def names(values: list[Value]) -> list[str]:
    return [v["metadata"]["name"] for v in values]


def test_labels_are_found_by_namespace_and_kind() -> None:
    store = Store([pod("p", x="1", y="1"), pod("q", x="1"), pod("r", "b", x="1"), pod("s")])
    store.put({**pod("t", x="1"), "kind": "Other"})
    assert names(store.labelled("Pod", "a", {"x": "1"})) == ["p", "q"]
    assert names(store.labelled("Pod", "a", {"x": "1", "y": "1"})) == ["p"]
    assert names(store.labelled("Pod", "a", {})) == ["p", "q", "s"]
    assert store.labelled("Pod", "a", {"x": "2"}) == store.labelled("None", "a", {"x": "1"}) == []


def test_labels_are_followed() -> None:
    store = Store([pod("p", x="1"), pod("q")])
    assert names(store.labelled("Pod", "a", {"x": "1"})) == ["p"]
    store.put(pod("q", x="1"))
    store.put(pod("p", x="2"))
    store.put(pod("o", x="1"))
    assert names(store.labelled("Pod", "a", {"x": "1"})) == ["q", "o"]
    store.remove(ref_of(pod("q")).key)
    assert names(store.labelled("Pod", "a", {"x": "1"})) == ["o"]
    store.put(pod("q", x="1"))
    assert names(store.labelled("Pod", "a", {"x": "1"})) == ["o", "q"]
    assert names(store.copy().labelled("Pod", "a", {"x": "2"})) == ["p"]


def test_labels_that_are_no_texts_select_nothing() -> None:
    store = Store([pod("p", x=["1"])])
    assert store.labelled("Pod", "a", {"x": "1"}) == []
    store.put(pod("p", x=1, y="1"))
    assert names(store.labelled("Pod", "a", {"y": "1"})) == ["p"]


def chooser(name: str, selector: Value | None, namespace: str = "a") -> Value:
    return {"kind": "B", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "selector": selector}


def test_selectors_are_found_by_labels() -> None:
    index = Selecting(lambda o: o.get("selector"))
    given = {
        "plain": {"matchLabels": {"x": "1", "team": "t"}},
        "one": {"matchExpressions": [{"key": "x", "operator": "In", "values": ["1"]}]},
        "two": {"matchExpressions": [{"key": "x", "operator": "In", "values": ["1", "2"]}]},
        "all": {},
        "none": None,
    }
    for name, selector in given.items():
        value = chooser(name, selector)
        index.see(Write(ref_of(value).key, None, value))
    found = [
        sorted(k.name for k in index.matching("a", labels))
        for labels in ({"x": "1", "team": "t"}, {"x": "1"}, {"x": "2"}, {})
    ]
    assert found == [["all", "one", "plain", "two"], ["all", "one", "two"], ["all", "two"], ["all"]]
    assert index.matching("b", {"x": "1"}) == []


def test_selectors_are_followed() -> None:
    index = Selecting(lambda o: o.get("selector"))
    key = Key("", "B", "a", "n")
    old, new = (chooser("n", {"matchLabels": {"x": x}}) for x in "12")
    index.see(Write(key, None, old))
    index.see(Write(key, old, new))
    assert (index.matching("a", {"x": "1"}), index.matching("a", {"x": "2"})) == ([], [key])
    index.see(Write(key, new, None))
    assert index.matching("a", {"x": "2"}) == []


def test_required_labels() -> None:
    expressions = [{"key": "b", "operator": "In", "values": ["2"]}, {"key": "c", "operator": "NotIn", "values": ["3"]}]
    assert required({"matchLabels": {"a": "1"}, "matchExpressions": expressions}) == {"a": "1", "b": "2"}
