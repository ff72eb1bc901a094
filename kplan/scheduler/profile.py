"""Scheduler profiles: which plugins run, with which weights and arguments.

Reads KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as pkg/scheduler/apis/config/v1 (defaults.go,
default_plugins.go) and framework/runtime (expandMultiPointPlugins) do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kplan import release
from kplan.errors import KplanError
from kplan.scheduler import terms
from kplan.scheduler.args import LEAST, MOST, RATIO, SYSTEM_SPREAD, Args
from kplan.scheduler.fields import items, mapping, number, strings, text
from kplan.scheduler.framework import FilterPlugin, ScorePlugin
from kplan.scheduler.plugins import FILTERS, PASSIVE, PREEMPTION, SCORES
from kplan.scheduler.pod import DEFAULT_SCHEDULER, read_spread

Value = dict[str, Any]

GROUP = "kubescheduler.config.k8s.io/"
KIND = "KubeSchedulerConfiguration"
_EVERY = "*"
_FILTERS: Mapping[str, FilterPlugin] = {p.NAME: p for p in FILTERS}
_SCORES: Mapping[str, ScorePlugin] = {p.NAME: p for p, _ in SCORES}
_WEIGHTS: Mapping[str, int] = {p.NAME: weight for p, weight in SCORES}
_ORDER = tuple(dict.fromkeys((*_FILTERS, *_SCORES, *sorted(PASSIVE))))


@dataclass(frozen=True, slots=True)
class Profile:
    """One scheduler of a cluster. `percentage` is percentageOfNodesToScore, 0 for the adaptive one.

    `unsupported` names what the configuration asks for that is not simulated.
    """

    name: str
    filters: tuple[FilterPlugin, ...]
    scores: tuple[tuple[ScorePlugin, int], ...]
    args: Args
    preempts: bool = True
    percentage: int = 0
    unsupported: tuple[str, ...] = ()


def default(version: str = release.DEFAULT) -> Profile:
    """The profile of a scheduler without configuration."""
    return Profile(DEFAULT_SCHEDULER, FILTERS, SCORES, Args(minor=release.minor(version)))


def read(config: Value, version: str = release.DEFAULT) -> dict[str, Profile]:
    """The profiles of a KubeSchedulerConfiguration, by scheduler name. Raises KplanError if it is none."""
    if text(config, "kind") != KIND or not text(config, "apiVersion").startswith(GROUP):
        raise KplanError(f"not a {KIND} of {GROUP}v1", hint="the file is the one kube-scheduler gets by --config")
    extenders = tuple(f"extender {text(e, 'urlPrefix')}" for e in items(config, "extenders"))
    percentage = number(config, "percentageOfNodesToScore")
    found = {}
    for value in items(config, "profiles") or [{}]:
        profile = _profile(value, release.minor(version))
        found[profile.name] = replace(
            profile,
            percentage=number(value, "percentageOfNodesToScore", default=percentage),
            unsupported=profile.unsupported + extenders,
        )
    return found


def _profile(value: Value, minor: int) -> Profile:
    plugins = mapping(value, "plugins")
    everywhere = _merge(_ORDER, mapping(plugins, "multiPoint"))
    weights = _weights(plugins)
    at = {point: _expand(everywhere, mapping(plugins, point)) for point in ("filter", "score", "postFilter")}
    known = {*_FILTERS, *_SCORES, *PASSIVE}
    unknown = dict.fromkeys(n for names in at.values() for n in names if n not in known)
    return Profile(
        name=text(value, "schedulerName") or DEFAULT_SCHEDULER,
        filters=tuple(_FILTERS[n] for n in at["filter"] if n in _FILTERS),
        scores=tuple((_SCORES[n], weights.get(n) or _WEIGHTS[n]) for n in at["score"] if n in _SCORES),
        args=_args(items(value, "pluginConfig"), minor),
        preempts=PREEMPTION in at["postFilter"],
        unsupported=tuple(f"plugin {n}" for n in unknown),
    )


def _merge(defaults: Iterable[str], point: Value) -> list[str]:
    """The defaults without what is disabled, then what is enabled besides."""
    off = {text(p, "name") for p in items(point, "disabled")}
    on = [text(p, "name") for p in items(point, "enabled")]
    kept = [] if _EVERY in off else [n for n in defaults if n not in off or n in on]
    return kept + [n for n in on if n not in kept]


def _expand(everywhere: list[str], point: Value) -> list[str]:
    """The plugins at one point: those that it names again, the others of multiPoint, the rest that it names."""
    off = {text(p, "name") for p in items(point, "disabled")}
    on = [text(p, "name") for p in items(point, "enabled")]
    again = [n for n in on if n in everywhere]
    others = [] if _EVERY in off else [n for n in everywhere if n not in off and n not in on]
    return again + others + [n for n in on if n not in everywhere]


def _weights(plugins: Value) -> dict[str, int]:
    found = {}
    for point in ("multiPoint", "score"):
        for p in items(plugins, point, "enabled"):
            if number(p, "weight"):
                found[text(p, "name")] = number(p, "weight")
            elif point == "score" or text(p, "name") not in _WEIGHTS:
                found[text(p, "name")] = 1
    return found


def _args(configs: list[Value], minor: int) -> Args:
    args = Args(minor=minor)
    for config in configs:
        reader = _READERS.get(text(config, "name"))
        if reader is not None:
            args = replace(args, **reader(mapping(config, "args")))
    return args


def _fit(args: Value) -> Value:
    strategy = mapping(args, "scoringStrategy")
    kind = text(strategy, "type") or LEAST
    if kind not in (LEAST, MOST, RATIO):
        raise KplanError(f"unknown scoring strategy {kind!r}", hint=f"one of {LEAST}, {MOST}, {RATIO}")
    shape = items(strategy, "requestedToCapacityRatio", "shape")
    found: Value = {
        "strategy": kind,
        "ratio": tuple((number(p, "utilization"), number(p, "score")) for p in shape),
        "ignored_resources": frozenset(strings(args, "ignoredResources")),
        "ignored_groups": frozenset(strings(args, "ignoredResourceGroups")),
    }
    if items(strategy, "resources"):
        found["fit_resources"] = _resources(strategy)
    return found


def _resources(value: Value) -> tuple[tuple[str, int], ...]:
    return tuple((text(r, "name"), number(r, "weight") or 1) for r in items(value, "resources"))


def _balanced(args: Value) -> Value:
    names = tuple(name for name, _ in _resources(args))
    return {"balanced_resources": names} if names else {}


def _pod_affinity(args: Value) -> Value:
    return {
        "hard_affinity_weight": number(args, "hardPodAffinityWeight", default=1),
        "ignore_preferred_of_others": args.get("ignorePreferredTermsOfExistingPods") is True,
    }


def _node_affinity(args: Value) -> Value:
    added = mapping(args, "addedAffinity")
    return {
        "added_required": terms.node_terms(added.get("requiredDuringSchedulingIgnoredDuringExecution")),
        "added_preferred": terms.preferred_node_terms(added),
    }


def _spread(args: Value) -> Value:
    constraints = tuple(read_spread(c, {}) for c in items(args, "defaultConstraints"))
    if (text(args, "defaultingType") or "System") == "List":
        return {"default_spread": constraints, "system_spread": False}
    if constraints:
        raise KplanError("defaultConstraints need defaultingType: List", hint="kube-scheduler refuses this too")
    return {"default_spread": SYSTEM_SPREAD, "system_spread": True}


def _preemption(args: Value) -> Value:
    return {
        "candidate_percentage": number(args, "minCandidateNodesPercentage", default=10),
        "candidate_absolute": number(args, "minCandidateNodesAbsolute", default=100),
    }


_READERS: Mapping[str, Callable[[Value], Value]] = {
    "NodeResourcesFit": _fit,
    "NodeResourcesBalancedAllocation": _balanced,
    "InterPodAffinity": _pod_affinity,
    "NodeAffinity": _node_affinity,
    "PodTopologySpread": _spread,
    PREEMPTION: _preemption,
}
