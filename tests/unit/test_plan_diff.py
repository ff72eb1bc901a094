"""The differ: list items by key and by value, moves, types, absent and null, texts that hold documents."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from kplan.model import ABSENT, Change
from kplan.plan import align
from kplan.plan.diff import ListRule, diff
from kplan.plan.similar import closest
from kplan.plan.written import leaves

BY_NAME = ListRule((("name",),))
A_SET = ListRule((), unordered=True)


def told(tree: Change | None) -> list[tuple[Any, ...]]:
    """(place, op, before, after) of every leaf; the places of an item that moved instead of its values."""
    if tree is None:
        return []
    return [(".".join(names), leaf.op, *(leaf.moved or (leaf.before, leaf.after))) for names, leaf in leaves(tree)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "update", 1, 2)]),
        ({"a": True}, {"a": 1}, [("a", "update", True, 1)]),
        ({"a": {"b": [True]}}, {"a": {"b": [1]}}, [("a.b.0", "delete", True, ABSENT), ("a.b.0", "create", ABSENT, 1)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": None}, {}, [("a", "delete", None, ABSENT)]),
        ({}, {"a": None}, [("a", "create", ABSENT, None)]),
        ({"a": "1"}, {"a": [1]}, [("a", "update", "1", [1])]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", "update", 2, 3)]),
        ({"a": {"b": 1}}, {}, [("a", "delete", {"b": 1}, ABSENT)]),
        (ABSENT, {"a": 1}, [("", "create", ABSENT, {"a": 1})]),
    ],
)
def test_maps_and_scalars(before: Any, after: Any, expected: list[Any]) -> None:
    assert told(diff(before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("ab", "ba", [("b", "move", 2, 1)]),
        ("abc", "ab", [("c", "delete", {"name": "c"}, ABSENT)]),
        ("ab", "xab", [("x", "create", ABSENT, {"name": "x"})]),
        ("abcd", "dabc", [("d", "move", 4, 1)]),
    ],
)
def test_items_by_key(before: str, after: str, expected: list[Any]) -> None:
    old, new = ([{"name": n} for n in names] for names in (before, after))
    assert told(diff(old, new, lambda _: BY_NAME)) == expected


def test_an_item_may_move_and_change() -> None:
    old = [{"name": "a", "v": 1}, {"name": "b", "v": 1}]
    new = [{"name": "b", "v": 2}, {"name": "a", "v": 1}]
    assert told(diff(old, new, lambda _: BY_NAME)) == [("b", "update", 2, 1), ("b.v", "update", 1, 2)]


def test_composite_keys_with_an_implied_part() -> None:
    rule = ListRule((("port", "protocol=TCP"),))
    old = [{"port": 53, "protocol": "TCP"}]
    new = [{"port": 53}, {"port": 53, "protocol": "UDP"}]
    tree = diff(old, new, lambda _: rule)
    assert told(tree) == [
        ("53/TCP.protocol", "delete", "TCP", ABSENT),
        ("53/UDP", "create", ABSENT, {"port": 53, "protocol": "UDP"}),
    ]


def test_a_key_that_two_items_share_is_none() -> None:
    old = [{"name": "a", "v": 1}, {"name": "a", "v": 2}]
    assert told(diff(old, [*old, {"name": "b"}], lambda _: BY_NAME)) == [("2", "create", ABSENT, {"name": "b"})]


def test_rules_see_names_with_stars_for_items() -> None:
    seen: list[tuple[str, ...]] = []

    def rules(fields: tuple[str, ...]) -> ListRule:
        seen.append(fields)
        return BY_NAME

    diff({"a": [{"name": "x", "b": [1]}]}, {"a": [{"name": "x", "b": [2]}]}, rules)
    assert seen == [("a",), ("a", "*", "b")]


def test_scalars_keep_their_neighbours_as_context() -> None:
    tree = diff(["a", "b", "c", "d", "e"], ["a", "b", "x", "c", "d", "e"])
    assert tree is not None
    assert [(c.op, c.after) for c in tree.children] == [("same", "b"), ("create", "x"), ("same", "c")]
    assert tree.unchanged == 3


def test_scalars_between_the_same_neighbours_are_one_that_changed() -> None:
    assert told(diff(["-v", "--level=1", "-x"], ["-v", "--level=2", "-x"])) == [
        ("1", "update", "--level=1", "--level=2")
    ]


def test_items_of_a_set_are_paired_by_likeness() -> None:
    old = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, {"apiGroups": ["apps"], "verbs": ["list"]}]
    new = [
        {"apiGroups": ["apps"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "watch"]},
    ]
    tree = diff(old, new, lambda f: A_SET)
    assert tree is not None
    ops = {c.op for c in tree.children}
    assert ops == {"update"} or ops == {"update", "move"}
    changed = [leaf for _, leaf in leaves(tree) if leaf.op == "create"]
    assert [leaf.after for leaf in changed] == ["watch"]


def test_too_many_unlike_items_are_not_compared_pairwise() -> None:
    many = {i: {"a": i, "b": 1} for i in range(20)}
    assert closest(many, many) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "container", "expected"),
    [
        ("x.json", '{"a": 1, "b": 2}', '{"a":1,"b":3}', "json", [("b", "update", 2, 3)]),
        ("x", '{"a": 1}', '{"a": 2}', "json", [("a", "update", 1, 2)]),
        ("x.yaml", "a: 1\nb: [x]\n", "a: 1\nb: [z]\n", "yaml", [("b.0", "update", "x", "z")]),
    ],
)
def test_documents_in_texts(name: str, before: str, after: str, container: str, expected: list[Any]) -> None:
    tree = diff({name: before}, {name: after})
    assert tree is not None
    (text,) = tree.children
    assert text.container == container
    assert told(text.children[0]) == expected


@pytest.mark.parametrize(
    ("name", "before", "after", "container", "note"),
    [
        ("x.json", '{"a": 1}', '{ "a": 1 }', "text", "formatting only"),
        ("x.json", '{"a": 1', '{"a": 2', "leaf", ""),
        ("x.json", '{"a": 1}', "[1]", "leaf", ""),
        ("x.yaml", "a: [\n", "a: 1\n", "leaf", ""),
        ("x.txt", "a\nb\n", "a\nc\n", "text", ""),
        ("x.txt", "a\n", "b\n", "leaf", ""),
    ],
)
def test_texts(name: str, before: str, after: str, container: str, note: str) -> None:
    tree = diff({name: before}, {name: after})
    assert tree is not None
    assert (tree.children[0].container, tree.children[0].note) == (container, note)


def value(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(6 if depth else 4)
    if kind == 4:
        return {rng.choice("abcd"): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    if kind == 5:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return [rng.randrange(3), rng.random() < 0.5, rng.choice(["", "x", "y\nz"]), None][kind]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def test_property_every_leaf_tells_the_truth() -> None:
    rng = random.Random(4)
    differing = 0
    for _ in range(2000):
        old, new = {"r": value(rng)}, {"r": value(rng)}
        tree = diff(old, new)
        assert (tree is None) == (align.canonical(old) == align.canonical(new)) or old == new
        assert diff(old, old) is None
        for _, leaf in leaves(tree) if tree else ():
            if leaf.op in ("create", "update", "move") and leaf.container == "leaf":
                assert align.same(at(new, leaf.path), leaf.after)
            elif leaf.op == "delete":
                assert align.canonical(leaf.before) in align.canonical(old)
        differing += tree is not None
    assert differing > 1500


def test_deepdiff_agrees_on_whether_there_is_a_difference() -> None:
    from deepdiff import DeepDiff

    rng = random.Random(5)
    for _ in range(60):
        old, new = {"r": value(rng)}, {"r": value(rng)}
        assert bool(DeepDiff(old, new)) == (diff(old, new) is not None)


def test_equal_parts_cost_little() -> None:
    big = {"spec": {f"k{i}": {"containers": [{"name": "a", "image": "b", "args": ["x"] * 5}]} for i in range(300)}}
    other = {"spec": {**big["spec"], "k7": {"containers": []}}}
    started = time.process_time()
    for _ in range(50):
        diff(big, other)
    assert time.process_time() - started < 1


def test_long_lists_are_linear() -> None:
    old = [f"line {i}" for i in range(20_000)]
    new = [f"line {i}" for i in range(20_000) if i % 1000]
    started = time.process_time()
    tree = diff(old, new)
    assert tree is not None
    assert sum(c.op == "delete" for c in tree.children) == 20
    assert time.process_time() - started < 2


def test_in_order_finds_the_longest_run() -> None:
    pairs = [(3, 0), (0, 1), (1, 2), (2, 3)]
    assert align.in_order(pairs) == [(0, 1), (1, 2), (2, 3)]
    assert align.in_order([]) == []
