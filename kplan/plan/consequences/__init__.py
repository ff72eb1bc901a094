"""What follows from the actions of a plan: one module a family, each a pure function to short sentences.

A sentence says only what is sure. Where a rehearsal is needed to know and there was none, or a kind is not simulated,
nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Action, Key
from kplan.plan.pairing import order
from kplan.plan.secrets import redacted
from kplan.plan.sides import DEFAULT, NOWHERE, SUPPORTS, Side, is_asked_for, is_workload, namespace_of
from kplan.plan.values import get
from kplan.record import replace

if TYPE_CHECKING:
    from kplan.plan.actions import Context
    from kplan.plan.cast import Act, Cast
    from kplan.plan.consequences.scene import Scene
    from kplan.plan.pairing import Paired
    from kplan.plan.rehearsal import Run
    from kplan.plan.unchanged import Unchanged

Value = dict[str, Any]

# In the order in which their sentences are printed.
FAMILIES = (
    "restarts",
    "stuck",
    "placement",
    "endpoints",
    "budgets",
    "autoscaling",
    "volumes",
    "configuration",
    "namespaces",
)
MOST_PODS = 500
MOST_OBJECTS = 5_000
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, RecursionError)


def with_consequences(
    actions: Sequence[Action], pairs: Iterable[Paired], context: Context, unchanged: Unchanged
) -> tuple[tuple[Action, ...], tuple[str, ...]]:
    """The actions with what follows from each, and a sentence if that is not all that could be known."""
    if not any(a.verb != "keep" and _concerns(a) for a in actions):
        return tuple(actions), ()
    sides = {p.ref.key: p for p in pairs}
    total = len(sides) + len(unchanged)
    if total > MOST_OBJECTS and not context.settings.rehearsal:
        why = f"not rehearsed: {total:,} objects are more than {MOST_OBJECTS:,}; --rehearsal does it"
        return tuple(actions), (why,) if context.settings.rehearsal is None else ()
    try:
        scene, notes = _scene(actions, sides, context, unchanged)
        return tuple(_told(a, scene, context) for a in actions), notes
    except _BROKEN as error:  # a plan is right without its consequences; a message might hold a value
        return tuple(actions), (f"no consequences, because of an error in kplan ({type(error).__name__})",)


def _concerns(action: Action) -> bool:
    ref = action.ref
    return is_workload(ref) or ref.group in SUPPORTS.get(ref.kind, ())


def _scene(
    actions: Sequence[Action], sides: Mapping[Key, Paired], context: Context, unchanged: Unchanged
) -> tuple[Scene, tuple[str, ...]]:
    from kplan.plan.consequences.scene import Scene

    kept = {a.ref.key for a in actions if a.verb == "keep"}
    acts = {a.ref.key: act for a in actions if a.verb != "keep" and (act := _act(a, sides[a.ref.key], context))}
    sides = _with_unchanged(sides, acts.values(), context.settings.around, unchanged)
    more = context.settings.around
    old = Side([*more, *(p.before.value for p in sides.values() if p.before)])
    new = Side(
        [*more, *(side.value for k, p in sides.items() if (side := p.after or (p.before if k in kept else None)))]
    )
    run: Run | None = None
    notes: tuple[str, ...] = ()
    if context.settings.rehearsal is not False and any(
        is_workload(a.ref) and a.ref.kind != "CronJob" for a in acts.values()
    ):
        run, notes = _run(old, new, list(acts.values()), context)
    return Scene(old, new, context.written, acts, run), notes


def _with_unchanged(
    sides: Mapping[Key, Paired], acts: Iterable[Act], around: Iterable[Value], unchanged: Unchanged
) -> Mapping[Key, Paired]:
    """The pairs, with those of the unchanged objects that may have to do with an action.

    That is what is in a namespace with it and what is in none; everything where nodes are known: each pod takes room.
    What goes with a Namespace is of any kind, all else of those that a Side finds.
    """
    near, going = set(), set()
    for act in acts:
        if act.ref.kind == "Namespace":
            going.add(act.ref.name)
        near |= {namespace_of(v) for v in (act.old, act.new) if v is not None}
        near.add(act.ref.name if act.ref.kind == "Namespace" else act.key.namespace or DEFAULT)
    known = {p.ref.kind for p in sides.values()} | {str(v.get("kind")) for v in around}
    everywhere = "Node" in known or bool(unchanged.pairs(lambda key: key[:2] == ("", "Node")))

    def wanted(key: Key) -> bool:
        if not is_asked_for(key):
            return key.namespace in going
        return everywhere or (key.namespace or DEFAULT) in near or key.kind in NOWHERE

    found = [*sides.values(), *unchanged.pairs(wanted)]
    return {p.ref.key: p for p in sorted(found, key=lambda p: order(p.ref))}


def _run(old: Side, new: Side, acts: list[Act], context: Context) -> tuple[Run | None, tuple[str, ...]]:
    from kplan.plan.rehearsal import rehearse

    try:
        found, left_out = _chosen(old, new, acts, context)
        if found is None:
            return None, left_out
        run = rehearse(found, context.version)
    except KplanError as error:
        return None, (f"not rehearsed: {error.message}",)
    except _BROKEN as error:
        return None, (f"not rehearsed, because of an error in kplan ({type(error).__name__})",)
    notes = (f"the rehearsal did not come to rest: {run.unsettled}",) if run.unsettled else ()
    return run, (*left_out, *notes)


def _chosen(old: Side, new: Side, acts: list[Act], context: Context) -> tuple[Cast | None, tuple[str, ...]]:
    """Who takes part, and what is left out because that would be too many."""
    from kplan.plan.cast import cast
    from kplan.schema.catalog import catalog

    kinds = catalog(context.version)
    found = cast(old, new, acts, kinds)
    if found.pods <= MOST_PODS or context.settings.rehearsal:
        return found, ()
    why = f"{found.pods:,} pods are more than {MOST_PODS:,}; --rehearsal does it"
    fewer = cast(old, new, acts, kinds, room=False) if found.nodes else found
    if fewer.pods <= MOST_PODS:
        return fewer, (f"rehearsed without room on nodes: {why}",)
    return None, (f"not rehearsed: {why}",)


def _act(action: Action, pair: Paired, context: Context) -> Act | None:
    """The action with the whole objects, in the group of the desired side; None for what has no built-in kind."""
    from kplan.plan.actions import migrated
    from kplan.plan.cast import Act, place
    from kplan.schema.catalog import catalog
    from kplan.store import ref_of

    kinds = catalog(context.version)
    old, new = pair.before.value if pair.before else None, pair.after.value if pair.after else None
    if pair.before is not None and old is not None and pair.before.ref.api_version != action.ref.api_version:
        old = migrated(old, pair.before.ref, action.ref, context.version)
    old = place(old, kinds) if old is not None else None
    new = place(new, kinds) if new is not None else None
    if new is None and (old is None or action.verb != "delete"):
        return None
    shown = new if new is not None else old
    assert shown is not None
    gone = ref_of(old).key if old is not None else None
    key, scaled = ref_of(shown).key, _leaves_replicas(action, context)
    return Act(action.ref, action.verb, key, old, new, action.create_first, gone, scaled)


_REPLICAS = ("spec", "replicas")
_SCALABLE = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


def _leaves_replicas(action: Action, context: Context) -> bool:
    """Whether the manifest says nothing about the number of replicas, so that applying it leaves it alone."""
    if action.ref.kind not in _SCALABLE:
        return False
    manifest = context.written[1].get(action.ref.key)
    return manifest is not None and not isinstance(get(manifest, _REPLICAS), int)


def _told(action: Action, scene: Scene, context: Context) -> Action:
    if action.verb == "keep" or scene.act(action) is None:
        return action
    from kplan.plan.consequences import restarts

    hide = _hider(scene, action, context)
    found = [hide(line) for family in _families() for line in family(scene, action)]
    return replace(action, rollout=restarts.rollout(scene, action), consequences=tuple(dict.fromkeys(found)))


def _hider(scene: Scene, action: Action, context: Context) -> Callable[[str], str]:
    """Takes the secret values of an object out of a text about it."""
    act = scene.act(action)
    values = [v for v in (act.old, act.new) if v is not None] if act is not None else []
    return lambda text: redacted(text, [(v, context.hide(v)) for v in values])


def _families() -> Iterator[Callable[[Scene, Action], Iterator[str]]]:
    for name in FAMILIES:
        yield __import__(f"{__name__}.{name}", fromlist=["lines"]).lines  # importlib takes longer to load
