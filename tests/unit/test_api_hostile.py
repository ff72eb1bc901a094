"""No shape of an object is too much for the API server: it answers, and raises nothing but KplanError.

Rich objects of many kinds are changed at random places into what they should not be; the seed makes each run the same.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.errors import KplanError

Value = dict[str, Any]

BASES = [
    json.loads(line)["object"]
    for line in (Path(__file__).parents[1] / "data" / "recorded" / "bases.jsonl").read_text().splitlines()
]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


NUMBERS = [0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, 1e308, float("inf"), float("nan"), -0.0, True]
TEXTS = ["", "x", "é\u0000", "\ud800", "💥", "a" * 300, "1e9999", "-5Mi", "0x10", "a/b/c", "*", "\n", "9" * 50, "[::1]"]
SHAPES = [
    None,
    [],
    {},
    [None],
    [[]],
    {"": ""},
    {"a": None},
    [1, "a", None, {}],
    {"name": None},
    nested(30),
    nested(3000),
]
ODD = [*NUMBERS, *TEXTS, *SHAPES]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, v in inner:
        yield from places(v, (*at, key))


def mutilated(obj: Value, draw: random.Random) -> Value:
    """A copy with something odd, or nothing, in one place."""
    out: Value = json.loads(json.dumps(obj))
    *way, last = draw.choice(list(places(out)))
    holder: Any = out
    for step in way:
        holder = holder[step]
    if draw.random() < 0.2:
        holder.pop(last)
    elif draw.random() < 0.2 and isinstance(holder[last], list):
        holder[last].append(draw.choice(ODD))
    else:
        holder[last] = draw.choice(ODD)
    return out


def ways(obj: Value, stored: Value, world: kplan.Cluster) -> Iterator[Any]:
    """Everything that an API server can be asked to do with an object, and with one that is stored."""
    yield lambda: kplan.admit(obj)
    yield lambda: kplan.admit(obj, cluster=world)
    for mode in ("csa", "ssa", "replace"):
        yield lambda mode=mode: world.apply([obj], mode=mode, dry_run=True)
    yield lambda: world.get(obj)
    meta = stored["metadata"] if isinstance(stored.get("metadata"), dict) else {}
    kind, name, namespace = str(stored.get("kind")), str(meta.get("name")), str(meta.get("namespace") or "default")
    for form in ("merge", "strategic"):
        for part in (None, "status", "scale"):
            yield lambda form=form, part=part: world.patch(
                kind, name, obj, namespace=namespace, subresource=part, patch_type=form
            )
    yield lambda: world.patch(kind, name, [{"op": "add", "path": "/spec", "value": obj}], patch_type="json")
    yield lambda: world.delete(kind, name, namespace=namespace)


@pytest.mark.parametrize("seed", range(4))
def test_every_shape_has_an_answer(seed: int) -> None:
    draw = random.Random(seed)
    for base in draw.sample(BASES, 16):
        sent = mutilated(base, draw)
        # The second world holds what no server could have stored.
        for world in (kplan.Cluster([NAMESPACE, base]), kplan.Cluster([NAMESPACE, mutilated(base, draw)])):
            for ask in ways(sent, base, world):
                with contextlib.suppress(KplanError):
                    ask()


def test_what_no_server_could_have_stored_is_not_seen_by_one() -> None:
    odd = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": "none"}
    world = kplan.Cluster([NAMESPACE, odd])
    assert world.get(odd) == odd
    good = {**odd, "spec": {"ports": [{"port": 80}]}}
    (tried,) = world.apply([good], dry_run=True)
    assert (tried.status, world.objects("Service")) == (201, [odd])
    (made,) = world.apply([good])
    assert made.status == 201
    assert [o["spec"]["ports"][0]["port"] for o in world.objects("Service")] == [80]
