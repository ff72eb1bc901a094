"""Jobs and CronJobs recorded from a real 1.36 control plane: traces, end states and events agree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import kplan

Value = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "controllers"
FILES = sorted(DATA.glob("*job-*.json"))
UNTOLD = {"lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime", "hostIP", "hostIPs"}
TIME, ADDRESS = re.compile(r"<t>|\d{4}-\d\d-\d\dT[\d:.]+Z"), re.compile(r"<ip .*>|10(\.\d+){3}")


def tidy(value: Any) -> Any:
    """What a recording holds of a status: times and addresses as tokens."""
    if isinstance(value, dict):
        return {k: tidy(v) for k, v in value.items() if k not in UNTOLD}
    if isinstance(value, list):
        return [tidy(v) for v in value]
    if isinstance(value, str):
        return "<t>" if TIME.fullmatch(value) else "<ip>" if ADDRESS.fullmatch(value) else value
    return value


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_scenario(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    ns = recorded["namespace"]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}}
    cluster = kplan.Cluster([*recorded["nodes"], namespace])
    cluster.settle()
    for step in recorded["steps"]:
        do = step["do"]
        assert set(do) <= {"apply", "delete", "propagation"}
        cluster.apply(do.get("apply", ()), namespace=ns)
        for x in do.get("delete", ()):
            cluster.delete(x["kind"], x["name"], namespace=ns, propagation=do.get("propagation"))
        rests = cluster.settle()
        assert [(r.kubelet, r.sets) for r in rests] == [(t.get("kubelet"), t["sets"]) for t in step["trace"]]
        wanted = {(o["kind"], o["metadata"]["name"]): tidy(o.get("status")) for o in step["state"]}
        skipped = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
        ours = {(o["kind"], o["metadata"]["name"]): tidy(o.get("status")) for o in cluster.objects(namespace=ns)}
        assert {k: v for k, v in ours.items() if k not in skipped} == wanted
        told = sorted((e["type"], e["reason"], e["message"], e["object"]) for e in step["events"])
        assert sorted((e.type, e.reason, e.message, e.object) for e in cluster.events_since_last_settle()) == told


def test_there_are_recordings() -> None:
    assert {p.stem.partition("-")[0] for p in FILES} == {"job", "cronjob"}
