"""What happens to one object: the verb, the difference, and the reasons for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kplan import release
from kplan.cluster import Cluster
from kplan.model import ABSENT, Action, Change, Ignored, Key, Ref
from kplan.plan import immutable, transitions
from kplan.plan.align import same
from kplan.plan.allocated import with_unknown
from kplan.plan.diff import diff
from kplan.plan.immutable import Update
from kplan.plan.kinds import Kind, Kinds, rows
from kplan.plan.noise import IgnoreRule, Pair, is_live, split
from kplan.plan.pairing import Paired
from kplan.plan.prune import why_kept
from kplan.plan.rollout import rollout
from kplan.plan.secrets import Masks, as_stored, mask
from kplan.plan.written import leaves, levelled, respell, size
from kplan.store import ref_of

Value = dict[str, Any]
Written = Mapping[Key, Value]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to plan. `prune`: what is only in the current state is destroyed. `values`: unchanged objects carry theirs."""

    prune: bool = True
    ignores: tuple[IgnoreRule, ...] = ()
    show_secrets: bool = False
    values: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What all actions of one run share. `written` holds both sides as people wrote them, by identity."""

    version: str
    kinds: Kinds
    crds: tuple[Value, ...]
    settings: Settings
    written: tuple[Written, Written]
    masks: Masks = field(default_factory=Masks)
    _transitions: dict[Ref, tuple[transitions.Transition, ...]] = field(default_factory=dict)

    def hide(self, value: Value) -> Value:
        """The object as it may be shown."""
        stored = as_stored(value)
        return stored if self.settings.show_secrets else mask(stored, self.masks)

    def as_written(self, side: int, value: Value) -> Value | None:
        """The object as it was written on that side (0 current, 1 desired), fit to be shown; None if unknown."""
        found = self.written[side].get(ref_of(value).key)
        return self.hide(found) if found is not None else None

    def rules_of(self, ref: Ref) -> tuple[transitions.Transition, ...]:
        """The transition rules of a custom resource."""
        key = ref._replace(namespace="", name="")
        if key not in self._transitions:
            self._transitions[key] = transitions.of_crds(self.crds, ref.group, ref.kind, ref.version)
        return self._transitions[key]


def action(pair: Paired, context: Context) -> Action:
    """What happens to this object."""
    if pair.before is None:
        return _create(pair.ref, pair.after or {}, context)
    if pair.after is None:
        return _only_current(pair.ref, pair.before, context)
    return _both(pair, pair.before, pair.after, context)


def _create(ref: Ref, value: Value, context: Context) -> Action:
    stored = with_unknown(context.hide(value))
    written = context.as_written(1, value)
    shown = with_unknown(written) if written is not None else stored
    hidden = max(0, size(stored) - size(shown))
    change = Change((), "create", ABSENT, body(shown), unchanged=hidden)
    return Action(ref, "create", change, after=stored)


def _only_current(ref: Ref, value: Value, context: Context) -> Action:
    kept = why_kept(value, prune=context.settings.prune)
    if kept:
        return Action(ref, "keep", reasons=(kept,), before_ref=ref)
    stored = context.hide(value)
    shown = context.as_written(0, value) or stored
    change = Change((), "delete", body(shown), ABSENT)
    reasons = ("because it is not in the manifests",)
    return Action(ref, "delete", change, reasons, risks=_lost(ref, "destroy"), before_ref=ref, before=stored)


def _both(pair: Paired, before: Value, after: Value, context: Context) -> Action:
    old_ref, ref = ref_of(before), pair.ref
    kind = context.kinds.of(ref)
    if same(before, after):
        return _unchanged(ref, before, after, kind, context)
    before = _migrated(before, old_ref, ref, context.version)
    old, new = (_spelled(side, v, context) for side, v in ((0, before), (1, after)))
    change, ignored = _difference(old, new, kind, before, after, context)
    if change is None:
        return _unchanged(ref, before, after, kind, context, tuple(ignored))
    update = Update(kind, before, after, release.minor(context.version), context.rules_of(ref) if kind.custom else ())
    change, reasons = immutable.mark(change, update)
    if pair.renamed:
        reasons = (f"the name carries a hash of the content: {old_ref.name} -> {ref.name}",)
    if reasons and not pair.renamed:
        new = with_unknown(new)
        again, ignored = _difference(old, new, kind, before, after, context)
        change, reasons = immutable.mark(again or change, update)
    return Action(
        ref,
        "replace" if reasons else "update",
        change,
        reasons,
        notes=_notes(old_ref, ref),
        risks=_lost(ref, "replace") if reasons and not pair.renamed else (),
        rollout=rollout(ref.kind, change, after),
        create_first=pair.renamed,
        before_ref=old_ref,
        before=old,
        after=new,
        ignored=tuple(ignored),
    )


def _spelled(side: int, value: Value, context: Context) -> Value:
    shown, written = context.hide(value), context.as_written(side, value)
    spelled: Value = respell(shown, written) if written is not None else shown
    return spelled


def _difference(
    old: Value, new: Value, kind: Kind, before: Value, after: Value, context: Context
) -> tuple[Change | None, list[Ignored]]:
    found = diff(old, new, kind.list_rule)
    if found is None:
        return None, []
    ignores = tuple(r for r in context.settings.ignores if r.applies(ref_of(after)))
    seen = [names for names, _ in leaves(found)]
    change, ignored = split(found, Pair(kind, before, after, is_live(before), ignores))
    return change, ignored + _levelled(before, after, kind, seen, context)


def _unchanged(
    ref: Ref, before: Value, after: Value, kind: Kind, context: Context, ignored: tuple[Ignored, ...] | None = None
) -> Action:
    if ignored is None:
        ignored = tuple(_levelled(before, after, kind, [], context))
    old_ref = ref_of(before)
    if not context.settings.values:
        return Action(ref, "keep", ignored=ignored, before_ref=old_ref)
    return Action(
        ref, "keep", ignored=ignored, before_ref=old_ref, before=context.hide(before), after=context.hide(after)
    )


def _levelled(before: Value, after: Value, kind: Kind, seen: list[tuple[str, ...]], context: Context) -> list[Ignored]:
    old, new = (context.written[i].get(ref_of(v).key) for i, v in ((0, before), (1, after)))
    if old is None or new is None or old == new:
        return []
    return levelled(context.hide(old), context.hide(new), kind.list_rule, seen)


def _migrated(before: Value, old: Ref, new: Ref, version: str) -> Value:
    """The current object as the server gives it under the group of the desired one."""
    if old.group == new.group:
        return before
    return Cluster([{**before, "apiVersion": new.api_version}], version=version).objects()[0]


def _notes(old: Ref, new: Ref) -> tuple[str, ...]:
    if old.group != new.group:
        return (f"API group moved: {old.api_version} -> {new.api_version}",)
    if old.version != new.version:
        return (f"API version: {old.api_version} -> {new.api_version}",)
    return ()


def _lost(ref: Ref, how: str) -> tuple[str, ...]:
    return tuple(row[how] for row in rows("lost", ref.group, ref.kind))


def body(value: Value) -> Value:
    """The object without what its reference says and what only a server writes."""
    meta = value.get("metadata")
    out = {k: v for k, v in value.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    if isinstance(meta, dict):
        rest = {k: v for k, v in meta.items() if k in ("labels", "annotations", "finalizers", "generateName")}
        if rest:
            out = {"metadata": rest, **out}
    return out
