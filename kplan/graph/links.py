"""Links: of an edge that is only followed from one object to others, no more than where it leads.

Who asks which pods a Service selects wants neither the selector nor the place where it stands. Where names and labels
stand in a layout is known before an object comes, so the links of a batch come from a look at a few columns. Where that
does not tell, there is an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kplan.batches import Batch
from kplan.graph.rules import Rule, target_of
from kplan.graph.shortcuts import are_plain, is_plain, plain_labels
from kplan.graph.world import World
from kplan.hints import Any
from kplan.model import Key, Path

# What each object of a batch leads to; None where an edge has to tell.
Links = Callable[[Batch], Sequence[tuple[Key, ...] | None]]


def links(rule: Rule, path: Path, batch: Batch, world: World) -> Links | None:
    """The links of a rule that applies at this path of the objects of a batch; None where there are none."""
    part = batch.layout.at(path)
    if not isinstance(part, dict) or world.is_cluster_scoped(batch.group, batch.kind):
        return None
    return _of_selector(rule, part, world) if rule.form else _of_name(rule, part, world)


def _of_selector(rule: Rule, part: dict[str, Any], world: World) -> Links | None:
    group, kind = rule.target[:2]
    labels, service = plain_labels(rule.form, part), part.get("type") if rule.form == "service" else None
    if labels is None or world.is_cluster_scoped(group, kind) or not (service is None or is_plain(service)):
        return None
    keys = tuple(sorted(labels))

    def selected(batch: Batch) -> Sequence[tuple[Key, ...] | None]:
        exact = {name: world.selectable.exact(group, kind, name, keys) for name in set(batch.namespaces)}
        values = zip(*(batch.column(labels[key].at) for key in keys), strict=True)
        found = [
            None if not namespace or (by_labels := exact[namespace]) is None else by_labels.surely(those)
            for namespace, those in zip(batch.namespaces, values, strict=True)
        ]
        if service is None:
            return found
        types = batch.column(service.at)
        return [None if type_ == "ExternalName" else keys for type_, keys in zip(types, found, strict=True)]

    return selected


def _of_name(rule: Rule, part: dict[str, Any], world: World) -> Links | None:
    if rule.condition[0] or rule.unless or rule.keys or rule.grant or rule.namespace in part:
        return None
    named = [part[field] for field in rule.names if field in part]
    said = {field: part[field] for field in rule.target[2:] if field in part}
    if len(named) != 1 or not are_plain({"": named[0], **said}):
        return None

    def called(batch: Batch) -> Sequence[tuple[Key, ...] | None]:
        names, columns = batch.column(named[0].at), [batch.column(slot.at) for slot in said.values()]
        kinds = [*zip(*columns, strict=True)] if said else [()] * len(names)
        there = {kind: _there(rule, dict(zip(said, kind, strict=True)), world) for kind in set(kinds)}
        found = (there[k].get((n, name)) for k, n, name in zip(kinds, batch.namespaces, names, strict=True))
        return [None if position is None else (world.keys[position],) for position in found]

    return called


def _there(rule: Rule, said: dict[str, Any], world: World) -> Mapping[tuple[str, str], int]:
    """The objects of the kind that is meant, if that has namespaces."""
    kind = world.stored(*target_of(rule, said))
    return world.there(*kind) if world.is_cluster_scoped(*kind) is False else {}
