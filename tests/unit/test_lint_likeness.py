"""Alike objects: other values of the same form change nothing of what is said about an object."""

from __future__ import annotations

import json
import random
import runpy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kplan.batches import batches
from kplan.config import Config
from kplan.lint import admission, likeness, run, schema_stage
from kplan.lint.engine import Engine
from kplan.lint.likeness import Likeness
from kplan.lint.world import World
from kplan.model import Object
from kplan.record import replace
from kplan.schema import catalog
from kplan.store import ref_of
from kplan.yamlio import read
from kplan.yamlio.write import dump

ROOT = Path(__file__).resolve().parents[2]
KINDS = catalog("1.36")
RULES = run.rules_of(Config(), compiled=False)
ENGINE = Engine(RULES, World(()))
WORDS = ["a", "web", "x9", "shop-2", "orders-api", "a-b-c-d", "z" * 15, "q" * 40, "Mixed.Case_1", "v1.2", "b" * 63]
PORTS = [2, 80, 81, 443, 8080, 9090, 30_000, 65_535]
ROUTES = ["/a", "/data", "/var/lib/x", "/etc/web.d", "/" + "p" * 60]
IMAGES = ["web:1", "r.example.com:5000/a/b:v2", "a/b-c:1.2.3-rc1", "x:" + "9" * 20]
NUMBERS = [1, 2, 3, 10_000, 65_534, 2_147_483_647]
OTHERS = [
    "A",
    "LOG_LEVEL",
    "X1",
    "app.yaml",
    "key-1",
    "a.example.com",
    "web.shop.example.org",
    "x y",
    "é\n: # {",
    "n" * 400,
]
RECORDED = [
    ROOT / "tests" / "data" / "api" / "stored.jsonl",
    *(ROOT / "tests" / "data" / "validation" / f"{name}objects.jsonl" for name in ("", "kinds-", "extensions-")),
]
VALUES: Sequence[Any] = [*WORDS, *PORTS, *ROUTES, *IMAGES, *NUMBERS, *OTHERS]


def objects(text: str) -> Iterator[Object]:
    """The objects of a text; it is read several times, so that the layouts of its documents are learnt."""
    for _ in range(3):
        read(text.encode(), "f.yaml")
    for d in read(text.encode(), "f.yaml").documents:
        yield Object(ref_of(d.value), d.value, d)


def said(obj: Object) -> list[tuple[str, Any]]:
    """What the stages say that are not asked about an object that is like a blameless one."""
    drafts = list(schema_stage.judge(obj, KINDS))
    if schema_stage.is_builtin(obj, KINDS) and not drafts:
        drafts += admission.judge(obj, admission.server_of((), "1.36"), pieces=False)
    found = ENGINE.judge(obj, malformed=False, alone=True)
    return sorted([(d.rule, d.path) for d in drafts] + [(f.rule, f.path) for f in found], key=str)


def marks(*objects: Object) -> list[int | None]:
    return Likeness(KINDS).marks(objects, batches(objects))


def are_alike(a: Object, b: Object) -> bool:
    mark, other = marks(a, b)
    return mark is not None and mark == other


def varied(obj: Object, chance: random.Random) -> Object:
    """The object with other values of the same forms, equal ones for equal ones."""
    assert obj.document is not None
    assert obj.document.layout is not None
    layout, slots = obj.document.layout
    plan = likeness._Plan(layout.tree, KINDS.kind(obj.ref.api_version, obj.ref.kind).node)  # type: ignore[union-attr]
    forms: dict[Any, list[Any]] = {}
    for at, form in plan._formed:
        forms.setdefault((type(slots[at]), slots[at]), []).append(form)
    fixed = {slots[at] for at in plan._plain} | {v for _, at in plan._flows for v in likeness._scalars(slots[at])}
    secret = {slots[value] for _, value in plan._secrets}
    new: dict[Any, Any] = {}
    for (kind, value), wanted in forms.items():
        if value in fixed or value in secret or not all(f.has(value) for f in wanted):
            continue
        fits = [v for v in VALUES if type(v) is kind and all(f.has(v) for f in wanted)]
        free = [v for v in fits if v not in fixed and v not in new.values() and (kind, v) not in forms]
        if free:
            new[kind, value] = chance.choice(free)
    changed = list(slots)
    for at, _ in plan._formed:
        changed[at] = new.get((type(slots[at]), slots[at]), slots[at])
    value = layout.make(changed)
    document = replace(obj.document, value=value, layout=(layout, changed))
    return Object(ref_of(value), value, document)


def texts() -> list[str]:
    generate = runpy.run_path(str(ROOT / "bench" / "generate.py"))
    chance = random.Random(5)
    services = [generate["service"](n, chance) for n in (1, 2, 3, 50)]
    examples = [t for r in RULES for t in r.examples.values() if t.strip()]
    # In block style each value has a line of its own, and so a place of its own in the layout.
    blocks = [dump(d.value) for t in examples for d in read(t.encode(), "f.yaml").documents]
    recorded = [dump(json.loads(row)["object"]) for f in RECORDED for row in f.read_text("utf-8").splitlines()]
    return [*examples, *blocks, *services, *recorded]


@pytest.mark.parametrize("seed", range(2))
def test_alike_objects_are_judged_alike(seed: int) -> None:
    chance = random.Random(seed)
    compared = changed = 0
    for text in texts():
        for obj in objects(text):
            if not are_alike(obj, obj):
                continue
            other = varied(obj, chance)
            compared += 1
            changed += other.value != obj.value
            assert are_alike(obj, other)
            assert said(other) == said(obj), other.value
    assert compared > 450
    assert changed > 350


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
spec:
  containers:
  - name: {name}
    image: {image}
    env:
    - name: {variable}
      value: {value}
    resources:
      requests:
        cpu: {request}
      limits:
        cpu: {limit}
    ports:
    - containerPort: {port}
      name: http
    volumeMounts:
    - name: {mount}
      mountPath: /data
  volumes:
  - name: data
    emptyDir: {{}}
"""
PLAIN = {
    "name": "web",
    "namespace": "shop",
    "image": "web:1",
    "variable": "LEVEL",
    "value": "low",
    "request": "1",
    "limit": "2",
    "port": "80",
    "mount": "data",
}


def pod(**changes: str) -> Object:
    return next(objects(POD.format(**PLAIN | changes)))


SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  ports:
  - port: 80
"""


def service(name: str) -> Object:
    return next(objects(SERVICE.format(name=name)))


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({"name": "api"}, True),
        ({"image": "other.example.com/api:2.1"}, True),
        ({"image": "web:latest"}, False),
        ({"image": "web"}, False),
        ({"variable": "OTHER"}, True),
        ({"variable": "PASSWORD"}, False),
        ({"value": "high"}, True),
        ({"request": "100m", "limit": "100m"}, True),
        ({"request": "3"}, False),
        ({"port": "8080"}, True),
        ({"port": "0"}, False),
        ({"mount": "other"}, False),
        ({"name": "data"}, False),
        ({"name": "Web"}, False),
        ({"namespace": "default"}, False),
        ({"port": "true"}, False),
        ({"port": "'80'"}, False),
    ],
)
def test_marks(changes: dict[str, str], alike: bool) -> None:
    assert are_alike(pod(), pod(**changes)) is alike
    # Others in between change nothing.
    first, _, last = marks(pod(), pod(name="x-9", image="x:1"), pod(**changes))
    assert (first == last) is alike


def test_marks_are_of_one_kind() -> None:
    objects = [o for name in ("web", "api") for o in (pod(name=name), service(name))]
    a, b, c, d = marks(*objects)
    assert None not in (a, b)
    assert (a, b) == (c, d)
    assert a != b
    assert marks(*objects[:2]) == [None, None]
