"""The check kinds: what a rule can ask of an object that no JSON Schema can say, each `(parameters, trusted) -> Check`.

`trusted` is false for rules that kplan does not ship.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kplan.lint.checks import budgets, pod_security, references, routes, scaling, schema, selectors, services, stage
from kplan.lint.site import Check

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
