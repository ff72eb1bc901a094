"""The check kinds: what a rule can ask of an object that no JSON Schema can say, each `(parameters, trusted) -> Check`.

`trusted` is false for rules that kplan does not ship.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kplan.lint.checks import budgets, pod_security, references, routes, scaling, schema, selectors, services, stage
from kplan.lint.site import Check
from kplan.lint.world import World
from kplan.model import Object
from kplan.tuples import NamedTuple

Builder = Callable[[Any, bool], Check]

CHECKS: Mapping[str, Builder] = {
    "schema": schema.build,
    "pod-security": pod_security.build,
    "dangling-ref": references.dangling,
    "missing-key": references.missing_key,
    "duplicate-object": references.duplicate_object,
    "selects-nothing": selectors.selects_nothing,
    "selector-mismatch": selectors.selector_mismatch,
    "spread-misses-own-pods": selectors.spread_misses_own_pods,
    "blocked-eviction": budgets.blocked_eviction,
    "overlapping-budgets": budgets.overlapping_budgets,
    "scaled-replicas": scaling.scaled_replicas,
    "metric-without-request": scaling.metric_without_request,
    "target-port": services.target_port,
    "headless-service": services.headless_service,
    "unprobed-pods": services.unprobed_pods,
    "duplicate-route": routes.duplicate_route,
    "stage": stage.build,
}
# Those that look at nothing but the object, and of it at no more than kplan/lint/likeness.py says.
ALONE = frozenset(("schema", "pod-security"))


class Question(NamedTuple):
    """What must be true of an object in which a check may find something: asked once for all rules that ask it.

    `missing`: an edge of the object leads nowhere, and its kind or that of its target is one of the words; `twin`: an
    earlier object has its identity; `budgeted`, `served`: several disruption budgets or a Service select its pods;
    `apart`: its pods keep away from others; `counted`: it says how many pods it wants. "" is none.
    """

    kind: str = ""
    words: frozenset[str] = frozenset()


def question(check: str, parameters: Any) -> Question:
    """The question of a check kind with these parameters."""
    match check:
        case "dangling-ref" | "missing-key":
            return Question("missing", frozenset((*parameters.get("to", ()), parameters.get("edge", ""))))
        case "selects-nothing":
            return Question("missing", frozenset((parameters,)))
        case "selector-mismatch":
            return Question("missing", frozenset(("own-pods",)))
        case "duplicate-object":
            return Question("twin")
        case "spread-misses-own-pods":
            return Question("apart")
        case "overlapping-budgets":
            return Question("budgeted")
        case "unprobed-pods":
            return Question("served")
        case "scaled-replicas":
            return Question("counted")
    return Question()


def holds(question: Question, obj: Object, world: World) -> bool:
    """Whether what a question asks is true of an object."""
    kind = question.kind
    if kind == "missing":
        return not question.words.isdisjoint(world.missing_words(obj))
    if kind == "budgeted":
        return len(world.sources(obj, "disruption")) > 1
    if kind == "served":
        return bool(world.sources(obj, "selector"))
    if kind == "twin":
        return world.first(obj) is not None
    if kind == "apart":
        return bool(world.apart(obj))
    return obj.part("spec", "replicas") is not None
