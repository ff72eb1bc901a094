"""The HorizontalPodAutoscaler controller: a sync every fifteen seconds as long as it may change something.

Follows pkg/controller/podautoscaler/horizontal.go. A sync that neither changed anything nor waits for time to pass is
repeated in the next call of `settle`: its warnings come again, as they do in a real cluster all the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan import quantity
from kplan.api.customresources import catalog_of
from kplan.api.request import Server
from kplan.api.scale import Paths, paths_of, scale_of, scaled
from kplan.controllers.autoscaling.behavior import History
from kplan.controllers.autoscaling.decision import Blocked, Decision, decide, without_scale
from kplan.controllers.autoscaling.metrics import Metrics
from kplan.controllers.autoscaling.proposals import Target
from kplan.controllers.autoscaling.replicas import Tolerance
from kplan.controllers.autoscaling.selection import PodIndex, Selector
from kplan.controllers.autoscaling.versions import as_v2, status_in
from kplan.controllers.control import WARNING, Control
from kplan.controllers.manager import ANY, Controller
from kplan.model import Key, split_api_version
from kplan.schema import KindInfo
from kplan.store import Write

Value = dict[str, Any]

NAME = "horizontalpodautoscaler"
PERIOD = 15.0  # seconds between two syncs (--horizontal-pod-autoscaler-sync-period)
MOST_SYNCS = 100  # of one autoscaler in one call: one that goes up and down for ever is left at that


class _NoScale(Exception):  # noqa: N818 - an answer, not an error of kplan
    """The scale of a target cannot be had."""


class _State:
    """What the controller knows of one autoscaler."""

    __slots__ = ("call", "conditions", "history", "selector", "syncs", "target", "uid")

    def __init__(self, uid: str, target: Key) -> None:
        self.uid = uid
        self.target = target
        self.history = History()
        self.selector: Selector | None = None
        self.conditions: list[Value] = []
        self.call, self.syncs = 0, 0

    def may_go_on(self, call: int) -> bool:
        """Whether there have not been too many syncs in this call of `settle` already."""
        self.syncs = self.syncs + 1 if self.call == call else 1
        self.call = call
        return self.syncs < MOST_SYNCS


class _Memory:
    """All autoscalers, which of them want to scale an object, and the pods by label."""

    def __init__(self) -> None:
        self.states: dict[Key, _State] = {}
        self.by_target: dict[Key, dict[Key, None]] = {}
        self.pods = PodIndex()


def reconcile(key: Key, control: Control) -> None:
    """Sync one autoscaler if it is time to, else see to it that its time comes."""
    memory = _memory(control)
    hpa = control.get(key)
    if hpa is None:
        _forget(key, memory)
        return
    state = memory.states.get(key)
    target = _target_key(hpa)
    is_new = state is None or state.uid != hpa["metadata"].get("uid")
    if state is None or is_new:
        _forget(key, memory)
        state = memory.states[key] = _State(str(hpa["metadata"].get("uid")), target)
    elif state.target != target:
        memory.by_target.get(state.target, {}).pop(key, None)
        state.target = target
    memory.by_target.setdefault(target, {})[key] = None
    if is_new or control.is_waiting():
        control.wake(PERIOD)
        return
    before = control.store.revision
    goes_on = _sync(hpa, state, control) or control.store.revision != before
    control.wake(PERIOD, next_call=not (goes_on and state.may_go_on(control.calls)))


def _sync(hpa: Value, state: _State, control: Control) -> bool:
    """One sync; whether time alone may change its outcome."""
    spec, status = as_v2(hpa, state.conditions)
    try:
        target, paths = _scale(hpa, control)
    except _NoScale as no:
        decision = without_scale(status, str(no), state.history, control.now)
        _carry_out(hpa, state, decision, control)
        return False
    seen = _seen(hpa, spec, target, paths, state, control)
    blocked = _blocked(hpa, seen.pods, state, control)
    decision = decide(spec, status, seen, Metrics(control.metrics), state.history, control.now, blocked)
    if decision.replicas is not None:
        control.update(scaled(target, decision.replicas, paths))
    _carry_out(hpa, state, decision, control)
    return decision.waits


def _carry_out(hpa: Value, state: _State, decision: Decision, control: Control) -> None:
    for kind, reason, message in decision.events:
        control.event(hpa, kind, reason, message)
    state.history = decision.history
    state.conditions = decision.status["conditions"]
    control.status(hpa, status_in(hpa, decision.status))


def _scale(hpa: Value, control: Control) -> tuple[Value, Paths]:
    """The object to scale and where its count stands."""
    ref = hpa["spec"]["scaleTargetRef"]
    group, version = split_api_version(ref.get("apiVersion") or "v1")
    server = Server(control.version, control.store, hpa["metadata"]["namespace"])
    info = _kind(group, version, str(ref.get("kind")), server)
    if info is None:
        raise _NoScale(f'no matches for kind "{ref.get("kind")}" in group "{group}"')
    paths = paths_of(info, server)
    if paths is None or not info.namespaced:
        raise _NoScale("the server could not find the requested resource")
    found = control.get(Key(group, info.kind, hpa["metadata"]["namespace"], str(ref.get("name"))))
    if found is None:
        resource = f"{info.plural}.{group}" if group else info.plural
        raise _NoScale(f'{resource} "{ref.get("name")}" not found')
    return found, paths


def _kind(group: str, version: str, kind: str, server: Server) -> KindInfo | None:
    """The kind of a reference, in any version: only its group counts."""
    catalog = catalog_of(server.release, server.store)
    exact = catalog.kind(f"{group}/{version}" if group else version, kind)
    if exact is not None and exact.served:
        return exact
    return next((i for i in catalog.kinds() if i.group == group and i.kind == kind and i.served), None)


def _seen(hpa: Value, spec: Value, target: Value, paths: Paths, state: _State, control: Control) -> Target:
    """What metrics are asked about: the counts of the target and its pods."""
    scale = scale_of(target, paths)
    text = scale["status"].get("selector") or ""
    state.selector = Selector.of(text)
    namespace = hpa["metadata"]["namespace"]
    pods = _memory(control).pods.select(namespace, state.selector, control.store)
    behavior = spec.get("behavior") or {}
    tolerance = Tolerance(_tolerance(behavior.get("scaleUp")), _tolerance(behavior.get("scaleDown")))
    wanted, observed = scale["spec"].get("replicas") or 0, scale["status"]["replicas"]
    server = Server(control.version, control.store, namespace)
    return Target(namespace, wanted, observed, pods, tolerance, control.clock.now, lambda ref: _plural(ref, server))


def _tolerance(rules: Value | None) -> float:
    given = (rules or {}).get("tolerance")
    return 0.1 if given is None else quantity.parse(str(given)).nanos / 10**9


def _plural(ref: Value, server: Server) -> str:
    group, version = split_api_version(ref.get("apiVersion") or "v1")
    info = _kind(group, version, str(ref.get("kind")), server)
    plural = info.plural if info is not None else str(ref.get("kind")).lower()
    return f"{plural}.{group}" if group else plural


def _blocked(hpa: Value, pods: Iterable[Value], state: _State, control: Control) -> Blocked | None:
    """Whether the pods of a target cannot be told: no selector, or pods that other autoscalers count too."""
    assert state.selector is not None
    if not state.selector.text:
        what = "the HPA target's scale is missing a selector"
        return Blocked("InvalidSelector", what, (WARNING, "SelectorRequired", "selector is required"))
    sets = {frozenset((p["metadata"].get("labels") or {}).items()) for p in pods}
    if not sets:
        return None
    namespace = hpa["metadata"]["namespace"]
    names = sorted(
        f"{key.namespace}/{key.name}"
        for key, other in _memory(control).states.items()
        if key.namespace == namespace
        and other.selector is not None
        and any(other.selector.matches(dict(have)) for have in sets)
    )
    if len(names) < 2:
        return None
    what = f"pods by selector {state.selector.text} are controlled by multiple HPAs: [{' '.join(names)}]"
    return Blocked("AmbiguousSelector", what, (WARNING, "AmbiguousSelector", what))


def _target_key(hpa: Value) -> Key:
    ref = hpa["spec"]["scaleTargetRef"]
    group, _ = split_api_version(ref.get("apiVersion") or "v1")
    return Key(group, str(ref.get("kind")), hpa["metadata"]["namespace"], str(ref.get("name")))


def _memory(control: Control) -> _Memory:
    return control.remembered(NAME, _Memory)


def _forget(key: Key, memory: _Memory) -> None:
    state = memory.states.pop(key, None)
    if state is not None:
        memory.by_target.get(state.target, {}).pop(key, None)


def _autoscaler(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    known = write.old is not None and write.new is not None and write.old.get("spec") == write.new.get("spec")
    return [] if known else [write.key]


def _target(write: Write, control: Control) -> list[Key]:
    """The autoscalers of an object whose spec or status changed."""
    keys = _memory(control).by_target.get(write.key)
    if not keys:
        return []
    old, new = write.old or {}, write.new or {}
    same = old.get("spec") == new.get("spec") and old.get("status") == new.get("status")
    return [] if same else list(keys)


CONTROLLER = Controller(NAME, {"HorizontalPodAutoscaler": _autoscaler, ANY: _target}, reconcile)
