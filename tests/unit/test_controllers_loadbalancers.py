"""Services of type LoadBalancer: pending without a pool of addresses, served in order with one."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.controllers.loadbalancers import addresses
from kplan.errors import KplanError

Value = dict[str, Any]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def service(name: str, **spec: Any) -> Value:
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def given(c: kplan.Cluster) -> dict[str, list[str]]:
    status = {s["metadata"]["name"]: s["status"]["loadBalancer"] for s in c.objects("Service")}
    return {name: [i["ip"] for i in s.get("ingress", [])] for name, s in status.items()}


def cluster(*pool: str) -> kplan.Cluster:
    return kplan.Cluster([NAMESPACE], load_balancer_pool=pool)


def test_without_a_pool_it_stays_pending() -> None:
    c = cluster()
    c.apply(service("web"))
    c.settle()
    assert given(c) == {"web": []}
    assert c.events_since_last_settle() == []


def test_addresses_go_out_in_order_and_come_back() -> None:
    c = cluster("192.0.2.1-192.0.2.2")
    c.apply([service("a"), service("b"), service("c"), service("in", type="ClusterIP")])
    c.settle()
    assert given(c) == {"a": ["192.0.2.1"], "b": ["192.0.2.2"], "c": [], "in": []}
    assert [e.reason for e in c.events_since_last_settle() if e.object == "Service/c"] == [
        "EnsuringLoadBalancer",
        "SyncLoadBalancerFailed",
    ]
    c.delete("Service", "a")
    c.settle()
    assert given(c) == {"b": ["192.0.2.2"], "c": ["192.0.2.1"], "in": []}


def test_address_that_is_asked_for() -> None:
    c = cluster("192.0.2.0/29")
    c.apply([service("a", loadBalancerIP="192.0.2.5"), service("b", loadBalancerIP="198.51.100.1")])
    c.settle()
    assert given(c) == {"a": ["192.0.2.5"], "b": []}


def test_another_class_is_somebody_elses() -> None:
    c = cluster("192.0.2.1")
    c.apply(service("a", loadBalancerClass="example.org/own"))
    c.settle()
    assert given(c) == {"a": []}


def test_service_that_needs_no_balancer_any_more_gives_it_back() -> None:
    c = cluster("192.0.2.1")
    c.apply(service("a"))
    c.settle()
    c.apply(service("a", type="ClusterIP"))
    c.settle()
    assert given(c) == {"a": []}
    assert "finalizers" not in c.objects("Service")[0]["metadata"]


@pytest.mark.parametrize(
    ("pool", "count"), [(("192.0.2.0/30",), 4), (("192.0.2.1", "192.0.2.1-192.0.2.3"), 3), (("2001:db8::/126",), 4)]
)
def test_forms_of_a_pool(pool: tuple[str, ...], count: int) -> None:
    assert len(addresses(pool)) == count


@pytest.mark.parametrize("text", ["x", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "10.0.0.0/8", "192.0.2.1/24"])
def test_pool_that_is_none(text: str) -> None:
    with pytest.raises(KplanError, match="load balancer addresses"):
        addresses([text])
