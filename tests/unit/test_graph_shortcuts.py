"""Shortcuts of layouts: what is left out by them is exactly what nobody wants."""

from __future__ import annotations

import random
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kplan.graph import FOUND, MISSING, Edge, Graph, Selection, build, pods
from kplan.lint.run import _object
from kplan.lint.world import FOLLOWED
from kplan.model import Key, Object
from kplan.yamlio import read

ROOT = Path(__file__).resolve().parents[2]
Wanted = Callable[[str, str, str, bool], bool]
# More than bench/generate.py has: names of parts, claims, several ways to say one thing, what is written in one line.
OTHERS = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {a}, namespace: {ns}}}
spec:
  serviceName: {b}
  selector: {{matchLabels: {{app: {a}}}}}
  template:
    metadata:
      labels: {{app: {a}, tier: {b}}}
    spec:
      serviceAccountName: {b}
      imagePullSecrets:
      - name: {c}
      containers:
      - name: c
        env:
        - name: A
          valueFrom: {{configMapKeyRef: {{name: {b}, key: {k}}}}}
        - name: B
          valueFrom:
            secretKeyRef:
              name: {c}
              key: {k}
              optional: {o}
      volumes:
      - name: {v}
        configMap:
          name: {b}
          items:
          - key: {k}
            path: x
      - name: w
        persistentVolumeClaim:
          claimName: {c}
  volumeClaimTemplates:
  - metadata:
      name: {w}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {a}
  namespace: {ns}
data:
  {k}: x
---
apiVersion: v1
kind: Secret
metadata:
  name: {c}
  namespace: {ns}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: w-{a}-0
  namespace: {ns}
---
apiVersion: v1
kind: Service
metadata:
  name: {a}
  namespace: {ns}
spec:
  type: {t}
  selector:
    app: {b}
    tier: {n}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {a}
  namespace: {ns}
spec:
  selector:
    matchLabels:
      app: {b}
---
apiVersion: v1
kind: ReplicationController
metadata:
  name: {b}
  namespace: {ns}
spec:
  selector:
    app: {a}
  template:
    metadata:
      labels:
        app: {b}
    spec:
      containers:
      - name: c
        envFrom:
        - configMapRef:
            name: {c}
      topologySpreadConstraints:
      - labelSelector:
          matchLabels:
            app: {a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {a}
  namespace: {ns}
roleRef:
  kind: Role
  name: {b}
subjects:
- kind: ServiceAccount
  name: {c}
  namespace: {ns}
---
apiVersion: v1
kind: Node
metadata:
  name: {a}
"""


def some(chance: random.Random) -> str:
    names = ["web", "api", "db", "x-0", "7", "true", "${N}", "''"]
    given = {key: chance.choice(names[:5] if chance.random() < 0.8 else names) for key in "abcknvw"}
    switches = {"o": chance.choice(["true", "false"]), "t": chance.choice(["ClusterIP", "ExternalName"])}
    return OTHERS.format(**given, **switches, ns=chance.choice(["shop", "shop", "other", "''"]))


def objects(seed: int) -> Iterator[Object]:
    chance = random.Random(seed)
    service = runpy.run_path(str(ROOT / "bench" / "generate.py"))["service"]
    texts = [service(n, chance) for n in range(40)] + [some(chance) for _ in range(40)]
    for i, text in enumerate(texts):
        for document in read(text.encode(), f"{i}.yaml").documents:
            if chance.random() < 0.9:  # what the others lead to is missing
                yield _object(document)


def is_own(graph: Graph, edge: Edge) -> bool:
    labels = pods(graph.source(edge))
    target = edge.target
    if not isinstance(target, Selection) or target.kind != "Pod" or labels is None:
        return False
    return graph.source(edge).ref.namespace in target.namespaces and labels.satisfy_all(target.requirements) is True


@pytest.mark.parametrize(
    "wanted",
    [
        lambda _kind, _target, state, _own: state == MISSING,
        lambda _kind, _target, state, _own: state != FOUND,
        lambda kind, _target, state, own: not own if kind in ("spread", "anti-affinity") else state == MISSING,
        lambda kind, _target, _state, _own: kind in ("selector", "scale-target", "env-key"),
        lambda _kind, target, state, _own: state == MISSING and target in ("ConfigMap", "Secret", "Pod"),
        lambda kind, _target, _state, _own: kind == "own-pods",
        lambda kind, target, state, own: own and kind != target and state == FOUND,
    ],
)
@pytest.mark.parametrize("closed", [True, False])
def test_only_what_is_not_wanted_is_left_out(wanted: Wanted, closed: bool) -> None:
    given = list(objects(3))
    assert sum(o.is_laid_out for o in given) > len(given) / 2
    every = build(given, closed=closed)
    some = build(given, closed=closed, wanted=wanted)
    assert list(some.edges) == [e for e in every.edges if wanted(e.kind, e.target.kind, e.state, is_own(every, e))]
    assert len({e.kind for e in every.edges}) > 15


def ends(graph: Graph, kind: str) -> dict[int, tuple[Key, ...]]:
    """What the edges of a kind lead to, by the positions of their sources."""
    edges = [e for e in graph.edges if e.kind == kind]
    return {e.position: (e.target,) if isinstance(e.target, Key) else graph.matches(e) for e in edges}


@pytest.mark.parametrize("closed", [True, False])
def test_links_lead_where_edges_do(closed: bool) -> None:
    given = list(objects(4))
    every = build(given, closed=closed)
    some = build(given, closed=closed, wanted=lambda *_: True, followed=FOLLOWED)
    for kind in FOLLOWED:
        links = dict(some.links[kind])
        assert len(links) > 5
        assert links.keys().isdisjoint(ends(some, kind))
        assert links | ends(some, kind) == ends(every, kind)
    assert [e for e in some.edges if e.kind not in FOLLOWED] == [e for e in every.edges if e.kind not in FOLLOWED]
    assert len(ends(some, "selector")) > 5  # of an ExternalName, or what matches nothing
