"""The current side read from a server: what `kubectl apply` and server-side apply make of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kplan.api.merge import three_way
from kplan.cluster import Cluster
from kplan.plan import plan
from kplan.plan.kinds import Kinds
from kplan.plan.live import applied, desired
from kplan.plan.secrets import LAST_APPLIED
from kplan.schema.catalog import catalog
from kplan.schema.node import Node

Value = dict[str, Any]

KINDS = Kinds("1.36")


def node(api: str, kind: str) -> Node:
    info = catalog().kind(api, kind)
    assert info is not None
    return info.node


DEPLOYMENT, CONFIG = node("apps/v1", "Deployment"), node("v1", "ConfigMap")


def deployment(*containers: Value, **spec: Any) -> Value:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {**spec, "template": {"spec": {"containers": list(containers)}}},
    }


def container(name: str, *env: str, **rest: Any) -> Value:
    return {"name": name, **({"env": [{"name": e, "value": "1"} for e in env]} if env else {}), **rest}


def names(value: Value, *path: Any) -> list[str]:
    found: Any = value["spec"]["template"]["spec"]["containers"]
    for step in path:
        found = found[step]
    return [item["name"] for item in found]


@pytest.mark.parametrize(
    ("original", "current", "modified", "expected"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, {"a": "3"}, {"a": "3", "b": "2"}),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "1"}, {"a": "1"}),
        (None, {"a": "1", "b": "2"}, {"a": "1"}, {"a": "1", "b": "2"}),
        ({}, {"a": "1"}, {"a": None}, {}),
    ],
)
def test_maps(original: Value | None, current: Value, modified: Value, expected: Value) -> None:
    wrap = lambda data: None if data is None else {"data": data}  # noqa: E731
    assert three_way(wrap(original), wrap(current) or {}, wrap(modified) or {}, CONFIG)["data"] == expected


def test_items_of_others_stay_and_items_once_applied_go() -> None:
    old = deployment(container("web"), container("gone"))
    live = deployment(container("mesh"), container("web", tty=True), container("gone"))
    merged = three_way(old, live, deployment(container("web")), DEPLOYMENT)
    assert names(merged) == ["mesh", "web"]
    assert merged["spec"]["template"]["spec"]["containers"][1]["tty"] is True


def test_the_order_of_the_manifest_wins() -> None:
    live = deployment(container("a"), container("mesh"), container("b"))
    assert names(three_way(None, live, deployment(container("b"), container("a")), DEPLOYMENT)) == ["mesh", "b", "a"]
    assert names(three_way(None, live, deployment(container("a"), container("b")), DEPLOYMENT)) == ["a", "mesh", "b"]


def test_lists_without_a_merge_key_are_replaced() -> None:
    live = deployment(container("a", args=["x", "y"]))
    merged = three_way(None, live, deployment(container("a", args=["z"])), DEPLOYMENT)
    assert merged["spec"]["template"]["spec"]["containers"][0]["args"] == ["z"]


def test_switching_a_union_member_clears_the_other() -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}
    live = deployment(container("a"), strategy=rolling)
    switched = three_way(None, live, deployment(container("a"), strategy={"type": "Recreate"}), DEPLOYMENT)
    assert switched["spec"]["strategy"] == {"type": "Recreate"}
    same = three_way(None, live, deployment(container("a"), strategy={"type": "RollingUpdate"}), DEPLOYMENT)
    assert same["spec"]["strategy"] == rolling


def test_ports_of_one_number_are_told_apart_by_server_side_apply_only() -> None:
    tcp, udp = {"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP"}
    service = node("v1", "Service")
    live, wanted = {"spec": {"ports": [{**tcp, "protocol": "TCP"}]}}, {"spec": {"ports": [tcp, udp]}}
    client = three_way({"spec": {"ports": [tcp]}}, live, wanted, service)
    server = three_way({"spec": {"ports": [tcp]}}, live, wanted, service, server_side=True)
    assert len(client["spec"]["ports"]) == 1
    assert [p["name"] for p in server["spec"]["ports"]] == ["t", "u"]


def test_a_kind_nobody_knows_is_merged_as_json() -> None:
    live = {"spec": {"a": 1, "items": [{"name": "x"}, {"name": "y"}]}}
    merged = three_way({"spec": {}}, live, {"spec": {"items": [{"name": "z"}]}}, None)
    assert merged == {"spec": {"a": 1, "items": [{"name": "z"}]}}


def test_arguments_stay_as_they_are() -> None:
    live, wanted = deployment(container("a", "X")), deployment(container("a", "Y"))
    before = json.dumps([live, wanted])
    three_way(live, live, wanted, DEPLOYMENT)
    assert json.dumps([live, wanted]) == before


def config(data: Value, **meta: Any) -> Value:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}, "data": data}


def managed(operation: str, *keys: str, manager: str = "kubectl") -> Value:
    fields = {"f:data": {f"f:{k}": {} for k in keys}}
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def last_applied(data: Value) -> Value:
    return {"uid": "1", "annotations": {LAST_APPLIED: json.dumps(config(data))}}


LIVE = {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (last_applied({"a": "1", "b": "2"}), {"a": "3"}),
        (last_applied({"a": "1"}), {"a": "3", "b": "2"}),
        ({"managedFields": [managed("Apply", "a", "b")]}, {"a": "3"}),
        ({"managedFields": [managed("Apply", "a")]}, {"a": "3", "b": "2"}),
        ({"managedFields": [managed("Apply", "a", "b"), managed("Update", "b", manager="hpa")]}, {"a": "3", "b": "2"}),
        ({"managedFields": [managed("Update", "a", "b")]}, {"a": "3", "b": "2"}),
        ({"annotations": {LAST_APPLIED: "{"}}, {"a": "3"}),
        ({"uid": "1"}, {"a": "3"}),
    ],
)
def test_who_applied_what_decides_what_goes(meta: Value, expected: Value) -> None:
    assert applied(config(LIVE, **meta), config({"a": "3"}), KINDS)["data"] == expected


def test_owned_items_of_lists() -> None:
    fields = {
        "f:spec": {
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"a"}': {".": {}, "f:name": {}},
                        'k:{"name":"b"}': {".": {}, "f:name": {}},
                    }
                }
            }
        }
    }
    meta = {"name": "d", "managedFields": [{"operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields}]}
    live = {**deployment(container("a"), container("b"), container("mesh")), "metadata": meta}
    wanted = {**deployment(container("a")), "metadata": {"name": "d"}}
    assert names(applied(live, wanted, KINDS)) == ["a", "mesh"]


def test_an_unnamed_namespace_is_that_of_the_live_object() -> None:
    live = config(LIVE, namespace="x", **last_applied(LIVE))
    live["metadata"]["annotations"][LAST_APPLIED] = json.dumps(config(LIVE, namespace="x"))
    ((after, manifest),) = desired([live], [config(LIVE)], KINDS)
    assert after["metadata"]["namespace"] == "x"
    assert "namespace" not in manifest["metadata"]
    assert plan(Cluster([live]), Cluster([after])).counts.unchanged == 1


@pytest.mark.parametrize(
    "meta",
    [
        {"managedFields": "x"},
        {"managedFields": [3, {"operation": "Apply", "fieldsV1": 3}]},
        {"annotations": 3},
        {"managedFields": [{"operation": "Apply", "fieldsV1": {"f:data": {"k:{": {}, "v:1": {}}}}]},
    ],
)
def test_broken_metadata_is_no_crash(meta: Value) -> None:
    assert applied(config(LIVE, **meta), config({"a": "3"}), KINDS)["data"]["a"] == "3"
