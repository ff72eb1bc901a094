"""A simulation as JSON: cpu in millicores, every other amount in its unit."""

from __future__ import annotations

from typing import Any

from kplan.placement import CERTAINTIES, Explanation, NodeUse, Placement, Simulation
from kplan.render.json import dump

FORMAT_VERSION = "1.0"


def render(simulation: Simulation) -> str:
    """The whole simulation as one JSON object."""
    s = simulation
    return dump(
        {
            "format_version": FORMAT_VERSION,
            "kubernetes_version": s.version,
            "pool": s.pool,
            "summary": _summary(s),
            "pods": [_pod(p) for p in s.placements],
            "nodes": [_node(n) for n in s.nodes],
            "explanation": _explanation(s.explanation) if s.explanation else None,
            "capacity": s.capacity._asdict() if s.capacity else None,
            "needed": s.needed._asdict() if s.needed else None,
            "notes": list(s.notes),
            "skipped": [{"file": x.file, "reason": x.reason} for x in s.skipped],
            "unreadable": [{"file": u.span.file, "line": u.span.line, "message": u.message} for u in s.unreadable],
        }
    )


def _summary(s: Simulation) -> dict[str, int]:
    new = [p for p in s.placements if p.node is not None and p.before != p.node]
    return {
        "placed": len(s.placements) - len(s.pending),
        "pending": len(s.pending),
        **{certainty: sum(p.certainty == certainty for p in new) for certainty in CERTAINTIES},
    }


def _pod(p: Placement) -> dict[str, Any]:
    return {**p._asdict(), "evicted": list(p.evicted), "notes": list(p.notes)}


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
