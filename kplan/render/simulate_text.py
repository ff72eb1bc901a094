"""A simulation for people: where each pod goes, why the others do not, and how full the nodes are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from kplan.placement import (
    CERTAINTIES,
    Capacity,
    Explanation,
    Needed,
    NodeUse,
    Placement,
    ResourceUse,
    Simulation,
)
from kplan.render import simulate_results
from kplan.render.admission import Answered
from kplan.render.rows import aligned
from kplan.render.sanitise import one_line
from kplan.render.summary import many

_SUFFIXES = ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))
_SHOWN = 3  # pods named before a message that they share
_MEANING = {
    "deterministic": "given the placements before, the real scheduler has no choice",
    "tie": "equal nodes, of which it takes one by chance",
    "sampled": "it would mark only some of that many nodes",
    "unsupported": "depends on what is not simulated",
}


def render(
    simulation: Simulation, refused: Sequence[Answered] = (), *, events: bool = False, steps: bool = False
) -> str:
    """The whole simulation as text, the counts in its last lines; `events` and `steps` in full if they are asked for.

    `refused` is what the API server did not take.
    """
    results = simulation.results
    sections = [f"Kubernetes {one_line(simulation.version)}, {one_line(simulation.pool)}"]
    if results is None:
        sections += [_placements(simulation.placements), _pending(simulation.pending), _nodes(simulation.nodes)]
    else:
        sections += [
            simulate_results.refused(refused),
            simulate_results.workloads(results.workloads),
            _placements(simulation.placements, results.statuses),
            simulate_results.unready(results.unready),
            _nodes(simulation.nodes),
            simulate_results.warnings(results.warnings) if not events else simulate_results.events(results.events),
            simulate_results.steps(results.steps) if steps else "",
        ]
    if simulation.explanation is not None:
        sections.append(_explanation(simulation.explanation))
    if simulation.capacity is not None:
        sections.append(_capacity(simulation.capacity))
    if simulation.needed is not None:
        sections.append(_needed(simulation.needed))
    sections += [_notes(simulation), _summary(simulation, refused)]
    return "\n\n".join(s for s in sections if s) + "\n"


def _placements(placements: Sequence[Placement], statuses: Mapping[tuple[str, str], str] = MappingProxyType({})) -> str:
    if not placements:
        return "No pods."
    rows = [("POD", "NODE", *(("STATUS",) if statuses else ()), "CERTAINTY")]
    for p in placements:
        status = (statuses.get(p.id, ""),) if statuses else ()
        rows.append((f"{p.namespace}/{p.name}", _where(p), *status, _certainty(p)))
    return aligned(rows)


def _where(p: Placement) -> str:
    if p.node is None:
        return f"- (was on {p.before})" if p.before else "-"
    return f"{p.node} (was on {p.before})" if p.before not in ("", p.node) else p.node


def _certainty(p: Placement) -> str:
    if p.node is None:
        return p.reason or p.certainty
    if p.before == p.node:
        return "already there"
    text = f"tie of {p.ties}" if p.certainty == "tie" else p.certainty.replace("-", " ")
    return f"{text}, evicts {', '.join(p.evicted)}" if p.evicted else text


def _pending(pending: Sequence[Placement]) -> str:
    by_message: dict[str, list[str]] = {}
    for p in pending:
        by_message.setdefault(p.message or "; ".join(p.notes), []).append(f"{p.namespace}/{p.name}")
    lines = []
    for message, pods in by_message.items():
        more = f" and {len(pods) - _SHOWN} more" if len(pods) > _SHOWN else ""
        lines.append(f"  {one_line(', '.join(pods[:_SHOWN]))}{more}\n    {one_line(message)}")
    return "Without a node:\n" + "\n".join(lines) if lines else ""


def _nodes(nodes: Sequence[NodeUse]) -> str:
    names = list(dict.fromkeys(r.name for n in nodes for r in n.resources if _matters(r, nodes)))
    rows = [("NODE", "PODS", *(name.upper() for name in names))]
    for n in nodes:
        uses = {r.name: r for r in n.resources}
        name = f"{n.name} ({n.origin})" if n.origin else n.name
        rows.append((name, f"{n.pods}/{n.max_pods}", *(_use(uses.get(r)) for r in names)))
    return aligned(rows)


def _matters(r: ResourceUse, nodes: Iterable[NodeUse]) -> bool:
    """cpu and memory always, other resources where a pod asks for them."""
    return r.name in ("cpu", "memory") or any(x.requested for n in nodes for x in n.resources if x.name == r.name)


def _use(r: ResourceUse | None) -> str:
    if r is None:
        return "-"
    share = f" ({100 * r.requested // r.allocatable}%)" if r.allocatable else ""
    return f"{amount(r.name, r.requested)} of {amount(r.name, r.allocatable)}{share}"


def amount(name: str, n: int) -> str:
    """An amount for people: cpu in cores, memory and storage in binary units."""
    if name == "cpu":
        return f"{n / 1000:.3f}".rstrip("0").rstrip(".")
    if name.endswith(("memory", "storage")) or name.startswith("hugepages-"):
        for factor, suffix in _SUFFIXES:
            if abs(n) >= factor:
                return f"{n / factor:.1f}".removesuffix(".0") + suffix
    return str(n)


def _explanation(e: Explanation) -> str:
    d = e.decision
    plugins = list(dict.fromkeys(name for scores in d.plugin_scores.values() for name in scores))
    rows = [("NODE", "TOTAL", *plugins)]
    for name in e.nodes:
        if name in d.scores:
            marks = d.plugin_scores.get(name, {})
            chosen = f"{d.scores[name]}{' *' if name in d.tied else ''}"
            rows.append((name, chosen, *(str(marks.get(p, 0)) for p in plugins)))
        elif name in d.rejections:
            rows.append((name, "-", ", ".join(d.rejections[name])))
        elif name == d.node:
            rows.append((name, "*", "the only node that it fits on"))
    head = f"{e.pod}: {d.node or d.message}"
    if d.victims:
        head += f"\nwould evict {', '.join(d.victims)} from {d.nominated}"
    return f"{one_line(head) if not d.victims else _lines(head)}\n{aligned(rows)}"


def _lines(text: str) -> str:
    return "\n".join(map(one_line, text.split("\n")))


def _capacity(c: Capacity) -> str:
    spread = ", ".join(f"{name}: {n}" for name, n in sorted(c.by_node.items()))
    where = f" ({one_line(spread)})" if spread else ""
    copies = "more copy" if c.copies == 1 else "more copies"
    return f"Room for {c.copies} {copies} of {one_line(c.pod)}{where}\n  then: {one_line(c.message)}"


def _needed(n: Needed) -> str:
    if not n.nodes and not n.pending:
        return "No more nodes are needed."
    rest = f"; {many(n.pending, 'pod')} would stay without a node all the same" if n.pending else ""
    if not n.nodes:
        return f"More nodes like {one_line(n.like)} do not help{rest}."
    return f"{many(n.nodes, 'more node')} like {one_line(n.like)} needed{rest}."


def _notes(s: Simulation) -> str:
    said = [*s.notes, *(f"not simulated: {n}" for n in dict.fromkeys(n for p in s.placements for n in p.notes))]
    return "\n".join(f"note: {one_line(n)}" for n in said)


def _summary(s: Simulation, refused: Sequence[Answered]) -> str:
    placed = len(s.placements) - len(s.pending)
    lines = [f"{many(placed, 'pod')} placed, {len(s.pending)} without a node"]
    if s.results is not None:
        lines += simulate_results.summary(s.results)
    if refused:
        lines.append(f"{many(len(refused), 'object')} refused")
    new = [p for p in s.placements if p.node is not None and p.before != p.node]
    for certainty in CERTAINTIES:
        count = sum(p.certainty == certainty for p in new)
        if count:
            lines.append(f"  {count} {certainty.replace('-', ' ')}: {_MEANING[certainty]}")
    if s.skipped:
        reasons = ", ".join(one_line(r) for r in dict.fromkeys(x.reason for x in s.skipped))
        lines.append(f"{len(s.skipped)} documents skipped ({reasons})")
    lines += [f"unreadable: {one_line(f'{u.span}: {u.message}')}" for u in s.unreadable]
    return "\n".join(lines)
