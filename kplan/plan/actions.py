"""What happens to one object: the verb, the difference, and the reasons for both."""

from __future__ import annotations

from collections.abc import Mapping

from kplan import release
from kplan.cluster import Cluster
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import ABSENT, Action, Change, Ignored, Key, Ref
from kplan.plan import immutable
from kplan.plan.align import same
from kplan.plan.allocated import with_unknown
from kplan.plan.diff import diff
from kplan.plan.immutable import Update
from kplan.plan.kinds import Kind, Kinds, rows
from kplan.plan.noise import IgnoreRule, Pair, is_live, split
from kplan.plan.pairing import Paired, Side
from kplan.plan.patterns import Names
from kplan.plan.prune import why_kept
from kplan.plan.rollout import rollout
from kplan.plan.secrets import Masks, as_stored, mask
from kplan.plan.values import get, submap
from kplan.plan.written import leaves, levelled, respell, size
from kplan.record import field, record

if TYPE_CHECKING:
    from kplan.plan.transitions import Transition

Value = dict[str, Any]

# In these versions a workload without a selector got that of its template's labels.
_SELECTOR_FROM_TEMPLATE = ("extensions/v1beta1", "apps/v1beta1")
Written = Mapping[Key, Value]


@record
class Settings:
    """How to plan.

    `prune`: what is only in the current state is destroyed; `values`: unchanged objects carry their values, too.
    `rehearsal`: whether the actions are carried out on a simulated cluster; None unless that would be large. `around`:
    what is in the cluster besides the current side, such as its nodes.
    """

    prune: bool = True
    ignores: tuple[IgnoreRule, ...] = ()
    show_secrets: bool = False
    values: bool = False
    rehearsal: bool | None = None
    around: tuple[Value, ...] = ()


@record
class Context:
    """What all actions of one run share. `written` holds both sides as people wrote them, by identity."""

    version: str
    kinds: Kinds
    crds: tuple[Value, ...]
    settings: Settings
    written: tuple[Written, Written]
    masks: Masks = field(default_factory=Masks)
    _transitions: dict[Ref, tuple[Transition, ...]] = field(default_factory=dict)

    def hide(self, value: Value) -> Value:
        """The object as it may be shown."""
        stored = as_stored(value)
        return stored if self.settings.show_secrets else mask(stored, self.masks)

    def as_written(self, side: int, ref: Ref) -> Value | None:
        """The object as it was written on that side (0 current, 1 desired), fit to be shown; None if unknown."""
        found = self.written[side].get(ref.key)
        return self.hide(found) if found is not None else None

    def rules_of(self, ref: Ref) -> tuple[Transition, ...]:
        """The transition rules of a custom resource."""
        key = ref._replace(namespace="", name="")
        if key not in self._transitions:
            from kplan.plan import transitions  # for custom resources only

            self._transitions[key] = transitions.of_crds(self.crds, ref.group, ref.kind, ref.version)
        return self._transitions[key]


def action(pair: Paired, context: Context) -> Action:
    """What happens to this object."""
    if pair.before is not None and pair.after is not None:
        return _both(pair.before, pair.after, pair.renamed, context)
    if pair.before is not None:
        return _only_current(pair.before, context)
    assert pair.after is not None
    return _create(pair.after, context)


def _create(side: Side, context: Context) -> Action:
    ref, value = side
    stored = with_unknown(context.hide(value))
    written = context.as_written(1, ref)
    shown = with_unknown(written) if written is not None else stored
    hidden = max(0, size(stored) - size(shown))
    change = Change((), "create", ABSENT, body(shown), unchanged=hidden)
    return Action(ref, "create", change, after=stored)


def _only_current(side: Side, context: Context) -> Action:
    ref, value = side
    kept = why_kept(value, prune=context.settings.prune)
    if kept:
        return Action(ref, "keep", reasons=(kept,), before_ref=ref)
    stored = context.hide(value)
    shown = context.as_written(0, ref) or stored
    change = Change((), "delete", body(shown), ABSENT)
    reasons = ("because it is not in the manifests",)
    return Action(ref, "delete", change, reasons, risks=_lost(ref, "destroy", value), before_ref=ref, before=stored)


@record
class _Both:
    """An object that both sides have: its references, stored forms, kind and the context."""

    old_ref: Ref
    ref: Ref
    before: Value
    after: Value
    kind: Kind
    context: Context
    _shown: dict[int, Value | None] = field(default_factory=dict)

    def is_written_alike(self) -> bool:
        """Whether both manifests say the same: then nothing changes, whatever a server makes of it."""
        old, new = self._manifest(0), self._manifest(1)
        return old is not None and new is not None and same(old, new)

    def spelled(self) -> tuple[Value, Value]:
        """Both sides as they may be shown, quantities as the user spelled them; one object where they are one."""
        old = self._side(0, self.before)
        one = self.before is self.after and self._manifest(0) is self._manifest(1)
        return old, old if one else self._side(1, self.after)

    def _manifest(self, side: int) -> Value | None:
        return self.context.written[side].get((self.old_ref, self.ref)[side].key)

    def _written(self, side: int) -> Value | None:
        """The manifest of that side as it may be shown."""
        if side not in self._shown:
            self._shown[side] = self.context.as_written(side, (self.old_ref, self.ref)[side])
        return self._shown[side]

    def _side(self, side: int, value: Value) -> Value:
        shown, written = self.context.hide(value), self._written(side)
        spelled: Value = respell(shown, written) if written is not None else shown
        return spelled

    def difference(self, old: Value, new: Value) -> tuple[Change | None, tuple[Ignored, ...]]:
        """What differs between two spelled forms, and what of it is no change."""
        found = diff(old, new, self.kind.list_rule)
        if found is None:
            return None, self.levelled([])
        ignores = tuple(r for r in self.context.settings.ignores if r.applies(self.ref))
        seen = [names for names, _ in leaves(found)]
        change, ignored = split(found, Pair(self.kind, self.before, self.after, is_live(self.before), ignores))
        return change, (*ignored, *self.levelled(seen))

    def levelled(self, seen: list[Names]) -> tuple[Ignored, ...]:
        """What differs only in the manifests; `seen` are the places where the stored forms differ."""
        if self._manifest(0) == self._manifest(1):
            return ()
        old, new = self._written(0), self._written(1)
        if old is None or new is None:
            return ()
        return tuple(levelled(old, new, self.kind.list_rule, seen))

    def marked(self, change: Change) -> tuple[Change, tuple[str, ...]]:
        """The tree with what the server refuses to update, and its reasons."""
        rules = self.context.rules_of(self.ref) if self.kind.custom else ()
        update = Update(self.kind, self.before, self.after, release.minor(self.context.version), rules)
        return immutable.mark(change, update)


def _both(current: Side, desired: Side, renamed: bool, context: Context) -> Action:
    (old_ref, before), (ref, after) = current, desired
    kind = context.kinds.of(ref)
    both = _Both(old_ref, ref, before, after, kind, context)
    if both.is_written_alike():
        return _unchanged(both, ())
    if same(before, after):
        return _unchanged(both, both.levelled([]))
    before = _stored(migrated(before, old_ref, ref, context.version), kind)
    both = _Both(old_ref, ref, before, _stored(after, kind), kind, context)
    old, new = both.spelled()
    change, ignored = both.difference(old, new)
    if change is None:
        return _unchanged(both, ignored)
    change, reasons = both.marked(change)
    if renamed:
        reasons = (f"the name carries a hash of the content: {old_ref.name} -> {ref.name}",)
    elif reasons:
        new = with_unknown(new)
        again, ignored = both.difference(old, new)
        change, reasons = both.marked(again or change)
    return Action(
        ref,
        "replace" if reasons else "update",
        change,
        reasons,
        notes=_notes(old_ref, ref),
        risks=_lost(ref, "replace", before) if reasons and not renamed else (),
        rollout=rollout(ref.kind, change, after),
        create_first=renamed,
        before_ref=old_ref,
        before=old,
        after=new,
        ignored=ignored,
    )


def _unchanged(both: _Both, ignored: tuple[Ignored, ...]) -> Action:
    if not both.context.settings.values:
        return Action(both.ref, "keep", before_ref=both.old_ref, ignored=ignored)
    old, new = both.spelled()
    return Action(both.ref, "keep", before_ref=both.old_ref, before=old, after=new, ignored=ignored)


def migrated(before: Value, old: Ref, new: Ref, version: str) -> Value:
    """The current object as the server gives it in the group and version of the desired one."""
    if old.api_version == new.api_version:
        return before
    value = {**before, "apiVersion": new.api_version}
    spec, labels = before.get("spec"), get(before, ("spec", "template", "metadata", "labels"))
    if old.api_version in _SELECTOR_FROM_TEMPLATE and isinstance(spec, dict) and isinstance(labels, dict):
        value["spec"] = {"selector": {"matchLabels": labels}, **spec}
    return Cluster([value], version=version).objects()[0]


def _stored(value: Value, kind: Kind) -> Value:
    """A custom resource as the server stores it, by the schema of its CustomResourceDefinition."""
    if not kind.custom or kind.node is None:
        return value
    from kplan.schema import structural  # for custom resources only

    stored: Value = structural.apply_defaults(kind.node, structural.prune(kind.node, value))
    return stored


def _notes(old: Ref, new: Ref) -> tuple[str, ...]:
    if old.group != new.group:
        return (f"API group moved: {old.api_version} -> {new.api_version}",)
    if old.version != new.version:
        return (f"API version: {old.api_version} -> {new.api_version}",)
    return ()


def _lost(ref: Ref, how: str, value: Value) -> tuple[str, ...]:
    told = tuple(row[how] for row in rows("lost", ref.group, ref.kind))
    if get(value, ("spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")) == "Delete":
        return tuple(t.replace("its volume claims stay", "its volume claims go as well") for t in told)
    return told


def body(value: Value) -> Value:
    """The object without what its reference says and what only a server writes."""
    out = {k: v for k, v in value.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    kept = ("labels", "annotations", "finalizers", "generateName")
    meta = {k: v for k, v in submap(value, "metadata").items() if k in kept}
    return {"metadata": meta, **out} if meta else out
