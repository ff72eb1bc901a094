"""`Cluster.patch`: the three kinds of patches, of objects, their status and their scale."""

from __future__ import annotations

from typing import Any

import pytest

from kplan import Cluster
from kplan.errors import KplanError
from kplan.model import Applied

Value = dict[str, Any]

POD_SPEC: Value = {
    "containers": [
        {"name": "c", "image": "i:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "d", "image": "j:1"},
    ],
    "tolerations": [{"key": "k", "operator": "Exists"}],
}
LABELS = {"app": "web"}


def deployment(**meta: Any) -> Value:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", **meta},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": POD_SPEC},
        },
    }


def config_map(**meta: Any) -> Value:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default", **meta}}


def created(*values: Value) -> Cluster:
    cluster = Cluster()
    for answer in cluster.apply(values, mode="replace"):
        assert answer.accepted, answer.message
    return cluster


def patched(cluster: Cluster, kind: str, name: str, patch: Any, **how: Any) -> Value:
    answer = cluster.patch(kind, name, patch, **how)
    assert answer.accepted, answer.message
    assert answer.object is not None
    return answer.object


def in_template(**spec: Any) -> Value:
    return {"spec": {"template": {"spec": spec}}}


def template(value: Value) -> Value:
    found: Value = value["spec"]["template"]["spec"]
    return found


def test_a_merge_patch_sets_removes_and_replaces_lists() -> None:
    cluster = created(deployment(labels={"a": "b", "c": "d"}))
    patch = {"metadata": {"labels": {"a": None, "e": "f"}}, **in_template(containers=[{"name": "n", "image": "n:1"}])}
    after = patched(cluster, "Deployment", "web", patch)
    assert after["metadata"]["labels"] == {"c": "d", "e": "f"}
    assert [c["name"] for c in template(after)["containers"]] == ["n"]
    assert template(after)["containers"][0]["terminationMessagePolicy"] == "File", "defaults are filled in"


def test_generation_counts_what_the_patch_changes_in_the_spec() -> None:
    cluster = created(deployment())
    assert patched(cluster, "deploy", "web", {"metadata": {"labels": {"a": "b"}}})["metadata"]["generation"] == 1
    assert patched(cluster, "deploy", "web", {"spec": {"replicas": 4}})["metadata"]["generation"] == 2
    assert patched(cluster, "deploy", "web", {"spec": {"replicas": None}})["spec"]["replicas"] == 1


def test_a_patch_that_changes_nothing_is_not_written() -> None:
    cluster = created(deployment())
    before = cluster.store.revision
    assert patched(cluster, "Deployment", "web", {"spec": {"replicas": 3}})["spec"]["replicas"] == 3
    assert cluster.store.revision == before


@pytest.mark.parametrize("kind", ["ConfigMap", "configmaps", "cm"])
def test_a_kind_may_be_named_as_kubectl_takes_it(kind: str) -> None:
    assert patched(created(config_map()), kind, "c", {"data": {"a": "1"}})["data"] == {"a": "1"}


def test_the_patch_may_be_a_text() -> None:
    assert patched(created(config_map()), "cm", "c", "data:\n  a: '1'\n")["data"] == {"a": "1"}
    assert patched(created(config_map()), "cm", "c", '{"data": {"a": "1"}}')["data"] == {"a": "1"}


def test_namespace_and_cluster_scoped_kinds() -> None:
    elsewhere = {**config_map(), "metadata": {"name": "c", "namespace": "other"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}
    cluster = Cluster([elsewhere, space])
    assert patched(cluster, "cm", "c", {"data": {"a": "1"}}, namespace="other")["data"] == {"a": "1"}
    assert cluster.patch("cm", "c", {}).status == 404
    assert patched(cluster, "ns", "other", {"metadata": {"labels": {"a": "b"}}})["metadata"]["labels"]["a"] == "b"


DECODED = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
LIST, MAP = "Go value of type []interface {}", "Go value of type map[string]interface {}"
REFUSED: list[tuple[str, str, Any, Value, int, str]] = [
    ("Pod", "x", {}, {}, 404, 'pods "x" not found'),
    ("Deployment", "x", {}, {}, 404, 'deployments.apps "x" not found'),
    ("Deployment", "x", {}, {"subresource": "scale"}, 404, 'deployments.apps "x" not found'),
    ("Nothing", "x", {}, {}, 404, "the server could not find the requested resource"),
    ("ConfigMap", "c", {}, {"subresource": "status"}, 404, "the server could not find the requested resource"),
    ("ConfigMap", "c", {}, {"subresource": "scale"}, 404, "the server could not find the requested resource"),
    ("Deployment", "web", [], {}, 400, f"error decoding patch: json: cannot unmarshal array into {MAP}"),
    (
        "Deployment",
        "web",
        {},
        {"patch_type": "json"},
        400,
        f"error decoding patch: json: cannot unmarshal object into {LIST}",
    ),
    ("Deployment", "web", 3, {"patch_type": "strategic"}, 400, f"json: cannot unmarshal number into {MAP}"),
    ("Deployment", "web", "{", {}, 400, "error decoding patch: patch:2:1: unexpected EOF"),
    ("Deployment", "web", {"spec": {"replicas": "x"}}, {}, 422, DECODED),
    (
        "Deployment",
        "web",
        {"spec": {"replicas": -1}},
        {},
        422,
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
    ("Deployment", "web", {"spec": {"selector": {"matchLabels": {"app": "x"}}}}, {}, 422, "field is immutable"),
    (
        "Deployment",
        "web",
        {"metadata": {"name": "api"}},
        {},
        400,
        "the name of the object (api) does not match the name on the URL (web)",
    ),
    (
        "Deployment",
        "web",
        {"metadata": {"namespace": "other"}},
        {},
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    ("Deployment", "web", {"kind": "Pod"}, {}, 422, "unable to decode apps/v1 Pod into apps/v1 Deployment"),
    ("Deployment", "web", {"metadata": {"resourceVersion": "999"}}, {}, 409, "the object has been modified"),
    ("Deployment", "web", {"metadata": {"resourceVersion": "9"}}, {"subresource": "status"}, 409, "has been modified"),
    ("Deployment", "web", {"metadata": {"uid": "u"}}, {}, 409, "Precondition failed: UID in precondition: u"),
    (
        "Deployment",
        "web",
        {"spec": {"replicas": -1}},
        {"subresource": "scale"},
        422,
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
]


@pytest.mark.parametrize(("kind", "name", "patch", "how", "status", "message"), REFUSED)
def test_refusals(kind: str, name: str, patch: Any, how: Value, status: int, message: str) -> None:
    cluster = created(deployment(), config_map())
    before = cluster.store.revision
    answer = cluster.patch(kind, name, patch, **how)
    assert (answer.accepted, answer.status) == (False, status)
    assert message in answer.message
    assert cluster.store.revision == before


def test_unknown_fields_are_dropped_with_a_warning() -> None:
    answer = created(deployment()).patch("Deployment", "web", {"spec": {"replica": 1, "replicas": 2}})
    assert answer.warnings == ('unknown field "spec.replica"',)
    assert answer.object is not None
    assert (answer.object["spec"]["replicas"], "replica" in answer.object["spec"]) == (2, False)


def test_the_data_of_a_secret_is_not_shown() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "hunter2"}}
    cluster = created(secret)
    cluster.patch("Secret", "s", {"metadata": {"annotations": {"note": "hunter2"}}})
    answer = cluster.patch("Secret", "s", {"metadata": {"labels": 3}, "stringData": {"b": "hunter2"}})
    assert answer.status == 422
    assert "hunter2" not in repr(answer)
    assert "aHVudGVyMg" not in repr(answer)


@pytest.mark.parametrize(("how", "word"), [({"patch_type": "yaml"}, "yaml"), ({"subresource": "proxy"}, "proxy")])
def test_other_patches_and_subresources_are_errors(how: Value, word: str) -> None:
    with pytest.raises(KplanError, match=word):
        created(config_map()).patch("cm", "c", {}, **how)


# --- strategic merge patch: (patch, path, result)

ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
STRATEGIC: list[tuple[Value, str, Any]] = [
    ({"containers": [{"name": "c", "image": "i:2"}]}, "containers", [("c", "i:2"), ("d", "j:1")]),
    ({"containers": [{"name": "n", "image": "n:1"}]}, "containers", [("c", "i:1"), ("d", "j:1"), ("n", "n:1")]),
    ({"containers": [{"name": "d", "$patch": "delete"}]}, "containers", [("c", "i:1")]),
    ({"containers": [{"$patch": "replace"}, {"name": "n", "image": "n:1"}]}, "containers", [("n", "n:1")]),
    (
        {"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}], "containers": [{"name": "c", "image": "i:2"}]},
        "containers",
        [("d", "j:1"), ("c", "i:2")],
    ),
    ({"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}]}, "containers", [("d", "j:1"), ("c", "i:1")]),
    ({"containers": [{"name": "c", "env": [{"name": "A", "value": "9"}]}]}, "env", [("A", "9"), ("B", "2")]),
    ({"containers": [{"name": "c", "env": None}]}, "env", []),
    ({"tolerations": [{"key": "n", "operator": "Exists"}]}, "tolerations", [("n", "Exists")]),
    ({"nodeSelector": {"$patch": "delete", "a": "b"}}, "nodeSelector", {}),
    ({"securityContext": {"$patch": "replace", "runAsUser": 5}}, "securityContext", {"runAsUser": 5}),
    ({"hostNetwork": None, "dnsPolicy": "Default"}, "dnsPolicy", "Default"),
]


@pytest.mark.parametrize(("spec", "path", "result"), STRATEGIC)
def test_strategic_merge_patch(spec: Value, path: str, result: Any) -> None:
    cluster = created(deployment())
    found = template(patched(cluster, "Deployment", "web", in_template(**spec), patch_type="strategic"))
    names = {"containers": ("name", "image"), "env": ("name", "value"), "tolerations": ("key", "operator")}
    value = found["containers"][0].get("env", []) if path == "env" else found.get(path, {})
    assert ([tuple(v[n] for n in names[path]) for v in value] if path in names else value) == result


def test_retain_keys_switches_the_strategy() -> None:
    cluster = created(deployment())
    plain = {"spec": {"strategy": {"type": "Recreate"}}}
    assert cluster.patch("Deployment", "web", plain, patch_type="strategic").status == 422
    plain["spec"]["strategy"]["$retainKeys"] = ["type"]  # type: ignore[assignment]
    after = patched(cluster, "Deployment", "web", plain, patch_type="strategic")
    assert after["spec"]["strategy"] == {"type": "Recreate"}


def test_lists_of_scalars_merge_and_lose_items() -> None:
    cluster = created(config_map(finalizers=["a/b", "c/d"]))
    patch: Value = {"metadata": {"finalizers": ["e/f", "a/b"]}}
    after = patched(cluster, "cm", "c", patch, patch_type="strategic")
    assert after["metadata"]["finalizers"] == ["a/b", "c/d", "e/f"]
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["c/d"], "$setElementOrder/finalizers": ["e/f", "a/b"]}
    }
    after = patched(cluster, "cm", "c", patch, patch_type="strategic")
    assert after["metadata"]["finalizers"] == ["e/f", "a/b"]


BAD_STRATEGIC: list[tuple[Value, int, str]] = [
    ({"containers": [{"image": "x"}]}, 500, "map: map[image:x] does not contain declared merge key: name"),
    ({"containers": [{"name": "c", "$patch": "x"}]}, 500, "unknown patch type: x in map: map[$patch:x name:c]"),
    ({"containers": [{"name": "c", "$patch": "merge"}]}, 500, "merging lists cannot yet be specified in the patch"),
    ({"$retainKeys": "x"}, 400, "invalid patch format of retainKeys"),
    (
        {"$setElementOrder/containers": [{"name": "c"}], "containers": [{"name": "d", "image": "i"}]},
        500,
        "The order in patch list:\n[map[image:i name:d]]\n doesn't match $setElementOrder list:\n[map[name:c]]\n",
    ),
    ({"$retainKeys": ["x"], "hostPID": True}, 500, "patch content doesn't match retainKeys list"),
    ({"$setElementOrder/containers": 3}, 400, "invalid patch format of setElementOrder list"),
    ({"$deleteFromPrimitiveList/x": {}}, 400, "invalid patch format of primitive list"),
]


@pytest.mark.parametrize(("spec", "status", "message"), BAD_STRATEGIC)
def test_bad_strategic_patches(spec: Value, status: int, message: str) -> None:
    answer = created(deployment()).patch("Deployment", "web", in_template(**spec), patch_type="strategic")
    assert (answer.status, answer.message) == (status, message)


# --- JSON patch: (operations, data, finalizers)

Operation = Value
X = ["x/1", "x/2"]
DATA = {"a": "1", "b": "2"}
JSON_PATCHES: list[tuple[list[Operation], Value, list[str]]] = [
    ([{"op": "add", "path": "/data/c", "value": "3"}], {**DATA, "c": "3"}, X),
    ([{"op": "add", "path": "/metadata/finalizers/-", "value": "x/3"}], DATA, [*X, "x/3"]),
    ([{"op": "add", "path": "/metadata/finalizers/0", "value": "x/3"}], DATA, ["x/3", *X]),
    ([{"op": "remove", "path": "/metadata/finalizers/-1"}], DATA, ["x/1"]),
    ([{"op": "remove", "path": "/data/b"}], {"a": "1"}, X),
    ([{"op": "replace", "path": "/data", "value": {"n": "1"}}], {"n": "1"}, X),
    ([{"op": "replace", "path": "/metadata/finalizers/1", "value": "x/9"}], DATA, ["x/1", "x/9"]),
    ([{"op": "move", "from": "/data/a", "path": "/data/z"}], {"b": "2", "z": "1"}, X),
    ([{"op": "copy", "from": "/data/a", "path": "/data/z"}], {**DATA, "z": "1"}, X),
    ([{"op": "test", "path": "/data/a", "value": "1"}, {"op": "remove", "path": "/data/a"}], {"b": "2"}, X),
    ([{"op": "test", "path": "/data/none", "value": None}], DATA, X),
]


def with_data() -> Cluster:
    return created({**config_map(finalizers=X), "data": DATA})


@pytest.mark.parametrize(("operations", "data", "finalizers"), JSON_PATCHES)
def test_json_patch(operations: list[Operation], data: Value, finalizers: list[str]) -> None:
    after = patched(with_data(), "cm", "c", operations, patch_type="json")
    assert (after["data"], after["metadata"]["finalizers"]) == (data, finalizers)


def test_pointers_escape_slashes_and_tildes() -> None:
    cluster = Cluster([{**POOL, "spec": {"a~/b": 1, "a~1b": 1}}])
    operations = [{"op": "replace", "path": "/spec/a~0~1b", "value": 2}, {"op": "remove", "path": "/spec/a~01b"}]
    assert patched(cluster, "Pool", "p", operations, patch_type="json")["spec"] == {"a~/b": 2}


BAD_OPERATIONS: list[Any] = [
    {"op": "test", "path": "/data/a", "value": 1},
    {"op": "test", "path": "/data/a", "value": "2"},
    {"op": "remove", "path": "/data/none"},
    {"op": "replace", "path": "/data/none", "value": "1"},
    {"op": "add", "path": "/none/a", "value": "1"},
    {"op": "add", "path": "/metadata/finalizers/3", "value": "x/3"},
    {"op": "remove", "path": "/metadata/finalizers/2"},
    {"op": "remove", "path": "/metadata/finalizers/x"},
    {"op": "move", "from": "/data", "path": "/data/a"},
    {"op": "copy", "from": "/none", "path": "/data/a"},
    {"op": "add", "path": "data", "value": "1"},
    {"op": "add"},
    {"op": "grow", "path": "/data"},
    3,
]


@pytest.mark.parametrize("operation", BAD_OPERATIONS)
def test_json_patch_that_does_not_apply(operation: Any) -> None:
    cluster = with_data()
    good = {"op": "add", "path": "/data/c", "value": "3"}
    answer = cluster.patch("cm", "c", [good, operation], patch_type="json")
    assert (answer.status, answer.message) == (422, "the server rejected our request due to an error in our request")
    assert cluster.objects("ConfigMap")[0]["data"] == DATA


# --- status and scale


def test_a_status_patch_changes_nothing_but_the_status() -> None:
    cluster = created(deployment())
    patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 9}, "status": {"replicas": 2}}
    after = patched(cluster, "Deployment", "web", patch, subresource="status")
    assert after["status"] == {"replicas": 2}
    assert (after["spec"]["replicas"], after["metadata"]["generation"]) == (3, 1)
    assert "labels" not in after["metadata"]


def test_a_name_is_not_judged_again() -> None:
    placeholder = {"name": "web-<1>", "namespace": "default"}
    cluster = Cluster([{"apiVersion": "v1", "kind": "Pod", "metadata": placeholder, "spec": POD_SPEC}])
    after = patched(cluster, "pod", "web-<1>", {"metadata": {"labels": {"app": "off"}}})
    assert after["metadata"]["labels"] == {"app": "off"}
    assert cluster.patch("pod", "web-<1>", {"metadata": {"labels": {"app": "<1>"}}}).status == 422


def test_the_status_is_not_reached_without_its_subresource() -> None:
    after = patched(created(deployment()), "Deployment", "web", {"status": {"replicas": 2}})
    assert after["status"] == {}


def test_conditions_of_a_status_merge_by_type() -> None:
    cluster = created(deployment())
    for kind, status in (("Available", "True"), ("Progressing", "True"), ("Available", "False")):
        patch = {"status": {"conditions": [{"type": kind, "status": status}]}}
        after = patched(cluster, "Deployment", "web", patch, subresource="status", patch_type="strategic")
    assert [(c["type"], c["status"]) for c in after["status"]["conditions"]] == [
        ("Available", "False"),
        ("Progressing", "True"),
    ]


def test_the_scale_of_an_object() -> None:
    cluster = created(deployment())
    patched(cluster, "Deployment", "web", {"status": {"replicas": 2}}, subresource="status")
    scale = patched(cluster, "Deployment", "web", {"spec": {"replicas": 5}}, subresource="scale")
    live = cluster.objects("Deployment")[0]
    assert scale == {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {k: v for k, v in live["metadata"].items() if k != "generation"},
        "spec": {"replicas": 5},
        "status": {"replicas": 2, "selector": "app=web"},
    }
    assert (live["spec"]["replicas"], live["metadata"]["generation"]) == (5, 2)
    assert patched(cluster, "Deployment", "web", {"spec": {"replicas": 0}}, subresource="scale")["spec"] == {}
    assert cluster.objects("Deployment")[0]["spec"]["replicas"] == 0


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
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 9}}},
                            "status": {"type": "object", "properties": {"size": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
}
POOL: Value = {
    "apiVersion": "example.org/v1",
    "kind": "Pool",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"size": 1},
}


def test_subresources_of_a_custom_resource() -> None:
    cluster = Cluster([CRD])
    cluster.apply(POOL, mode="replace")
    assert patched(cluster, "pools", "p", {"status": {"size": 1}}, subresource="status")["status"] == {"size": 1}
    assert patched(cluster, "pools", "p", {"spec": {"size": 4}}, subresource="scale")["status"] == {"replicas": 1}
    patched(cluster, "pools", "p", {"spec": {"replicas": 4}}, subresource="scale")
    live = cluster.objects("Pool")[0]
    assert (live["spec"]["size"], live["metadata"]["generation"]) == (4, 2)


CUSTOM: list[tuple[Any, Value, int, str]] = [
    (
        {"spec": {"size": 10}},
        {},
        422,
        "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9",
    ),
    ({"spec": {"replicas": 10}}, {"subresource": "scale"}, 422, "spec.size in body should be less than or equal to 9"),
    ({"status": {"size": "x"}}, {"subresource": "status"}, 422, "status.size in body must be of type integer"),
    ({"spec": {"size": 2}}, {"patch_type": "strategic"}, 415, "the body of the request was in an unknown format"),
]


@pytest.mark.parametrize(("patch", "how", "status", "message"), CUSTOM)
def test_refused_patches_of_a_custom_resource(patch: Any, how: Value, status: int, message: str) -> None:
    cluster = Cluster([CRD])
    cluster.apply(POOL, mode="replace")
    answer = cluster.patch("Pool", "p", patch, **how)
    assert (answer.status, message in answer.message) == (status, True), answer.message


def test_an_object_of_an_unknown_kind() -> None:
    cluster = Cluster([POOL])
    assert patched(cluster, "Pool", "p", {"spec": {"size": 99}})["spec"] == {"size": 99}
    assert cluster.patch("Pool", "q", {}).status == 404


# --- objects that are being deleted: (metadata, patch, whether it goes)

GONE = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
LEAVING: list[tuple[Value, Value, bool]] = [
    ({**GONE, "finalizers": ["a/b"]}, {"finalizers": None}, True),
    ({**GONE, "finalizers": ["a/b", "c/d"]}, {"finalizers": ["c/d"]}, False),
    ({**GONE, "finalizers": ["a/b"]}, {"labels": {"a": "b"}}, False),
    ({**GONE, "finalizers": ["a/b"], "deletionGracePeriodSeconds": 30}, {"finalizers": None}, False),
    ({"finalizers": ["a/b"]}, {"finalizers": None}, False),
]


@pytest.mark.parametrize(("meta", "patch", "goes"), LEAVING)
def test_an_object_that_loses_its_last_finalizer_goes(meta: Value, patch: Value, goes: bool) -> None:
    cluster = Cluster([config_map(**meta)])
    answer: Applied = cluster.patch("cm", "c", {"metadata": patch})
    assert answer.accepted, answer.message
    assert cluster.objects("ConfigMap") == [] if goes else cluster.objects("ConfigMap")


def test_a_list_that_is_not_there_is_taken_as_it_is_sent() -> None:
    sent = [{"name": "a"}, {"name": "b", "$patch": "delete"}, {"name": "a"}]
    after = patched(created(deployment()), "deploy", "web", in_template(imagePullSecrets=sent), patch_type="strategic")
    assert template(after)["imagePullSecrets"] == [{"name": "a"}, {"name": "a"}]
