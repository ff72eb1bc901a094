"""The scheduler against clusters recorded from a Kubernetes 1.36 kube-scheduler: nodes, scores, messages, victims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kplan

Value = dict[str, Any]
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "scheduler" / "recorded.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("scenario", RECORDED, ids=lambda s: f"{s['feature']}-{s['seed']}")
def test_every_step_as_recorded(scenario: Value) -> None:
    cluster = kplan.Cluster(scenario["objects"])
    pods = {p["metadata"]["name"]: p for p in scenario["pods"]}
    for step in scenario["steps"]:
        for name, node in step.get("moved", {}).items():
            cluster.bind(pods[name], node)
        pod = pods[step["pod"]]
        found = kplan.schedule(pod, cluster)
        if "preempted" in step:
            assert found.node is None
            assert sorted(step["preempted"]) in [sorted(v) for v in (found.victims, *found.alternatives)]
        elif "node" in step:
            assert step["node"] in found.tied
            assert not step.get("scores") or found.scores == step["scores"]
            cluster.bind(pod, step["node"])
        else:
            assert (found.node, found.reason, found.message) == (None, step["reason"], step["message"])
            cluster.add(pod)


def test_recordings_hold_every_kind_of_answer() -> None:
    steps = [s for r in RECORDED for s in r["steps"]]
    assert all(any(key in s for s in steps) for key in ("scores", "message", "preempted", "moved"))
