"""KubeSchedulerConfiguration: profiles, plugins on and off, weights, arguments."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.errors import KplanError
from kplan.scheduler import profile
from kplan.scheduler.framework import score
from kplan.scheduler.plugins import FILTERS, SCORES
from kplan.scheduler.profile import Profile
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store

Value = dict[str, Any]
HEAD = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}


def read(*profiles: Value, **config: Any) -> dict[str, Profile]:
    return profile.read({**HEAD, "profiles": list(profiles), **config})


def one(plugins: Value | None = None, *configs: tuple[str, Value]) -> Profile:
    given = {"plugins": plugins or {}, "pluginConfig": [{"name": name, "args": args} for name, args in configs]}
    return read(given)["default-scheduler"]


def filters(p: Profile) -> list[str]:
    return [plugin.NAME for plugin in p.filters]


def scores(p: Profile) -> list[tuple[str, int]]:
    return [(plugin.NAME, weight) for plugin, weight in p.scores]


ALL_FILTERS = [p.NAME for p in FILTERS]
ALL_SCORES = [(p.NAME, weight) for p, weight in SCORES]


def test_an_empty_configuration_is_the_default() -> None:
    assert read()["default-scheduler"] == profile.default()
    assert (filters(one()), scores(one())) == (ALL_FILTERS, ALL_SCORES)


def test_disabled_at_one_point_and_everywhere() -> None:
    here = one({"filter": {"disabled": [{"name": "TaintToleration"}]}})
    assert filters(here) == [n for n in ALL_FILTERS if n != "TaintToleration"]
    assert scores(here) == ALL_SCORES
    everywhere = one({"multiPoint": {"disabled": [{"name": "TaintToleration"}, {"name": "DefaultPreemption"}]}})
    assert ("TaintToleration", 3) not in scores(everywhere)
    assert not everywhere.preempts


def test_all_off_and_one_on_with_a_weight() -> None:
    given = one({"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit", "weight": 7}]}})
    assert scores(given) == [("NodeResourcesFit", 7)]
    assert filters(given) == ALL_FILTERS


def test_a_plugin_that_is_named_again_comes_first_with_its_new_weight() -> None:
    given = one({"score": {"enabled": [{"name": "ImageLocality", "weight": 5}]}})
    rest = [(n, w) for n, w in ALL_SCORES if n != "ImageLocality"]
    assert scores(given) == [("ImageLocality", 5), *rest]


def test_what_is_not_simulated_is_named() -> None:
    found = read({"plugins": {"filter": {"enabled": [{"name": "Mine"}]}}}, extenders=[{"urlPrefix": "http://x"}])
    assert found["default-scheduler"].unsupported == ("plugin Mine", "extender http://x")


def test_several_profiles_and_how_many_nodes_they_look_at() -> None:
    found = read({"schedulerName": "a", "percentageOfNodesToScore": 50}, {"schedulerName": "b"},
                 percentageOfNodesToScore=10)  # fmt: skip
    assert {name: p.percentage for name, p in found.items()} == {"a": 50, "b": 10}


@pytest.mark.parametrize(
    "config",
    [
        {"kind": "Pod", "apiVersion": "v1"},
        {
            **HEAD,
            "profiles": [{"pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "X"}}}]}],
        },
        {**HEAD, "profiles": [{"pluginConfig": [{"name": "PodTopologySpread", "args": {"defaultConstraints": [{}]}}]}]},
    ],
)
def test_what_kube_scheduler_would_refuse(config: Value) -> None:
    with pytest.raises(KplanError):
        profile.read(config)


def marks(plugin: str, args: Value, **spec: Any) -> list[int]:
    """The weighted marks of three nodes, the first empty, the second half full, the third full."""
    used = one({}, (plugin, args))
    room = {"cpu": "4", "memory": "4Gi", "pods": "9", "example.com/gpu": "4"}
    objects: list[Value] = []
    for name, count in (("a", 0), ("b", 2), ("c", 4)):
        labels = {"zone": name, "size": str(count)}
        objects.append({"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"capacity": room}})
        asked = {"cpu": str(count), "memory": f"{count}Gi", "example.com/gpu": str(count)}
        container = {"resources": {"requests": asked}}
        placed = {"nodeName": name, "containers": [container]}
        objects.append({"kind": "Pod", "metadata": {"name": name, "labels": {"app": "x"}}, "spec": placed})
    cluster = Snapshot(Store(objects))
    new = {"metadata": {"name": "new", "labels": {"app": "x"}}, "spec": spec}
    new["spec"].setdefault("containers", [{"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}])
    return score(cluster.pod(new), cluster.nodes, cluster, used.scores, used.args).get(plugin, [])


def strategy(kind: str, **more: Any) -> Value:
    return {"scoringStrategy": {"type": kind, **more}}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (strategy("LeastAllocated"), [75, 25, 0]),
        (strategy("MostAllocated"), [25, 75, 100]),
        (strategy("MostAllocated", resources=[{"name": "cpu", "weight": 3}, {"name": "memory"}]), [25, 75, 100]),
        (strategy("LeastAllocated", resources=[{"name": "example.com/gpu", "weight": 1}]), [0, 0, 0]),
        (
            strategy("RequestedToCapacityRatio", requestedToCapacityRatio={
                "shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]}),
            [25, 75, 100],
        ),
        (
            strategy("RequestedToCapacityRatio", requestedToCapacityRatio={
                "shape": [{"utilization": 20, "score": 10}, {"utilization": 80, "score": 4}]}),
            [95, 45, 40],
        ),
    ],
)  # fmt: skip
def test_strategies_of_fit(args: Value, expected: list[int]) -> None:
    assert marks("NodeResourcesFit", args) == expected


def test_extended_resources_count_in_scores_when_asked_for() -> None:
    args = strategy("MostAllocated", resources=[{"name": "example.com/gpu", "weight": 1}])
    asked = [{"resources": {"requests": {"example.com/gpu": "1"}}}]
    assert marks("NodeResourcesFit", args, containers=asked) == [25, 75, 100]


def test_balance_over_other_resources() -> None:
    asked = [{"resources": {"requests": {"cpu": "1", "example.com/gpu": "2"}}}]
    given = [{"name": n, "weight": 1} for n in ("cpu", "memory", "example.com/gpu")]
    assert marks("NodeResourcesBalancedAllocation", {"resources": given}, containers=asked) == [64, 64, 75]


def test_ignored_resources() -> None:
    used = one({}, ("NodeResourcesFit", {"ignoredResources": ["a.io/x"], "ignoredResourceGroups": ["b.io"]}))
    fit = next(f for f in used.filters if f.NAME == "NodeResourcesFit")
    cluster = Snapshot(Store([{"kind": "Node", "metadata": {"name": "n"}, "status": {"capacity": {"pods": "9"}}}]))
    for resource, refused in (("a.io/x", False), ("b.io/y", False), ("a.io/z", True)):
        spec = {"containers": [{"resources": {"requests": {resource: "1"}}}]}
        found = fit.filtering(cluster.pod({"metadata": {"name": "p"}, "spec": spec}), cluster, used.args)
        assert (found.check(cluster.nodes[0]) is not None) is refused  # type: ignore[union-attr]


def test_added_affinity() -> None:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    used = one({}, ("NodeAffinity", {"addedAffinity": required}))
    affinity = next(f for f in used.filters if f.NAME == "NodeAffinity")
    nodes = [{"kind": "Node", "metadata": {"name": z, "labels": {"zone": z}}} for z in "ab"]
    cluster = Snapshot(Store(nodes))
    found = affinity.filtering(cluster.pod({"metadata": {"name": "p"}, "spec": {}}), cluster, used.args)
    refusals = [found.check(n) for n in cluster.nodes]  # type: ignore[union-attr]
    assert refusals[0] is not None
    assert refusals[0].reasons == ("node(s) didn't match scheduler-enforced node affinity",)
    assert refusals[1] is None


def test_default_constraints_of_the_profile() -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    used = one({}, ("PodTopologySpread", {"defaultingType": "List", "defaultConstraints": [constraint]}))
    spread = next(f for f in used.filters if f.NAME == "PodTopologySpread")
    service = {"kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"app": "x"}}}
    nodes = [{"kind": "Node", "metadata": {"name": z, "labels": {"zone": z}}} for z in "ab"]
    placed = {"kind": "Pod", "metadata": {"name": "p", "labels": {"app": "x"}}, "spec": {"nodeName": "a"}}
    cluster = Snapshot(Store([*nodes, service, placed]))
    new = cluster.pod({"metadata": {"name": "new", "labels": {"app": "x"}}, "spec": {}})
    found = spread.filtering(new, cluster, used.args)
    assert [found.check(n) is None for n in cluster.nodes] == [False, True]  # type: ignore[union-attr]


def test_arguments_of_pod_affinity() -> None:
    used = one({}, ("InterPodAffinity", {"hardPodAffinityWeight": 5, "ignorePreferredTermsOfExistingPods": True}))
    assert (used.args.hard_affinity_weight, used.args.ignore_preferred_of_others) == (5, True)
