"""The plan: what turns one cluster into another, in which order, and at what price. A pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Action, Key, Plan, PlanCounts
from kplan.plan import silent
from kplan.plan.actions import Context, Settings, action
from kplan.plan.consequences import with_consequences
from kplan.plan.consumers import consumers
from kplan.plan.kinds import Kinds
from kplan.plan.noise import IGNORE_RULE, IgnoreRule
from kplan.plan.order import arrange
from kplan.plan.pairing import Paired, order, pair
from kplan.plan.patterns import covers, parse
from kplan.plan.rollout import restarts_pods
from kplan.plan.unchanged import Unchanged
from kplan.record import replace
from kplan.store import ref_of

if TYPE_CHECKING:
    from kplan.cluster import Cluster

__all__ = ["IgnoreRule", "Settings", "plan"]

Value = dict[str, Any]
Written = Mapping[Key, Value]

_DEFAULT = Settings()
# Frequent kinds that have no pods.
_READ_NOTHING = ("ConfigMap", "Secret", "Service", "Ingress", "NetworkPolicy", "HorizontalPodAutoscaler", "Role")


def plan(
    current: Cluster,
    desired: Cluster,
    *,
    settings: Settings = _DEFAULT,
    written: tuple[Written, Written] = ({}, {}),
    unchanged: Unchanged | None = None,
) -> Plan:
    """The actions that bring `current` to `desired`, with secret values masked.

    `written` holds the objects of both sides as people wrote them, by identity: with them the plan prints quantities
    as they were spelled and counts what defaults and normalisation level out. `unchanged` are the objects that both
    sides have besides, in the same words: they count, and have no action.
    """
    unchanged = unchanged or Unchanged()
    pairs = pair(current.objects(), desired.objects())
    shown, written = _with_values(pairs, written, unchanged) if settings.values else (pairs, written)
    crds = (*desired.objects("CustomResourceDefinition"), *current.objects("CustomResourceDefinition"))
    context = Context(desired.version, Kinds(desired.version, crds), crds, settings, written)
    actions = [action(p, context) for p in shown]
    actions = _with_consumers(actions, desired.objects(), unchanged, written[1])
    counts = count(actions)
    ordered = arrange(actions, {p.ref.key: side.value for p in pairs if (side := p.after or p.before)})
    ordered, notes = with_consequences(ordered, pairs, context, unchanged)
    return Plan(
        ordered,
        replace(counts, unchanged=counts.unchanged + len(unchanged) - (len(shown) - len(pairs))),
        noise=tuple(sorted(Counter(i.reason for a in actions for i in a.ignored).items())),
        warnings=(*unused(settings, actions), *silent.sentences(actions, written, context.kinds), *notes),
        version=desired.version,
    )


def _with_values(
    pairs: list[Paired], written: tuple[Written, Written], unchanged: Unchanged
) -> tuple[list[Paired], tuple[Written, Written]]:
    """The pairs with those that have not changed, in the order of their names, and the manifests of all of them."""
    more, manifests = unchanged.everything()
    if not more:
        return pairs, written
    given = {ref_of(value).key: value for value in manifests}
    return sorted([*pairs, *more], key=lambda p: order(p.ref)), ({**written[0], **given}, {**written[1], **given})


def count(actions: Iterable[Action]) -> PlanCounts:
    """Terraform's numbers: a replacement is one to add and one to destroy."""
    acting = list(actions)
    verbs = Counter(a.verb for a in acting)
    kept = sum(1 for a in acting if a.verb == "keep" and a.reasons)
    return PlanCounts(
        add=verbs["create"] + verbs["replace"],
        change=verbs["update"],
        destroy=verbs["delete"] + verbs["replace"],
        replace=verbs["replace"],
        unchanged=verbs["keep"] - kept,
        kept=kept,
        moved=sum(1 for a in acting if a.before_ref and a.before_ref.group != a.ref.group),
    )


def _with_consumers(
    actions: list[Action], objects: list[Value], unchanged: Unchanged, manifests: Written
) -> list[Action]:
    """Notes on changed ConfigMaps and Secrets: who reads them and does not restart."""
    changed = {a.ref.key for a in actions if a.verb == "update" and a.ref.kind in ("ConfigMap", "Secret")}
    if not changed:
        return actions
    uses = consumers(_with_readers(objects, changed, unchanged, manifests))
    restarts = {a.ref.key for a in actions if a.verb in ("create", "replace") or restarts_pods(a.rollout)}
    out = []
    for a in actions:
        found = uses.get(a.ref.key, ()) if a.ref.key in changed and not a.ref.group else ()
        notes = tuple(
            f"{u.workload.kind} {u.workload.name} {u.effect}" for u in found if u.workload.key not in restarts
        )
        out.append(replace(a, notes=(*a.notes, *notes)) if notes else a)
    return out


def _with_readers(objects: list[Value], changed: set[Key], unchanged: Unchanged, manifests: Written) -> list[Value]:
    """The objects, and those of the unchanged ones that may read what changed, in the order of the manifests' names."""
    readers = unchanged.readers(changed, lambda key: key.kind not in _READ_NOTHING)
    if not readers:
        return objects
    found = [(order(ref_of(manifests.get(ref_of(v).key, v))), v) for v in objects]
    found += [(order(p.ref), p.after.value) for p in readers if p.after is not None]
    return [value for _, value in sorted(found, key=lambda each: each[0])]


def unused(settings: Settings, actions: list[Action]) -> Iterator[str]:
    """One sentence for every ignore rule that hides nothing."""
    for rule in settings.ignores:
        if not any(_used(rule, a) for a in actions):
            yield f"the ignore rule {rule} matches no difference"


def _used(rule: IgnoreRule, a: Action) -> bool:
    places = (parse(i.path) for i in a.ignored if i.reason == IGNORE_RULE)
    return rule.applies(a.ref) and any(covers(rule.path, place) for place in places)
