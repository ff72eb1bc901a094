"""The check kinds: what a rule can ask of an object that no JSON Schema can say, each `(parameters, trusted) -> Check`.

`trusted` is false for rules that kplan does not ship.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from kplan.hints import Any, Final
from kplan.lint.site import Check
from kplan.lint.world import World
from kplan.tuples import NamedTuple

Builder = Callable[[Any, bool], Check]

# check kind -> its module below here and the function in it
CHECKS: Mapping[str, str] = {
    "schema": "schema.build",
    "pod-security": "pod_security.build",
    "dangling-ref": "references.dangling",
    "missing-key": "references.missing_key",
    "duplicate-object": "references.duplicate_object",
    "selects-nothing": "selectors.selects_nothing",
    "selector-mismatch": "selectors.selector_mismatch",
    "spread-misses-own-pods": "selectors.spread_misses_own_pods",
    "blocked-eviction": "budgets.blocked_eviction",
    "overlapping-budgets": "budgets.overlapping_budgets",
    "scaled-replicas": "scaling.scaled_replicas",
    "metric-without-request": "scaling.metric_without_request",
    "target-port": "services.target_port",
    "headless-service": "services.headless_service",
    "unprobed-pods": "services.unprobed_pods",
    "duplicate-route": "routes.duplicate_route",
    "stage": "stage.build",
}
# Those that look at nothing but the object, and of it at no more than kplan/lint/likeness.py says.
ALONE = frozenset(("schema", "pod-security"))


def builder(kind: str) -> Builder:
    """The function of a check kind; most rules look at what a small input does not have, and are not built for it."""
    module, _, name = CHECKS[kind].partition(".")
    found: Builder = getattr(__import__(f"{__name__}.{module}", fromlist=[name]), name)
    return found


class Question(NamedTuple):
    """What must be true of an object in which a check may find something: asked once for all objects and rules.

    `missing`: an edge of the object leads nowhere, and its kind or that of its target is one of the words; `twin`: an
    earlier object has its identity; `budgeted`: several disruption budgets lead to it; `apart`: its pods keep away from
    others; the others are functions of kplan/lint/checks/candidates.py. "" is none: every object may have something.
    """

    kind: str = ""
    words: frozenset[str] = frozenset()


_QUESTIONS: Final[Mapping[str, Question]] = {
    "selector-mismatch": Question("missing", frozenset(("own-pods",))),
    "duplicate-object": Question("twin"),
    "spread-misses-own-pods": Question("apart"),
    "overlapping-budgets": Question("budgeted"),
    "scaled-replicas": Question("scaled"),
    "headless-service": Question("headed"),
    "target-port": Question("undeclared"),
    "metric-without-request": Question("unmeasured"),
}


def question(check: str, parameters: Any) -> Question:
    """The question of a check kind with these parameters."""
    if check in ("dangling-ref", "missing-key"):
        return Question("missing", frozenset((*parameters.get("to", ()), parameters.get("edge", ""))))
    if check == "unprobed-pods":
        return Question("unprobed", frozenset((parameters,)))
    if check == "selects-nothing":
        return Question("missing", frozenset((parameters,)))
    return _QUESTIONS.get(check, Question())


def answers(question: Question, world: World) -> Collection[int] | None:
    """The ids of the objects of which a question is true, or may be; None stands for all objects."""
    match question.kind:
        case "":
            return None
        case "missing":
            return world.missing_words(question.words)
        case "twin":
            return world.twins.keys()
        case "apart":
            return world.apart_edges.keys()
        case "budgeted":
            return world.led_to("disruption", least=2)
    from kplan.lint.checks import candidates

    found: Collection[int] = getattr(candidates, question.kind)(world, *question.words)
    return found
