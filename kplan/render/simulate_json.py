"""A simulation as JSON: cpu in millicores, every other amount in its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kplan.placement import CERTAINTIES, Explanation, NodeUse, Placement, Simulation
from kplan.render import admission
from kplan.render.admission import Answered
from kplan.render.json import dump
from kplan.results import Reason, Results, Step

FORMAT_VERSION = "1.0"


def render(simulation: Simulation, refused: Sequence[Answered] = ()) -> str:
    """The whole simulation as one JSON object; what became of the cluster is null where pods were only placed.

    `refused` is what the API server did not take.
    """
    s = simulation
    return dump(
        {
            "format_version": FORMAT_VERSION,
            "kubernetes_version": s.version,
            "pool": s.pool,
            "summary": _summary(s),
            "pods": [_pod(p, s.results) for p in s.placements],
            "nodes": [_node(n) for n in s.nodes],
            "explanation": _explanation(s.explanation) if s.explanation else None,
            "capacity": s.capacity._asdict() if s.capacity else None,
            "needed": s.needed._asdict() if s.needed else None,
            "refused": [admission.as_json(a, stored=False) for a in refused],
            **_results(s.results),
            "notes": list(s.notes),
            "skipped": [{"file": x.file, "reason": x.reason} for x in s.skipped],
            "unreadable": [{"file": u.span.file, "line": u.span.line, "message": u.message} for u in s.unreadable],
        }
    )


def _results(r: Results | None) -> dict[str, Any]:
    if r is None:
        return dict.fromkeys(("results", "workloads", "notReady", "events", "steps"))
    return {
        "results": {
            "ready": r.is_ready,
            "settled": not r.unsettled,
            "unsettled": r.unsettled,
            "seconds": r.lasted,
            "workloads": len(r.workloads),
            "workloadsReady": sum(w.is_ready for w in r.workloads),
            "warnings": len(r.warnings),
        },
        "workloads": [w._asdict() for w in r.workloads],
        "notReady": [{**u._asdict(), "reasons": [_reason(x) for x in u.reasons]} for u in r.unready],
        "events": [e._asdict() for e in r.events],
        "steps": [_step(x) for x in r.steps],
    }


def _reason(r: Reason) -> dict[str, Any]:
    return {**r._asdict(), "objects": list(r.objects)}


def _step(s: Step) -> dict[str, Any]:
    counts = {name: list(n) if n is not None else None for name, n in s.counts.items()}
    return {"after": s.after, "action": s.action, "changes": list(s.changes), "counts": counts}


def _summary(s: Simulation) -> dict[str, int]:
    new = [p for p in s.placements if p.node is not None and p.before != p.node]
    return {
        "placed": len(s.placements) - len(s.pending),
        "pending": len(s.pending),
        **{certainty: sum(p.certainty == certainty for p in new) for certainty in CERTAINTIES},
    }


def _pod(p: Placement, results: Results | None) -> dict[str, Any]:
    status = results.statuses.get(p.id, "") if results is not None else None
    return {**p._asdict(), "evicted": list(p.evicted), "notes": list(p.notes), "status": status}


def _node(n: NodeUse) -> dict[str, Any]:
    resources = {r.name: {"requested": r.requested, "allocatable": r.allocatable} for r in n.resources}
    return {"name": n.name, "origin": n.origin, "pods": n.pods, "max_pods": n.max_pods, "resources": resources}


def _explanation(e: Explanation) -> dict[str, Any]:
    d = e.decision
    return {
        "pod": e.pod,
        "node": d.node,
        "tied": list(d.tied),
        "certainty": d.certainty,
        "message": d.message,
        "victims": list(d.victims),
        "nominated": d.nominated,
        "nodes": [
            {
                "name": name,
                "total": d.scores.get(name),
                "scores": dict(d.plugin_scores.get(name, {})),
                "refused": list(d.rejections.get(name, ())),
            }
            for name in e.nodes
        ],
    }
