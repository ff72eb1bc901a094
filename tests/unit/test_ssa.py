"""Server-side apply: owners, conflicts, removal, list types, and the managers of other ways of writing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kplan import Cluster
from kplan.api.apply import apply
from kplan.api.request import Server
from kplan.model import Applied, Cause
from kplan.store import Store

Value = dict[str, Any]


def config_map(data: Value | None = None, **meta: Any) -> Value:
    value: Value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}}
    return value | ({"data": data} if data is not None else {})


def deployment(replicas: int | None = 3, strategy: Value | None = None, **container: Any) -> Value:
    labels = {"app": "web"}
    spec: Value = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "i:1"} | container]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    if strategy is not None:
        spec["strategy"] = strategy
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def service(*ports: Value) -> Value:
    spec = {"selector": {"app": "web"}, "ports": list(ports)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def ssa(cluster: Cluster, value: Value, manager: str = "kplan", *, force: bool = False) -> Applied:
    (answer,) = cluster.apply(value, mode="ssa", manager=manager, force=force)
    return answer


def applied(cluster: Cluster, value: Value, manager: str = "kplan", *, force: bool = False) -> Value:
    answer = ssa(cluster, value, manager, force=force)
    assert answer.accepted, answer.message
    assert answer.object is not None
    return answer.object


def owners(value: Value) -> dict[str, Any]:
    """Manager, operation and subresource, and the fields."""
    entries = value["metadata"].get("managedFields") or []
    return {
        " ".join(filter(None, (e["manager"], e["operation"], e.get("subresource")))): e["fieldsV1"] for e in entries
    }


# What an applier owns: (object, its fieldsV1)
SETS: list[tuple[Value, Value]] = [
    (config_map({"a": "1", "b": "2"}), {"f:data": {"f:a": {}, "f:b": {}}}),
    (config_map({}), {"f:data": {}}),
    (
        config_map(None, labels={"x": "y"}, finalizers=["a/b", "c/d"]),
        {"f:metadata": {"f:finalizers": {'v:"a/b"': {}, 'v:"c/d"': {}}, "f:labels": {"f:x": {}}}},
    ),
    (
        config_map(None, ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]),
        {"f:metadata": {"f:ownerReferences": {'k:{"uid":"u"}': {}}}},  # a reference is atomic
    ),
    (
        service({"port": 80, "name": "http"}, {"port": 53, "protocol": "UDP", "name": "dns"}),
        {
            "f:spec": {
                "f:ports": {
                    'k:{"port":53,"protocol":"UDP"}': {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}},
                    'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}, "f:port": {}},
                },
                "f:selector": {},
            }
        },
    ),
    (
        deployment(args=["a"], env=[{"name": "A", "value": "1"}], resources={"limits": {"cpu": "1"}}, tty=None),
        {
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {
                        "f:containers": {
                            'k:{"name":"c"}': {
                                ".": {},
                                "f:args": {},
                                "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
                                "f:image": {},
                                "f:name": {},
                                "f:resources": {"f:limits": {"f:cpu": {}}},
                                "f:tty": {},
                            }
                        }
                    },
                },
            }
        },
    ),
]


@pytest.mark.parametrize(("value", "fields"), SETS)
def test_an_applier_owns_what_it_sends_by_the_list_types_of_the_schema(value: Value, fields: Value) -> None:
    (entry,) = applied(Cluster(), value)["metadata"]["managedFields"]
    assert {k: v for k, v in entry.items() if k != "time"} == {
        "manager": "kplan",
        "operation": "Apply",
        "apiVersion": value["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def test_identity_and_what_the_server_sets_is_nobodys() -> None:
    assert "managedFields" not in applied(Cluster(), config_map())["metadata"]


def test_creation_answers_as_the_server_does_and_fills_in_defaults_that_nobody_owns() -> None:
    cluster = Cluster()
    answer = ssa(cluster, deployment())
    assert (answer.accepted, answer.status) == (True, 201)
    stored = cluster.get({**deployment(), "metadata": {"name": "web", "namespace": "default"}})
    assert stored is not None
    assert stored["spec"]["revisionHistoryLimit"] == 10
    assert stored["metadata"]["generation"] == 1
    assert "f:revisionHistoryLimit" not in owners(stored)["kplan Apply"]["f:spec"]


def test_an_apply_that_changes_nothing_is_not_written() -> None:
    cluster = Cluster()
    first = applied(cluster, deployment())
    before = cluster.store.revision
    again = ssa(cluster, deployment())
    assert (again.status, again.object, cluster.store.revision) == (200, first, before)


def test_dry_run_stores_nothing() -> None:
    cluster = Cluster()
    assert cluster.apply(config_map({}), mode="ssa", dry_run=True)[0].accepted
    assert cluster.objects() == []


def test_one_conflict() -> None:
    cluster = Cluster()
    applied(cluster, deployment(3), "first")
    answer = ssa(cluster, deployment(5), "second")
    assert (answer.status, answer.object) == (409, None)
    assert answer.message == 'Apply failed with 1 conflict: conflict with "first": .spec.replicas'
    assert answer.causes == (Cause(".spec.replicas", "FieldManagerConflict", 'conflict with "first"'),)


def test_several_conflicts_are_listed_by_manager() -> None:
    cluster = Cluster()
    applied(cluster, deployment(3), "zoe")
    applied(cluster, deployment(None, ports=[{"containerPort": 80, "name": "http"}]), "ann")
    answer = ssa(cluster, deployment(5, image="i:2", ports=[{"containerPort": 80, "name": "web"}]), "bob")
    container = '.spec.template.spec.containers[name="c"]'
    assert answer.message == (
        'Apply failed with 4 conflicts: conflicts with "ann":\n'
        f"- {container}.image\n"
        f'- {container}.ports[containerPort=80,protocol="TCP"].name\n'
        'conflicts with "zoe":\n'
        "- .spec.replicas\n"
        f"- {container}.image"
    )
    assert [c.message for c in answer.causes] == ['conflict with "ann"'] * 2 + ['conflict with "zoe"'] * 2


def test_force_takes_the_fields() -> None:
    cluster = Cluster()
    applied(cluster, config_map({"a": "1", "b": "1"}), "first")
    stored = applied(cluster, config_map({"a": "2"}), "second", force=True)
    assert stored["data"] == {"a": "2", "b": "1"}
    assert owners(stored) == {"first Apply": {"f:data": {"f:b": {}}}, "second Apply": {"f:data": {"f:a": {}}}}


def test_a_field_that_two_own_stays_until_both_let_it_go() -> None:
    cluster = Cluster()
    applied(cluster, config_map({"a": "1", "b": "1"}), "first")
    shared = applied(cluster, config_map({"a": "1"}), "second")
    assert set(owners(shared)) == {"first Apply", "second Apply"}
    kept = applied(cluster, config_map({"b": "1"}), "first")
    assert kept["data"] == {"a": "1", "b": "1"}
    assert applied(cluster, config_map(), "second")["data"] == {"b": "1"}


def test_a_shared_value_conflicts_with_all_its_owners() -> None:
    cluster = Cluster()
    for manager in ("first", "second"):
        applied(cluster, config_map({"a": "1"}), manager)
    answer = ssa(cluster, config_map({"a": "2"}), "first")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "second": .data.a'


PORT, DNS = {"port": 80, "name": "http"}, {"port": 53, "protocol": "UDP", "name": "dns"}
TOLERATION = {"key": "k", "operator": "Exists"}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}


def at(value: Value, path: str) -> Any:
    for step in path.split("/"):
        value = value.get(step, {}) if isinstance(value, dict) else value[int(step)]
    return value


# What becomes of something that the manager applied first and does not send any more: (first, second, path, result)
GONE: list[tuple[Value, Value, str, Any]] = [
    (deployment(3), deployment(None), "spec/replicas", 1),  # the default
    (config_map({"a": "1", "b": "2"}), config_map({"b": "2"}), "data", {"b": "2"}),
    (config_map({}, labels={"a": "b"}), config_map({}), "metadata/labels", {}),
    (config_map({}, finalizers=["a/b", "c/d"]), config_map({}, finalizers=["c/d"]), "metadata/finalizers", ["c/d"]),
    (service(PORT, DNS), service(PORT), "spec/ports", [{**PORT, "protocol": "TCP", "targetPort": 80}]),
    (deployment(strategy=ROLLING), deployment(strategy={"type": "Recreate"}), "spec/strategy", {"type": "Recreate"}),
    (
        deployment(livenessProbe={"exec": {"command": ["a"]}}),
        deployment(livenessProbe={"tcpSocket": {"port": 1}}),
        "spec/template/spec/containers/0/livenessProbe/exec",
        {},
    ),
    (
        deployment(resources={"limits": {"cpu": "1", "memory": "1Gi"}}),
        deployment(resources={"limits": {"cpu": "1"}}),
        "spec/template/spec/containers/0/resources",
        {"limits": {"cpu": "1"}},
    ),
    (deployment(args=["a", "b"]), deployment(args=["b"]), "spec/template/spec/containers/0/args", ["b"]),
    (deployment(tty=True), deployment(tty=None), "spec/template/spec/containers/0/tty", {}),
]


@pytest.mark.parametrize(("first", "second", "path", "result"), GONE)
def test_what_is_not_sent_any_more(first: Value, second: Value, path: str, result: Any) -> None:
    cluster = Cluster()
    applied(cluster, first)
    assert at(applied(cluster, second), path) == result


def test_what_nobody_owns_stays() -> None:
    cluster = Cluster()
    applied(cluster, service(PORT))
    before = cluster.objects("Service")[0]
    after = applied(cluster, service(PORT, DNS))
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert after["spec"]["sessionAffinity"] == "None"


def test_a_defaulted_rolling_update_blocks_recreate() -> None:
    cluster = Cluster()
    applied(cluster, deployment())
    answer = ssa(cluster, deployment(strategy={"type": "Recreate"}))
    assert answer.status == 422
    assert [(c.field, c.message) for c in answer.causes] == [
        ("spec.strategy.rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'")
    ]


def test_managers_own_items_of_one_list() -> None:
    cluster = Cluster()
    applied(cluster, deployment(None, ports=[{"containerPort": 80}]), "app")
    sidecar = deployment(None)
    sidecar["spec"]["template"]["spec"]["containers"] = [{"name": "mesh", "image": "m:1"}]
    both = applied(cluster, sidecar, "mesh")
    names = [c["name"] for c in both["spec"]["template"]["spec"]["containers"]]
    assert names == ["c", "mesh"]
    sidecar["spec"]["template"]["spec"]["containers"] = []
    left = applied(cluster, sidecar, "mesh")
    assert [c["name"] for c in left["spec"]["template"]["spec"]["containers"]] == ["c"]


ORDERS = [
    (["a", "b"], ["b", "a"], ["b", "a"]),
    (["mesh", "a"], ["a", "b"], ["mesh", "a", "b"]),
    (["a", "mesh"], ["b", "a"], ["b", "a", "mesh"]),
    (["a", "x", "b", "y"], ["b", "n", "a"], ["x", "b", "y", "n", "a"]),
    (["x", "y"], ["n"], ["x", "y", "n"]),
]


@pytest.mark.parametrize(("live", "sent", "result"), ORDERS)
def test_applied_items_come_in_their_order_and_the_others_keep_their_places(
    live: list[str], sent: list[str], result: list[str]
) -> None:
    def with_env(names: list[str]) -> Value:
        return deployment(env=[{"name": n} for n in names])

    cluster = Cluster()
    applied(cluster, with_env(live), "other")
    stored = applied(cluster, with_env(sent))
    assert [e["name"] for e in stored["spec"]["template"]["spec"]["containers"][0]["env"]] == result


def test_an_atomic_list_has_one_owner() -> None:
    cluster = Cluster()
    applied(cluster, deployment(None, args=["a"]), "first")
    answer = ssa(cluster, deployment(None, args=["a", "b"]), "second")
    assert answer.message.endswith('conflict with "first": .spec.template.spec.containers[name="c"].args')


def test_generation_counts_changes_of_the_spec_only() -> None:
    cluster = Cluster()
    applied(cluster, deployment(3))
    labelled = deployment(3)
    labelled["metadata"]["labels"] = {"a": "b"}
    assert applied(cluster, labelled)["metadata"]["generation"] == 1
    assert applied(cluster, deployment(4))["metadata"]["generation"] == 2


PATCH_ERRORS: list[tuple[Value, int, str]] = [
    ({"spec": {"replica": 1}}, 500, "apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"),
    ({"spec": {"replicas": "1"}}, 500, ".spec.replicas: expected numeric (int or float), got string"),
    ({"spec": {"paused": "yes"}}, 500, ".spec.paused: expected boolean, got &{yes}"),
    ({"spec": {"template": [1, "a"]}}, 500, ".spec.template: expected map, got &{[1 a]}"),
    (
        {"metadata": {"name": "web", "labels": {"a": 1}, "finalizers": {"a": {"b": True}}}},
        500,
        (
            "errors:\n  .metadata.finalizers: expected list, got &{map[a:map[b:true]]}\n"
            "  .metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}"
        ),
    ),
    ({"metadata": {"name": "web", "finalizers": ["a/b", "a/b"]}}, 500, 'duplicate entries for key [="a/b"]'),
    ({"metadata": {"name": "web", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
    ({"metadata": {"generateName": "web-"}}, 400, "cannot use generate name with apply"),
    ({"metadata": {}}, 400, "resource name may not be empty"),
    (
        {"metadata": {"name": "web", "uid": "u"}},
        409,
        (
            'Operation cannot be fulfilled on deployments.apps "web": uid mismatch: '
            "the provided object specified uid u, and no existing object was found"
        ),
    ),
]


@pytest.mark.parametrize(("parts", "status", "message"), PATCH_ERRORS)
def test_applied_object_that_does_not_fit(parts: Value, status: int, message: str) -> None:
    answer = ssa(Cluster(), {**deployment(), **parts})
    assert (answer.status, answer.message[-len(message) :]) == (status, message)


CONTAINER_ERRORS: list[tuple[Value, str]] = [
    (
        {"env": [{"name": "A"}, {"name": "A"}]},
        '.spec.template.spec.containers[name="c"].env: duplicate entries for key [name="A"]',
    ),
    (
        {"env": [{"value": "1"}]},
        (
            '.spec.template.spec.containers[name="c"].env: element 0: associative list with keys has an element that '
            'omits all key fields ["name"] (and doesn\'t have default values for any key)'
        ),
    ),
    (
        {"env": [None]},
        (
            '.spec.template.spec.containers[name="c"].env: element 0: '
            "associative list with keys may not have a null element"
        ),
    ),
    ({"args": [{}]}, '.spec.template.spec.containers[name="c"].args[0]: expected string, got &value.'),
]


@pytest.mark.parametrize(("container", "message"), CONTAINER_ERRORS)
def test_items_that_cannot_be_told_apart(container: Value, message: str) -> None:
    answer = ssa(Cluster(), deployment(**container))
    start = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
    assert (answer.status, answer.message[: len(start + message)]) == (500, start + message)


def test_an_applier_has_a_name() -> None:
    answer = ssa(Cluster(), config_map({}), "")
    assert (answer.status, answer.message) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )


def test_a_value_that_only_decoding_refuses() -> None:
    answer = ssa(Cluster(), deployment(resources={"limits": {"cpu": "1 core"}}))
    assert answer.status == 500
    assert answer.message.endswith(
        "unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular "
        "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )


def test_values_of_a_secret_are_not_shown() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": 424242}}
    answer = ssa(Cluster(), secret)
    assert answer.message.endswith(".stringData.a: expected string, got (sensitive)")


def test_rules_of_the_kind_and_admission_hold() -> None:
    cluster = Cluster([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}])
    assert ssa(cluster, deployment(-1)).status == 422
    (answer,) = cluster.apply(config_map({}), mode="ssa", namespace="other")
    assert (answer.status, answer.message) == (404, 'namespaces "other" not found')


# --- objects that are there already


def test_before_the_first_apply_one_manager_owns_all_that_is_there() -> None:
    cluster = Cluster()
    cluster.apply(deployment(3), mode="replace")
    answer = ssa(cluster, deployment(5))
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas'
    )
    assert set(owners(applied(cluster, deployment(3)))) == {"kplan Apply", "before-first-apply Update"}


def test_what_kubectl_wrote_is_its_own() -> None:
    cluster = Cluster()
    cluster.apply(deployment(3))
    answer = ssa(cluster, deployment(5))
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
    )


def test_kubectl_goes_over_to_server_side_apply_without_conflicts() -> None:
    cluster = Cluster()
    cluster.apply(deployment(3))
    after = applied(cluster, deployment(5), "kubectl")
    assert after["spec"]["replicas"] == 5
    note = after["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert '"replicas":5' in note
    scaled = cluster.patch("Deployment", "web", {"spec": {"revisionHistoryLimit": 4}})
    assert scaled.accepted
    limited = deployment(5)
    limited["spec"]["revisionHistoryLimit"] = 7
    assert ssa(cluster, limited, "kubectl").status == 409, "kubectl never applied that field"


def dumped(fields: Value, **entry: Any) -> Value:
    managed = {"manager": "hpa", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1"}
    value = copy.deepcopy(deployment(7))
    value["metadata"] |= {"namespace": "default", "managedFields": [managed | entry | {"fieldsV1": fields}]}
    return value


DUMPS: list[tuple[Value, Value, str]] = [
    ({"f:spec": {"f:replicas": {}}}, {}, 'conflict with "hpa" using apps/v1: .spec.replicas'),
    (
        {"f:spec": {"f:replicas": {}}},
        {"subresource": "scale"},
        'conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
    ),
    ({"f:spec": {"f:replicas": {}}}, {"operation": "Apply"}, 'conflict with "hpa": .spec.replicas'),
    ({"f:status": {"f:replicas": {}}}, {}, ""),
    ({"f:spec": {"f:paused": {}}}, {}, ""),
]


@pytest.mark.parametrize(("fields", "entry", "conflict"), DUMPS)
def test_managers_of_a_cluster_dump(fields: Value, entry: Value, conflict: str) -> None:
    cluster = Cluster([dumped(fields, **entry)])
    answer = ssa(cluster, {**deployment(3), "status": {"replicas": 9}})
    assert (answer.accepted, answer.message.removeprefix("Apply failed with 1 conflict: ")) == (not conflict, conflict)


BROKEN: list[Any] = [3, [3], [{"operation": "Apply"}], [{"operation": "X", "fieldsV1": {"f:spec": {}}}]]


@pytest.mark.parametrize("managed", BROKEN)
def test_unreadable_managers_count_as_none(managed: Any) -> None:
    stored = copy.deepcopy(config_map({"a": "1"}, namespace="default"))
    stored["metadata"]["managedFields"] = managed
    answer = ssa(Cluster([stored]), config_map({"a": "2"}))
    assert answer.message == 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a'
    assert set(owners(applied(Cluster([stored]), config_map({"a": "1"})))) == {
        "kplan Apply",
        "before-first-apply Update",
    }


def test_what_a_controller_wrote_into_the_store_conflicts_with_nobody() -> None:
    cluster = Cluster()
    applied(cluster, deployment(1))
    live = cluster.objects("Deployment")[0]
    cluster.store.put({**live, "spec": {**live["spec"], "replicas": 3}, "status": {"replicas": 3}})
    again = applied(cluster, deployment(1))
    assert (again["spec"]["replicas"], again["status"]) == (1, {"replicas": 3})
    assert applied(cluster, deployment(None))["spec"]["replicas"] == 1


def test_what_a_controller_added_to_a_map_or_list_outlives_what_the_applier_had_there() -> None:
    cluster = Cluster()
    applied(cluster, config_map({}, annotations={"mine": "1"}, finalizers=["my/own"]))
    live = cluster.objects("ConfigMap")[0]
    meta = {**live["metadata"], "annotations": {"mine": "1", "theirs": "2"}, "finalizers": ["my/own", "their/own"]}
    cluster.store.put({**live, "metadata": meta})
    after = applied(cluster, config_map({}))["metadata"]
    assert (after["annotations"], after["finalizers"]) == ({"theirs": "2"}, ["their/own"])


# --- the managers of other writes


def test_nothing_is_kept_for_objects_that_were_never_applied_so() -> None:
    cluster = Cluster()
    cluster.apply(config_map({"a": "1"}))
    cluster.apply(config_map({"a": "2"}))
    cluster.patch("cm", "c", {"data": {"b": "1"}})
    assert "managedFields" not in cluster.objects("ConfigMap")[0]["metadata"]


def test_a_patch_takes_what_it_changes() -> None:
    cluster = Cluster()
    applied(cluster, config_map({"a": "1", "b": "1"}), "first")
    stored = cluster.patch("cm", "c", {"data": {"a": "2", "b": None, "n": "1"}}).object
    assert stored is not None
    assert owners(stored) == {"kplan Update": {"f:data": {"f:a": {}, "f:n": {}}}}
    answer = ssa(cluster, config_map({"a": "1"}), "first")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "kplan" using v1: .data.a'


def test_a_manager_does_not_conflict_with_its_own_patches() -> None:
    cluster = Cluster()
    applied(cluster, deployment(3))
    cluster.patch("deploy", "web", {"spec": {"replicas": 5}})
    after = applied(cluster, deployment(3))
    assert (after["spec"]["replicas"], set(owners(after))) == (3, {"kplan Apply"})


def test_client_side_apply_and_replace_are_managers_too() -> None:
    cluster = Cluster()
    applied(cluster, config_map({"a": "1", "b": "1"}), "first")
    stored = cluster.apply(config_map({"a": "2", "b": "1"}))[0].object
    assert stored is not None
    assert owners(stored)["first Apply"] == {"f:data": {"f:b": {}}}
    note = {".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}
    assert owners(stored)["kubectl-client-side-apply Update"] == {
        "f:data": {"f:a": {}},
        "f:metadata": {"f:annotations": note},
    }
    replaced = copy.deepcopy(stored)
    replaced["data"]["b"] = "2"
    stored = cluster.apply(replaced, mode="replace", manager="tool")[0].object
    assert stored is not None
    assert owners(stored)["tool Update"] == {"f:data": {"f:b": {}}}
    assert "first Apply" not in owners(stored)


def test_a_put_that_changes_nothing_leaves_the_managers_alone() -> None:
    cluster = Cluster()
    first = applied(cluster, deployment())
    assert cluster.apply(copy.deepcopy(first), mode="replace")[0].object == first


def test_a_client_may_end_the_bookkeeping() -> None:
    cluster = Cluster()
    value = copy.deepcopy(applied(cluster, config_map({"a": "1"})))
    value["metadata"]["managedFields"] = [{}]
    stored = cluster.apply(value, mode="replace")[0].object
    assert stored is not None
    assert "managedFields" not in stored["metadata"]


def test_a_scale_is_a_manager_of_its_own() -> None:
    cluster = Cluster()
    applied(cluster, deployment(3), "first")
    assert cluster.patch("deploy", "web", {"spec": {"replicas": 5}}, subresource="scale").accepted
    answer = ssa(cluster, deployment(3), "first")
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "kplan" with subresource "scale" using apps/v1: .spec.replicas'
    )


def test_times_are_those_of_the_call() -> None:
    store = Store()

    def at_time(value: Value, now: str, mode: str = "ssa", manager: str = "kplan") -> list[tuple[str, str]]:
        outcome = apply(value, Server("1.36", store, now=now), mode=mode, manager=manager)
        if outcome.new is not None:
            store.put(outcome.new)
        assert outcome.answer.object is not None, outcome.answer.message
        return [(e["manager"], e.get("time", "")) for e in outcome.answer.object["metadata"]["managedFields"]]

    one, two, three = (f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3))
    assert at_time(config_map({"a": "1"}), one) == [("kplan", one)]
    assert at_time(config_map({"a": "1"}), two) == [("kplan", one)]
    assert at_time(config_map({"b": "1"}), two, manager="b") == [("kplan", one), ("b", two)]
    assert at_time(config_map({"a": "2"}), three) == [("b", two), ("kplan", three)]


# --- custom resources and unknown kinds

SPEC = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "zone"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "zone": {"type": "string", "default": "all"},
                    "size": {"type": "integer"},
                },
            },
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "plain": {"type": "array", "items": {"type": "string"}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
    },
}
CRD: Value = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "pools.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Pool", "plural": "pools", "singular": "pool", "listKind": "PoolList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": SPEC}}},
            }
        ],
    },
}


def pool(**spec: Any) -> Value:
    return {"apiVersion": "example.org/v1", "kind": "Pool", "metadata": {"name": "p"}, "spec": spec}


def test_list_types_of_a_custom_resource() -> None:
    spec = {
        "items": [{"name": "a", "size": 1}],
        "tags": ["x"],
        "plain": ["y"],
        "whole": {"a": "b"},
        "free": {"n": {"l": [1]}},
        "port": 80,
    }
    stored = applied(Cluster([CRD]), pool(**spec))
    assert owners(stored)["kplan Apply"]["f:spec"] == {
        "f:free": {"f:n": {".": {}, "f:l": {}}},
        "f:items": {'k:{"name":"a","zone":"all"}': {".": {}, "f:name": {}, "f:size": {}}},
        "f:plain": {},
        "f:port": {},
        "f:tags": {'v:"x"': {}},
        "f:whole": {},
    }


def test_two_managers_of_a_custom_resource() -> None:
    cluster = Cluster([CRD])
    applied(cluster, pool(items=[{"name": "a", "size": 1}], tags=["x"]), "first")
    both = applied(cluster, pool(items=[{"name": "a", "zone": "b", "size": 2}], tags=["y"]), "second")
    assert both["spec"]["items"] == [{"name": "a", "size": 1, "zone": "all"}, {"name": "a", "size": 2, "zone": "b"}]
    assert both["spec"]["tags"] == ["x", "y"]
    answer = ssa(cluster, pool(items=[{"name": "a", "size": 3}]), "second")
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "first": .spec.items[name="a",zone="all"].size'
    )
    left = applied(cluster, pool(tags=["y"]), "first")
    assert left["spec"] == {"items": [{"name": "a", "size": 2, "zone": "b"}], "tags": ["y"]}
    assert left["metadata"]["generation"] == 3


def test_status_of_a_custom_resource_is_not_applied() -> None:
    cluster = Cluster([CRD])
    stored = applied(cluster, {**pool(tags=["x"]), "status": {"tags": ["y"]}})
    assert "status" not in stored
    assert owners(stored)["kplan Apply"] == {"f:spec": {"f:tags": {'v:"x"': {}}}}


def test_a_custom_resource_must_fit_its_schema() -> None:
    answer = ssa(Cluster([CRD]), pool(tag=["x"]))
    assert answer.message == (
        "failed to create typed patch object (default/p; example.org/v1, Kind=Pool): "
        ".spec.tag: field not declared in schema"
    )


def test_of_an_unknown_kind_all_is_deduced() -> None:
    cluster = Cluster()
    value = {**pool(list=[{"name": "a"}], map={"a": {"b": 1}}), "metadata": {"name": "p", "finalizers": ["a/b"]}}
    stored = applied(cluster, value, "first")
    assert owners(stored)["first Apply"] == {
        "f:metadata": {"f:finalizers": {'v:"a/b"': {}}},
        "f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:a": {".": {}, "f:b": {}}}},
    }
    answer = ssa(cluster, pool(list=[{"name": "b"}], map={"a": {"c": 1}}), "second")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "first": .spec.list'
    left = applied(cluster, {**value, "spec": {"list": [{"name": "a"}]}}, "first")
    assert left["spec"] == {"list": [{"name": "a"}]}


# --- nodes, and kinds without a version


def node(labels: Value, cpu: str, **spec: Any) -> Value:
    value = {"kind": "Node", "metadata": {"name": "n", "labels": labels}, "status": {"allocatable": {"cpu": cpu}}}
    return {**value, "spec": spec} if spec else value


def test_an_applied_node_is_the_machine() -> None:
    taint = {"key": "k", "effect": "NoSchedule"}
    host = {"kubernetes.io/hostname": "n"}
    before = {"apiVersion": "v1", **node({"a": "b", **host}, "1", taints=[taint], unschedulable=True)}
    before["status"]["capacity"] = {"cpu": "2"}
    cluster = Cluster([before])
    after = applied(cluster, node({"c": "d"}, "4"))
    assert after["metadata"]["labels"] == {"c": "d", **host}
    assert after["spec"] == {}
    assert after["status"]["allocatable"] == {"cpu": "4"}
    assert after["status"]["capacity"] == {"cpu": "2"}
    tainted = applied(cluster, node({}, "2", taints=[taint]))
    assert tainted["metadata"]["labels"] == host
    assert tainted["spec"]["taints"] == [taint]
    assert "taints" not in applied(cluster, node({}, "2"))["spec"]


def test_a_new_node_is_ready_unless_it_says_otherwise() -> None:
    cluster = Cluster()
    assert "taints" not in applied(cluster, node({}, "1"))["spec"]
    waiting = node({}, "1")
    waiting["metadata"]["name"] = "m"
    waiting["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    assert applied(cluster, waiting)["spec"]["taints"] == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    ]


def test_the_version_of_a_built_in_kind_may_be_left_out() -> None:
    cluster = Cluster()
    for kind, version in (("ConfigMap", "v1"), ("HorizontalPodAutoscaler", "autoscaling/v2")):
        value = {"kind": kind, "metadata": {"name": "x"}}
        if kind == "HorizontalPodAutoscaler":
            value["spec"] = {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
                "maxReplicas": 2,
            }
        assert applied(cluster, value)["apiVersion"] == version


AMBIGUOUS = [
    ({"kind": "Event", "metadata": {"name": "x"}}, "ssa"),
    ({"kind": "ConfigMap", "metadata": {"name": "x"}}, "csa"),
]


@pytest.mark.parametrize(("value", "mode"), AMBIGUOUS)
def test_but_not_that_of_a_kind_of_two_groups_nor_elsewhere(value: Value, mode: str) -> None:
    (answer,) = Cluster().apply(value, mode=mode)
    assert (answer.status, "Object 'apiVersion' is missing" in answer.message) == (400, True)


@pytest.mark.parametrize(
    ("manager", "why"),
    [
        ("", "Required value: is required for apply patch"),
        ("m" * 129, "Too long: may not be more than 128 bytes"),
        ("a\nb", 'Invalid value: "a\\nb": invalid character U+000A (at position 1)'),
        ("m" * 128, ""),
    ],
)
def test_names_of_managers(manager: str, why: str) -> None:
    answer = ssa(Cluster(), config_map({"a": "1"}), manager)
    assert answer.message == (f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {why}' if why else "")
