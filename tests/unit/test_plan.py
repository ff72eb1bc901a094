"""The plan as a whole: verbs, counts, notes, rollouts, what stays silently, and that secrets stay secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

import kplan
from kplan.cluster import Cluster
from kplan.model import KNOWN_AFTER_APPLY, Action, Plan, PlanCounts
from kplan.plan import Settings
from kplan.plan.kinds import Kinds
from kplan.plan.live import desired
from kplan.store import ref_of

Value = dict[str, Any]

LABELS = {"app": "a"}


def obj(kind: str, name: str = "a", api: str = "v1", meta: Value | None = None, **rest: Any) -> Value:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop", **(meta or {})}, **rest}


def workload(kind: str = "Deployment", pod: Value | None = None, meta: Value | None = None, **spec: Any) -> Value:
    template = {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [{"name": "web", "image": "web:1"}], **(pod or {})},
    }
    template["metadata"] = {**template["metadata"], **(meta or {})}
    return obj(kind, api="apps/v1", spec={"selector": {"matchLabels": LABELS}, "template": template, **spec})


def make(before: list[Value], after: list[Value], **settings: Any) -> Plan:
    current = Cluster(before)
    written = {ref_of(v).key: v for v in before}
    applied = list(desired(current.objects(), after, Kinds("1.36"), written))
    sides = (written, {ref_of(v).key: m for v, m in applied})
    return kplan.plan(current, Cluster(v for v, _ in applied), settings=Settings(**settings), written=sides)


def only(result: Plan) -> Action:
    (action,) = result.actions
    return action


def test_verbs_and_counts() -> None:
    before = [obj("ConfigMap", n, data={"k": "1"}) for n in ("same", "changes", "goes")]
    before += [
        obj("Secret", type="a"),
        obj("ConfigMap", "stays", meta={"annotations": {"helm.sh/resource-policy": "keep"}}),
    ]
    after = [obj("ConfigMap", "same", data={"k": "1"}), obj("ConfigMap", "changes", data={"k": "2"})]
    after += [obj("Secret", type="b"), obj("ConfigMap", "comes")]
    result = make(before, after)
    assert {(a.ref.name, a.verb) for a in result.actions} == {
        ("same", "keep"),
        ("changes", "update"),
        ("goes", "delete"),
        ("a", "replace"),
        ("comes", "create"),
        ("stays", "keep"),
    }
    assert result.counts == PlanCounts(add=2, change=1, destroy=2, replace=1, unchanged=1, kept=1)


def test_nothing_is_destroyed_without_pruning() -> None:
    result = make([obj("ConfigMap")], [], prune=False)
    assert (only(result).verb, only(result).reasons) == ("keep", ("because pruning is off",))


def test_the_api_group_may_move() -> None:
    old = {**workload(), "apiVersion": "extensions/v1beta1"}
    old["spec"] = {k: v for k, v in old["spec"].items() if k != "selector"}
    action = only(make([old], [workload(replicas=2)]))
    assert action.verb == "update"
    assert action.notes == ("API group moved: extensions/v1beta1 -> apps/v1",)
    assert make([old], [workload()]).counts == PlanCounts(unchanged=1, moved=1)


def test_a_new_hash_in_the_name_is_a_replacement_that_creates_first() -> None:
    action = only(
        make([obj("ConfigMap", "c-7g4t7m57mg", data={"k": "1"})], [obj("ConfigMap", "c-dc5dg9m84f", data={"k": "2"})])
    )
    assert (action.verb, action.create_first) == ("replace", True)
    assert action.reasons == ("the name carries a hash of the content: c-7g4t7m57mg -> c-dc5dg9m84f",)


ENV = {
    "containers": [{"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]
}
ENV_TURNED = {"containers": [{**ENV["containers"][0], "env": ENV["containers"][0]["env"][::-1]}]}
IMAGE = {"containers": [{"name": "web", "image": "web:2"}]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (workload(), workload(replicas=3), ""),
        (workload(), workload(pod=IMAGE), "rollout: pods restart because image of web changed"),
        (
            workload(pod=ENV),
            workload(pod=ENV_TURNED),
            "rollout: pods restart because order of env of web changed (order only)",
        ),
        (
            workload(meta={"annotations": {"checksum/config": "1"}}),
            workload(meta={"annotations": {"checksum/config": "2"}}),
            "rollout: pods restart because checksum annotation checksum/config changed",
        ),
        (
            workload(strategy={"type": "Recreate"}),
            workload(strategy={"type": "Recreate"}, pod=IMAGE),
            "rollout: all pods stop, then new ones start (Recreate) because image of web changed",
        ),
        (
            workload(paused=True),
            workload(paused=True, pod=IMAGE),
            "pods stay as long as the Deployment is paused; image of web changed",
        ),
        (workload(replicas=0), workload(replicas=0, pod=IMAGE), "no pods run (replicas 0); image of web changed"),
        (
            workload("DaemonSet", updateStrategy={"type": "OnDelete"}),
            workload("DaemonSet", updateStrategy={"type": "OnDelete"}, pod=IMAGE),
            "pods keep the old template until they are deleted (OnDelete); image of web changed",
        ),
        (
            workload("ReplicaSet"),
            workload("ReplicaSet", pod=IMAGE),
            "running pods keep the old template; image of web changed",
        ),
        (
            workload(),
            workload(pod={"containers": [*IMAGE["containers"], {"name": "b", "image": "b"}], "hostNetwork": True}),
            "rollout: pods restart because image of web, container b, hostNetwork changed",
        ),
    ],
)
def test_rollouts(before: Value, after: Value, expected: str) -> None:
    assert only(make([before], [after], rehearsal=False)).rollout == expected


def test_of_a_pod_only_an_image_restarts_something() -> None:
    def pod(image: str, label: str) -> Value:
        return obj("Pod", meta={"labels": {"x": label}}, spec={"containers": [{"name": "web", "image": image}]})

    assert only(make([pod("a", "1")], [pod("a", "2")])).rollout == ""
    assert (
        only(make([pod("a", "1")], [pod("b", "2")])).rollout == "the container restarts in place; image of web changed"
    )


def uses(**pod: Any) -> Value:
    return workload(pod=pod)


MOUNT = {"name": "v", "mountPath": "/x"}


@pytest.mark.parametrize(
    ("pod", "note"),
    [
        (
            {"containers": [{"name": "w", "image": "i", "envFrom": [{"configMapRef": {"name": "c"}}]}]},
            "Deployment a reads it into environment variables: running pods keep the old values until they restart",
        ),
        (
            {
                "containers": [{"name": "w", "image": "i", "volumeMounts": [MOUNT]}],
                "volumes": [{"name": "v", "configMap": {"name": "c"}}],
            },
            "Deployment a mounts it: files in running pods change within about a minute",
        ),
        (
            {
                "containers": [{"name": "w", "image": "i", "volumeMounts": [{**MOUNT, "subPath": "f"}]}],
                "volumes": [{"name": "v", "projected": {"sources": [{"configMap": {"name": "c"}}]}}],
            },
            "Deployment a mounts it with subPath: files in running pods do not change until they restart",
        ),
        ({"containers": [{"name": "w", "image": "i", "envFrom": [{"configMapRef": {"name": "other"}}]}]}, None),
    ],
)
def test_who_notices_new_content(pod: Value, note: str | None) -> None:
    consumer = uses(**pod)
    result = make(
        [obj("ConfigMap", "c", data={"k": "1"}), consumer], [obj("ConfigMap", "c", data={"k": "2"}), consumer]
    )
    (changed,) = [a for a in result.actions if a.verb == "update"]
    assert changed.notes == ((note,) if note else ())


def test_who_restarts_anyway_is_not_named() -> None:
    pod = {"containers": [{"name": "w", "image": "i:1", "envFrom": [{"configMapRef": {"name": "c"}}]}]}
    other = {"containers": [{**pod["containers"][0], "image": "i:2"}]}
    result = make(
        [obj("ConfigMap", "c", data={"k": "1"}), uses(**pod)], [obj("ConfigMap", "c", data={"k": "2"}), uses(**other)]
    )
    assert [a.notes for a in result.actions if a.ref.kind == "ConfigMap"] == [()]


def test_what_apply_keeps_without_a_word() -> None:
    secret = obj("Secret", stringData={"a": "1", "b": "2"})
    service = obj("Service", spec={"clusterIP": "None", "ports": [{"port": 80}]})
    result = make(
        [secret, service],
        [{**secret, "stringData": {"a": "1"}}, obj("Service", spec={"ports": [{"port": 80}]})],
    )
    assert result.counts.unchanged == 2
    assert result.warnings == (
        "v1 Secret shop/a: key b is gone from stringData, but apply leaves it in data",
        "v1 Service shop/a: spec.clusterIP is left out, but the server keeps the value it has",
    )


@pytest.mark.parametrize(("values", "fails"), [("456", True), ("416", True), ("453", False), ("423", False)])
def test_changes_that_kubectl_cannot_send(values: str, fails: bool) -> None:
    def uses(numbers: str) -> Value:
        env = [{"name": name, "value": n} for name, n in zip("ABA", numbers, strict=True)]
        return workload(pod={"containers": [{"name": "web", "image": "web:1", "env": env}]})

    warnings = make([uses("123")], [uses(values)]).warnings
    assert [w.startswith("apps/v1 Deployment shop/a: kubectl apply gives up") for w in warnings] == [True] * fails


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        (obj("Service", spec={"ports": [{"port": 80}]}), [("clusterIP",)]),
        (
            obj("Service", spec={"type": "NodePort", "ports": [{"port": 80}]}),
            [("clusterIP",), ("ports", 0, "nodePort")],
        ),
        (obj("Service", spec={"clusterIP": "None"}), []),
        (obj("Service", spec={"type": "ExternalName", "externalName": "x"}), []),
        (obj("PersistentVolumeClaim", spec={}), [("volumeName",)]),
        (obj("ConfigMap"), []),
    ],
)
def test_known_after_apply(value: Value, unknown: list[tuple[Any, ...]]) -> None:
    action = only(make([], [value]))
    assert action.after is not None
    for path in unknown:
        found: Any = action.after["spec"]
        for step in path:
            found = found[step]
        assert found is KNOWN_AFTER_APPLY
    assert json.dumps(action.after).count(KNOWN_AFTER_APPLY) == len(unknown)


def test_the_address_of_a_replaced_service_is_unknown() -> None:
    before = obj(
        "Service",
        spec={"clusterIP": "10.0.0.1", "type": "LoadBalancer", "loadBalancerClass": "x", "ports": [{"port": 80}]},
    )
    after = obj("Service", spec={"type": "LoadBalancer", "loadBalancerClass": "y", "ports": [{"port": 80}]})
    action = only(make([before], [after]))
    assert action.verb == "replace"
    assert action.after is not None
    assert action.after["spec"]["clusterIP"] is KNOWN_AFTER_APPLY


def test_created_objects_show_the_manifest_and_count_the_defaults() -> None:
    action = only(make([], [workload()]))
    assert action.change is not None
    assert "strategy" not in action.change.after["spec"]
    assert action.change.unchanged > 5
    assert action.after is not None
    assert action.after["spec"]["replicas"] == 1


def test_secrets_stay_secret_unless_asked_for() -> None:
    before, after = (obj("Secret", data={"k": "Y2FuYXJ5"}), obj("Secret", data={"k": "Y2FuYXJ5LTI="}))
    assert "Y2FuYXJ5" not in repr(make([before], [after]))
    assert "Y2FuYXJ5" in repr(make([before], [after], show_secrets=True))


def test_unchanged_objects_carry_their_values_on_request() -> None:
    same = [obj("Secret", data={"k": "Y2FuYXJ5"})]
    assert only(make(same, same)).before is None
    action = only(make(same, same, values=True))
    assert action.before == action.after
    assert "Y2FuYXJ5" not in repr(action)


def test_string_data_is_data() -> None:
    assert make([obj("Secret", data={"k": "eA=="})], [obj("Secret", stringData={"k": "x"})]).counts.unchanged == 1


def test_custom_resources_are_pruned_and_defaulted_by_their_definition() -> None:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"on": {"type": "boolean", "default": True}}}},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    stored = obj("Thing", api="example.com/v1", spec={"on": True})
    given = obj("Thing", api="example.com/v1", spec={"unknown": 1})
    assert kplan.plan(Cluster([definition, stored]), Cluster([definition, given])).counts.unchanged == 2


def test_the_order_of_objects_does_not_matter() -> None:
    before = [obj("ConfigMap", f"c{i}", data={"k": "1"}) for i in range(5)] + [obj("Secret", data={"k": "eA=="})]
    after = [obj("ConfigMap", f"c{i}", data={"k": "2"}) for i in range(3)] + [obj("Secret", data={"k": "eQ=="})]
    assert make(before, after) == make(before[::-1], after[::-1])


@pytest.mark.parametrize(
    "value",
    [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": 3},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": {"x": 1}}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": []}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": [1], "stringData": "x"},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": [1], "labels": "x"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [None, 1, {"env": [1]}]}},
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": None}},
        {"apiVersion": 3, "kind": ["x"], "metadata": {"name": 7}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"type": ["x"], "clusterIP": {}}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"volumes": [{"name": {}}, {"name": []}]},
        },
    ],
)
def test_malformed_objects_are_no_crash(value: Value) -> None:
    good = obj(str(value["kind"]), api=str(value["apiVersion"]), spec={"x": 1}, data={"k": "eA=="})
    good["metadata"] = {"name": value["metadata"]["name"]}
    if value["kind"] == "Service":
        good["spec"] = {"type": "ClusterIP", "clusterIP": "10.0.0.1"}
    for before, after in (([value], [good]), ([good], [value]), ([value], []), ([], [value])):
        assert make(before, after).actions
