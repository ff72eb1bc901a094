"""Endpoints, EndpointSlices and their mirrors: what a Service leads to, and what budgets allow, as recorded and beyond.

The recordings are those of a real 1.36 control plane, cut down to the objects that are compared here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.controllers.endpointslicepacking import pack
from kplan.controllers.endpointsubsets import repack, truncated

Value = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "controllers" / "endpoints"
RECORDED = sorted(DATA.glob("*.json"))
KINDS = ("EndpointSlice", "Endpoints", "PodDisruptionBudget")
UNTOLD = ("creationTimestamp", "resourceVersion", "lastTransitionTime")
SORTED = ("endpoints", "ports", "addresses", "notReadyAddresses", "subsets")
NOTES = ("endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration")

NODES = [
    {
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}},
        "status": {"allocatable": {"cpu": "4", "memory": "64Gi", "pods": "500"}},
    }
    for name, zone in (("n1", "east"), ("n2", "west"))
]


# ---------------------------------------------------------------- as recorded


def told(value: Any, tokens: dict[str, str], field: str = "") -> Any:
    """An object as a recording holds it."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in UNTOLD}
        if "annotations" in kept:
            kept["annotations"] = {k: v for k, v in kept["annotations"].items() if k not in NOTES}
            if not kept["annotations"]:
                del kept["annotations"]
        return {k: told(v, tokens, k) for k, v in kept.items()}
    if isinstance(value, list):
        items = [told(v, tokens) for v in value]
        return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if field in SORTED else items
    return tokens.get(value, value) if isinstance(value, str) else value


def without_uid(value: Value) -> Value:
    return {**value, "metadata": {k: v for k, v in value["metadata"].items() if k != "uid"}}


def state(cluster: kplan.Cluster, namespace: str) -> dict[tuple[str, str], Value]:
    tokens = {}
    for o in cluster.objects(namespace=namespace):
        tokens[o["metadata"]["uid"]] = f"<uid {o['kind']}/{o['metadata']['name']}>"
        if o["kind"] == "Pod" and o["status"].get("podIP"):
            tokens[o["status"]["podIP"]] = f"<ip {o['metadata']['name']}>"
    found = (cluster.get(o) for o in cluster.objects(namespace=namespace) if o["kind"] in KINDS)
    return {(o["kind"], o["metadata"]["name"]): told(without_uid(o), tokens) for o in found if o is not None}


def relabel(cluster: kplan.Cluster, namespace: str, change: Value) -> None:
    (pod,) = [p for p in cluster.objects("Pod", namespace) if p["metadata"]["name"] == change["name"]]
    labels = {**pod["metadata"]["labels"], **change["patch"]["metadata"]["labels"]}
    (answer,) = cluster.apply({**pod, "metadata": {**pod["metadata"], "labels": labels}}, mode="replace")
    assert answer.accepted


@pytest.mark.parametrize("path", RECORDED, ids=[p.stem for p in RECORDED])
def test_recorded(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    ns = recorded["namespace"]
    cluster = kplan.Cluster([*recorded["nodes"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}}])
    kubelet = True
    for step in recorded["steps"]:
        do = step["do"]
        kubelet = {"on": True, "off": False}.get(do.get("kubelet"), kubelet)
        assert all(a.accepted for a in cluster.apply(do.get("apply", ()), namespace=ns))
        for x in do.get("patch", ()):
            relabel(cluster, ns, x)
        for x in do.get("delete", ()):
            assert cluster.delete(x["kind"], x["name"], namespace=ns).accepted
        answers = [cluster.evict(pod, namespace=ns) for pod in do.get("evict", ())]
        assert [(a.status, a.message) for a in answers] == [
            (e["code"], e.get("message", "")) for e in step.get("evictions", ())
        ]
        rests = cluster.settle(kubelet)
        budgets = [{k: v for k, v in r.sets.items() if k.startswith("pdb/")} for r in rests]
        assert budgets == step["budgets"]
        wanted = {(o["kind"], o["metadata"]["name"]): told(o, {}) for o in step["state"]}
        assert state(cluster, ns) == wanted


def test_there_are_recordings() -> None:
    assert RECORDED


# ---------------------------------------------------------------- beyond


def service(name: str = "web", **spec: Any) -> Value:
    meta = {"name": name, "namespace": "default"}
    body = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": body}


def pod(name: str, node: str = "n1", **spec: Any) -> Value:
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    body = {"containers": [{"name": "c", "image": "i:1"}], "nodeName": node, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body}


def running(*objects: Value, version: str = "1.36") -> kplan.Cluster:
    cluster = kplan.Cluster(NODES, version=version)
    answers = cluster.apply(objects)
    assert all(a.accepted for a in answers), [a.message for a in answers]
    cluster.settle()
    return cluster


def slices(cluster: kplan.Cluster) -> list[Value]:
    return cluster.objects("EndpointSlice")


def endpoints(cluster: kplan.Cluster) -> list[Value]:
    return [e for s in slices(cluster) for e in s.get("endpoints") or ()]


def names(cluster: kplan.Cluster, field: str) -> list[str]:
    """The pods among the ready or not ready addresses of Endpoints `web`."""
    (found,) = [o for o in cluster.objects("Endpoints") if o["metadata"]["name"] == "web"]
    return [a["targetRef"]["name"] for s in found.get("subsets") or () for a in s.get(field) or ()]


def test_a_service_without_pods_has_an_empty_slice() -> None:
    cluster = running(service())
    assert [s["metadata"]["name"] for s in slices(cluster)] == ["web-<1>"]
    assert endpoints(cluster) == []
    shown = cluster.get(slices(cluster)[0])
    assert shown is not None
    assert (shown["endpoints"], shown["ports"]) == (None, None)


@pytest.mark.parametrize("spec", [{"type": "ExternalName", "externalName": "a.b", "ports": []}, {"selector": None}])
def test_services_without_pods_of_their_own_have_no_slices(spec: Value) -> None:
    cluster = running(service(**spec), pod("p"))
    assert slices(cluster) == cluster.objects("Endpoints") == []


def test_slices_are_filled_up_to_a_hundred_endpoints() -> None:
    cluster = running(service(), *(pod(f"p{i:03}") for i in range(230)))
    assert sorted(len(s["endpoints"]) for s in slices(cluster)) == [30, 100, 100]
    for i in range(40):
        cluster.delete("Pod", f"p{i:03}")
    cluster.settle()
    assert sum(len(s["endpoints"]) for s in slices(cluster)) == 190
    assert len({e["targetRef"]["name"] for e in endpoints(cluster)}) == 190


def test_slices_go_with_their_service() -> None:
    cluster = running(service(), pod("p"))
    cluster.delete("Service", "web")
    cluster.settle()
    assert slices(cluster) == cluster.objects("Endpoints") == []


def test_what_someone_deletes_comes_back() -> None:
    cluster = running(service(), pod("p"))
    cluster.delete("EndpointSlice", slices(cluster)[0]["metadata"]["name"])
    cluster.delete("Endpoints", "web")
    cluster.settle()
    assert [e["targetRef"]["name"] for e in endpoints(cluster)] == names(cluster, "addresses") == ["p"]


def test_slices_of_a_live_cluster_are_kept_and_put_right() -> None:
    live = running(service(), pod("p"), pod("q"))
    (old,) = slices(live)
    renamed = {**old, "metadata": {**old["metadata"], "name": "web-abcde"}, "endpoints": old["endpoints"][:1]}
    rest = [o for o in live.objects() if o["kind"] in ("Node", "Service", "Pod", "Endpoints")]
    cluster = kplan.Cluster([*rest, renamed])
    cluster.settle()
    assert [s["metadata"]["name"] for s in slices(cluster)] == ["web-abcde"]
    assert [e["targetRef"]["name"] for e in endpoints(cluster)] == ["p", "q"]
    assert cluster.apply({**slices(cluster)[0], "endpoints": []}, mode="replace")[0].accepted
    cluster.settle()
    assert [e["targetRef"]["name"] for e in endpoints(cluster)] == ["p", "q"]


@pytest.mark.parametrize("publishes", [False, True])
def test_terminating_pods(publishes: bool) -> None:
    cluster = running(service(publishNotReadyAddresses=publishes), pod("p"), pod("q"))
    cluster.delete("Pod", "p")
    cluster.settle(kubelet=False)
    said = {e["targetRef"]["name"]: e["conditions"] for e in endpoints(cluster)}
    assert said["p"] == {"ready": publishes, "serving": True, "terminating": True}
    assert said["q"] == {"ready": True, "serving": True, "terminating": False}
    assert names(cluster, "addresses") == (["p", "q"] if publishes else ["q"])


def test_pods_that_are_not_ready() -> None:
    lazy = pod("p", containers=[{"name": "c", "image": "registry.example/a:never-ready"}])
    cluster = running(service(), lazy)
    assert endpoints(cluster)[0]["conditions"] == {"ready": False, "serving": False, "terminating": False}
    assert (names(cluster, "addresses"), names(cluster, "notReadyAddresses")) == ([], ["p"])


def test_named_ports_are_found_in_sidecars_by_protocol() -> None:
    ports = [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    sidecar = {"name": "s", "image": "i:1", "restartPolicy": "Always", "ports": ports}
    tcp, udp = ({"name": p.lower(), "port": 53, "protocol": p, "targetPort": "dns"} for p in ("TCP", "UDP"))
    cluster = running(service(ports=[tcp, udp]), pod("p", initContainers=[sidecar]))
    assert [s["ports"] for s in slices(cluster)] == [[{"name": "udp", "protocol": "UDP", "port": 53}]]


def test_new_ports_and_labels_of_a_service_reach_its_slice() -> None:
    cluster = running(service(), pod("p"))
    changed = service(ports=[{"name": "x", "port": 81, "appProtocol": "h2c"}])
    changed["metadata"]["labels"] = {"team": "a"}
    cluster.apply(changed)
    cluster.settle()
    (only,) = slices(cluster)
    assert only["metadata"]["name"] == "web-<1>"
    assert only["ports"] == [{"name": "x", "protocol": "TCP", "port": 81, "appProtocol": "h2c"}]
    assert only["metadata"]["labels"]["team"] == "a"
    (old,) = cluster.objects("Endpoints")
    assert old["metadata"]["labels"] == {"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert old["subsets"][0]["ports"] == [{"name": "x", "port": 81, "protocol": "TCP", "appProtocol": "h2c"}]


def test_both_families() -> None:
    both = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default", "uid": "s"}}
    spec = {"selector": {"app": "web"}, "ipFamilies": ["IPv6", "IPv4"], "clusterIP": "fd00::1", "ports": [{"port": 80}]}
    status = {"phase": "Running", "podIPs": [{"ip": "10.1.1.1"}, {"ip": "fd00::9"}], "podIP": "10.1.1.1"}
    cluster = kplan.Cluster([*NODES, {**both, "spec": spec}, {**pod("p"), "status": status}])
    cluster.settle()
    found = {s["addressType"]: s["endpoints"][0]["addresses"] for s in slices(cluster)}
    assert found == {"IPv4": ["10.1.1.1"], "IPv6": ["fd00::9"]}
    assert cluster.objects("Endpoints")[0]["subsets"][0]["notReadyAddresses"][0]["ip"] == "fd00::9"


@pytest.mark.parametrize("publishes", [False, True])
def test_a_pod_on_an_unknown_node_is_published_only_on_demand(publishes: bool) -> None:
    status = {"phase": "Running", "podIP": "10.1.1.1", "conditions": [{"type": "Ready", "status": "True"}]}
    cluster = kplan.Cluster([*NODES, {**pod("p", node="n9"), "status": status}])
    cluster.apply(service(publishNotReadyAddresses=publishes))
    cluster.settle(kubelet=False)
    told = [e.message for e in cluster.events_since_last_settle() if e.reason == "FailedToUpdateEndpointSlices"]
    lost = "skipping Pod p for Service default/web: Node n9 Not Found"
    assert told == ([] if publishes else [f"Error updating Endpoint Slices for Service default/web: {lost}"])


@pytest.mark.parametrize(
    ("wanted", "hints"),
    [
        ("PreferClose", {"forZones": [{"name": "west"}]}),
        ("PreferSameZone", {"forZones": [{"name": "west"}]}),
        ("PreferSameNode", {"forNodes": [{"name": "n2"}], "forZones": [{"name": "west"}]}),
    ],
)
def test_traffic_distribution(wanted: str, hints: Value) -> None:
    lazy = pod("q", containers=[{"name": "c", "image": "registry.example/a:never-ready"}])
    cluster = running(service(trafficDistribution=wanted), pod("p", node="n2"), lazy)
    assert {e["targetRef"]["name"]: e.get("hints") for e in endpoints(cluster)} == {"p": hints, "q": None}
    cluster.apply(service())
    cluster.settle()
    assert not any("hints" in e for e in endpoints(cluster))


TOO_FEW = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold"


def by_topology() -> Value:
    made = service()
    made["metadata"]["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}
    return made


def test_topology_mode_shares_endpoints_out_by_cpu() -> None:
    cluster = running(by_topology(), *(pod(f"p{i}", node="n1" if i < 6 else "n2") for i in range(8)))
    zones = [e["hints"]["forZones"][0]["name"] for e in endpoints(cluster)]
    assert sorted(zones) == ["east"] * 4 + ["west"] * 4
    told = [e for e in cluster.events_since_last_settle() if e.reason == "TopologyAwareHintsEnabled"]
    assert [e.message for e in told] == ["Topology Aware Hints has been enabled, addressType: IPv4"]


@pytest.mark.parametrize(
    ("count", "cpu", "why"),
    [
        (1, "4", "Insufficient number of endpoints (1 endpoints, 2 zones)"),
        (3, "4", f"{TOO_FEW} (3 endpoints, 2 zones)"),
        (4, "0", "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"),
    ],
)
def test_topology_mode_gives_no_hints_where_shares_would_be_unfair(count: int, cpu: str, why: str) -> None:
    cluster = running(by_topology(), *(pod(f"p{i}") for i in range(count)))
    if cpu == "0":
        cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n3"}})
        cluster.settle()
    assert not any("hints" in e for e in endpoints(cluster))
    assert f"{why}, addressType: IPv4" in [e.message for e in cluster.events_since_last_settle()]


def test_endpoints_before_managed_by() -> None:
    (found,) = running(service(), version="1.32").objects("Endpoints")
    assert "labels" not in found["metadata"]


def test_last_change_is_when_a_pod_became_ready() -> None:
    cluster = running(service())
    note = "endpoints.kubernetes.io/last-change-trigger-time"
    created = cluster.objects("Service")[0]["metadata"]["creationTimestamp"]
    assert slices(cluster)[0]["metadata"]["annotations"][note] == created
    cluster.clock.advance(60)
    cluster.apply(pod("p"))
    cluster.settle()
    ready = next(c for c in cluster.objects("Pod")[0]["status"]["conditions"] if c["type"] == "Ready")
    for kind in ("EndpointSlice", "Endpoints"):
        assert cluster.objects(kind)[0]["metadata"]["annotations"][note] == ready["lastTransitionTime"] != created


# ---------------------------------------------------------------- mirrors


def by_hand(*ips: str, **meta: Any) -> Value:
    subsets = [{"addresses": [{"ip": ip} for ip in ips], "ports": [{"port": 80}]}]
    named = {"name": "web", "namespace": "default", **meta}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": named, "subsets": subsets}


def test_mirrors_follow_what_is_written_by_hand() -> None:
    cluster = running(service(selector=None), by_hand("172.16.0.1", annotations={"a": "b"}, labels={"c": "d"}))
    (only,) = slices(cluster)
    assert only["metadata"]["annotations"] == {"a": "b"}
    assert only["metadata"]["labels"]["c"] == "d"
    cluster.apply(service())
    cluster.settle()
    assert [s["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] for s in slices(cluster)] == [
        "endpointslice-controller.k8s.io"
    ]


def test_what_is_left_of_a_selector_is_mirrored() -> None:
    cluster = running(service(), pod("p"))
    cluster.apply(service(selector=None))
    cluster.delete("Pod", "p")
    cluster.settle()
    managers = [s["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] for s in slices(cluster)]
    assert managers == ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"]
    assert [e["targetRef"]["name"] for e in endpoints(cluster)] == ["p", "p"]


def test_nothing_is_mirrored_without_a_service_or_for_a_leader() -> None:
    assert slices(running(by_hand("172.16.0.1"))) == []
    leader = {"control-plane.alpha.kubernetes.io/leader": "{}"}
    assert slices(running(service(selector=None), by_hand("172.16.0.1", annotations=leader))) == []


def test_at_most_a_thousand_addresses_are_mirrored() -> None:
    ips = [f"172.16.{i // 250}.{i % 250 + 1}" for i in range(1003)]
    cluster = running(service(selector=None), by_hand(*ips))
    assert len(endpoints(cluster)) == 1000
    assert [e.message for e in cluster.events_since_last_settle()] == [
        "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped"
    ]


# ---------------------------------------------------------------- packing


def endpoint(name: str) -> Value:
    return {"addresses": [name], "conditions": {"ready": True}}


def holding(name: str, *numbers: int) -> Value:
    return {"metadata": {"name": name, "labels": {}}, "endpoints": [endpoint(str(n)) for n in numbers]}


@pytest.mark.parametrize(
    ("existing", "wanted", "changes"),
    [
        ([], range(150), ([100, 50], {}, [])),
        ([range(100), range(100, 150)], range(150), ([], {}, [])),
        ([range(100), range(100, 150)], range(170), ([], {"s1": 70}, [])),
        (
            [range(100), range(100, 150)],
            range(1, 151),
            ([], {"s0": 100}, []),
        ),  # the slice that changes anyway is filled
        ([range(60), range(60, 130)], range(155), ([], {"s1": 95}, [])),  # the fullest one that has room for all
        ([range(60), range(60, 100)], range(60), ([], {}, ["s1"])),
    ],
)
def test_packing(existing: list[range], wanted: range, changes: tuple[list[int], dict[str, int], list[str]]) -> None:
    stored = [holding(f"s{i}", *held) for i, held in enumerate(existing)]
    out = pack(stored, [endpoint(str(n)) for n in wanted], {}, {"metadata": {}, "endpoints": []})
    created = [len(s["endpoints"]) for s in out.create]
    updated = {s["metadata"]["name"]: len(s["endpoints"]) for s in out.update}
    assert (created, updated, [s["metadata"]["name"] for s in out.delete]) == changes


def test_repacking_keeps_apart_what_a_port_does_not_share() -> None:
    both = {"addresses": [{"ip": "1.1.1.1"}], "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}
    more = {
        "addresses": [{"ip": "1.1.1.2"}],
        "notReadyAddresses": [{"ip": "1.1.1.3"}],
        "ports": [{"name": "a", "port": 1}],
    }
    assert repack([both, more]) == [
        {
            "addresses": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.2"}],
            "notReadyAddresses": [{"ip": "1.1.1.3"}],
            "ports": [{"name": "a", "port": 1}],
        },
        {"addresses": [{"ip": "1.1.1.1"}], "ports": [{"name": "b", "port": 2}]},
    ]
    assert repack([{"addresses": [{"ip": "1.1.1.1"}]}]) == [{"addresses": [{"ip": "1.1.1.1"}]}]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([(600, 300)], [(600, 300)]),
        ([(600, 500)], [(600, 400)]),
        ([(900, 10), (300, 0)], [(750, 0), (250, 0)]),
    ],
)
def test_truncation_prefers_what_is_ready(sizes: list[tuple[int, int]], kept: list[tuple[int, int]]) -> None:
    subsets = [
        {k: [{"ip": str(i)} for i in range(n)] for k, n in zip(("addresses", "notReadyAddresses"), size, strict=True)}
        for size in sizes
    ]
    cut, over = truncated(subsets)
    assert [(len(s.get("addresses", ())), len(s.get("notReadyAddresses", ()))) for s in cut] == kept
    assert over == (sizes != kept)
