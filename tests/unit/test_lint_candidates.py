"""Candidates: where checks of several objects are not asked, they would find nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from kplan.config import Config
from kplan.lint import engine, run
from kplan.lint.checks import candidates
from kplan.lint.engine import Engine
from kplan.lint.run import _object
from kplan.lint.world import World
from kplan.model import Finding, Object
from kplan.yamlio import read

RULES = run.chosen(run.rules_of(Config()), Config(select=("all",)))
ASKED = {
    "readiness-probe-missing",
    "liveness-probe-missing",
    "replicas-of-autoscaled",
    "headless-service-missing",
    "target-port-name-missing",
    "target-port-undeclared",
    "metric-without-request",
}
TEXT = """\
apiVersion: apps/v1
kind: {kind}
metadata:
  name: {name}
spec:
  serviceName: {other}
  {replicas}: 2
  template:
    metadata:
      labels:
        app: {name}
    spec:
      initContainers:
      - name: a
        {along}: {restart}
        ports:
        - name: {port_name}
          containerPort: 7
      containers:
      - name: b
        {probe}:
          {way}: {{}}
        ports:
        - {field}: {port}
          containerPort: {port}
        resources:
          {side}:
            {resource}: {amount}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  clusterIP: {ip}
  selector:
    app: {other}
  ports:
  - port: {port}
    {target}: {wanted}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {name}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: {kind}
    name: {other}
  metrics:
  - type: Resource
    resource:
      name: {measured}
      target:
        type: {how}
        averageUtilization: 50
"""
CHOICES = {
    "kind": ["Deployment", "StatefulSet"],
    "replicas": ["replicas", "minReadySeconds"],
    "along": ["imagePullPolicy", "restartPolicy"],
    "restart": ["Always", "null"],
    "port_name": ["http", "web", "'80'"],
    "probe": ["readinessProbe", "livenessProbe"],
    "way": ["tcpSocket", "exec"],
    "field": ["name", "protocol"],
    "port": ["80", "http", "8080", "0", "true"],
    "side": ["requests", "limits"],
    "resource": ["cpu", "memory"],
    "amount": ["1", "0", "null", "100m"],
    "ip": ["None", "10.0.0.1"],
    "target": ["targetPort", "nodePort"],
    "wanted": ["80", "http", "web", "0", "''", "8080.0"],
    "measured": ["cpu", "memory"],
    "how": ["Utilization", "AverageValue"],
}


def objects(seed: int) -> Iterator[Object]:
    chance = random.Random(seed)
    for i in range(150):
        # Mostly what is as it should be, and so has one of few layouts.
        values = {key: chance.choice(some if chance.random() < 0.3 else some[:1]) for key, some in CHOICES.items()}
        text = TEXT.format(**values, name=f"a{i}", other=f"a{i if chance.random() < 0.9 else i - 1}")
        for document in read(text.encode(), f"{i}.yaml").documents:
            yield _object(document)


def found(given: list[Object]) -> list[Finding]:
    rules = Engine(RULES, World(given))
    return [f for obj in given for f in rules.judge(obj, malformed=False, alone=False) if f.name in ASKED]


@pytest.mark.parametrize("seed", range(4))
def test_no_finding_is_missed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = list(objects(seed))
    some = found(given)
    monkeypatch.setattr(engine, "answers", lambda *_: None)
    assert found(given) == some
    assert {f.name for f in some} == ASKED


def test_few_are_asked() -> None:
    given = list(objects(1))
    assert sum(o.is_laid_out for o in given) > len(given) / 2
    world = World(given)
    kinds = Counter(o.ref.kind for o in given)
    assert 0 < len(candidates.unprobed(world, "readinessProbe")) < kinds["Deployment"]
    assert 0 < len(candidates.scaled(world)) < kinds["Deployment"]
    assert 0 < len(candidates.headed(world)) < kinds["StatefulSet"]
    assert 0 < len(candidates.undeclared(world)) < kinds["Service"] * 0.8
    assert 0 < len(candidates.unmeasured(world)) < kinds["HorizontalPodAutoscaler"] * 0.8
