"""`Cluster.apply`: creation, kubectl's three-way apply, replacement, and what the server keeps or refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kplan import Cluster
from kplan.errors import KplanError

Value = dict[str, Any]


def deployment(**container: Any) -> Value:
    labels = {"app": "web"}
    spec = {"containers": [{"name": "c", "image": "i:1", **container}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def service(*ports: int, **spec: Any) -> Value:
    listed = [{"name": f"p{n}", "port": n} for n in ports]
    meta = {"name": "web", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": listed, **spec}}


def applied(cluster: Cluster, value: Value, mode: str = "csa") -> Value:
    (answer,) = cluster.apply([value], mode=mode)
    assert answer.accepted, answer.message
    assert answer.object is not None
    return answer.object


def test_first_apply_creates_and_remembers_itself() -> None:
    cluster = Cluster()
    (answer,) = cluster.apply([deployment()])
    assert (answer.accepted, answer.status) == (True, 201)
    stored = cluster.get(deployment())
    assert stored is not None
    assert "kubectl.kubernetes.io/last-applied-configuration" in stored["metadata"]["annotations"]
    assert stored["spec"]["progressDeadlineSeconds"] == 600


def test_same_apply_writes_nothing() -> None:
    cluster = Cluster()
    first = applied(cluster, deployment())
    assert applied(cluster, deployment()) == first


def test_dry_run_stores_nothing() -> None:
    cluster = Cluster()
    assert cluster.apply([deployment()], dry_run=True)[0].accepted
    assert cluster.get(deployment()) is None


def test_what_was_applied_and_is_gone_is_removed_and_the_rest_stays() -> None:
    cluster = Cluster()
    applied(cluster, deployment(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))
    live = cluster.get(deployment())
    assert live is not None
    scaled = copy.deepcopy(live)
    scaled["spec"]["template"]["spec"]["containers"].append({"name": "injected", "image": "s:1"})
    applied(cluster, scaled, "replace")
    after = deployment(env=[{"name": "A", "value": "1"}])
    del after["spec"]["replicas"]
    spec = applied(cluster, after)["spec"]
    containers = {c["name"]: c for c in spec["template"]["spec"]["containers"]}
    assert containers["c"]["env"] == [{"name": "A", "value": "1"}]
    assert "injected" in containers
    assert spec["replicas"] == 1, "a count that was applied and is gone goes back to the default"


def test_service_keeps_its_address_and_node_port() -> None:
    cluster = Cluster()
    before = applied(cluster, service(80, type="NodePort"))["spec"]
    after = applied(cluster, service(80, type="NodePort", sessionAffinity="ClientIP"), "replace")["spec"]
    assert after["clusterIP"] == before["clusterIP"]
    assert after["ports"][0]["nodePort"] == before["ports"][0]["nodePort"]


REFUSED = [
    (("spec", "selector", "matchLabels", "app"), "api", "spec.selector"),
    (("metadata", "uid"), "other", "metadata.uid"),
]


@pytest.mark.parametrize(("path", "value", "field"), REFUSED)
def test_replacement_that_the_server_refuses(path: tuple[str, ...], value: str, field: str) -> None:
    cluster = Cluster()
    applied(cluster, deployment())
    changed = copy.deepcopy(cluster.get(deployment()))
    assert changed is not None
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    (answer,) = cluster.apply([changed], mode="replace")
    assert not answer.accepted
    assert answer.status in (409, 422)
    assert answer.status == 409 or field in {c.field for c in answer.causes}


def test_stale_resource_version_is_a_conflict() -> None:
    cluster = Cluster()
    applied(cluster, deployment())
    stale = copy.deepcopy(cluster.get(deployment()))
    assert stale is not None
    fresh = deployment(image="i:2")
    applied(cluster, fresh)
    stale["spec"]["replicas"] = 5
    assert cluster.apply([stale], mode="replace")[0].status == 409


def test_secret_keys_of_string_data_stay_when_they_leave_the_manifest() -> None:
    def secret(**data: str) -> Value:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": data}

    cluster = Cluster()
    applied(cluster, secret(a="1", b="2"))
    assert set(applied(cluster, secret(a="1"))["data"]) == {"a", "b"}


def test_generate_name_cannot_be_applied() -> None:
    pod = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    (answer,) = Cluster().apply([pod])
    assert (answer.accepted, "generate name" in answer.message) == (False, True)


def test_unknown_mode_is_an_error() -> None:
    with pytest.raises(KplanError, match="no way to apply called 'helm'"):
        Cluster().apply([deployment()], mode="helm")


def env(*pairs: str) -> list[Value]:
    return [{"name": p[0], "value": p[1:]} for p in pairs]


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (("A1", "B1", "A2"), ("A3", "B2", "A4"), "map[name:A value:3] map[name:A value:4] map[name:B value:2]"),
        (("B1",), ("A3", "B2", "A4"), "map[name:A value:3] map[name:A value:4] map[name:B value:2]"),
        (("A1", "B1", "A2"), ("A3", "B1", "A4"), ""),
        (("A1", "B1", "A2"), ("A3", "B2", "A2"), ""),
        (("A1", "B1"), ("B2", "A2"), ""),
        ((), ("A3", "B2", "A4"), ""),
    ],
)
def test_a_patch_whose_items_kubectl_cannot_put_in_order(
    before: tuple[str, ...], after: tuple[str, ...], sent: str
) -> None:
    cluster = Cluster()
    applied(cluster, deployment(env=env(*before)))
    (answer,) = cluster.apply([deployment(env=env(*after))])
    order = " ".join(f"map[name:{p[0]}]" for p in after)
    said = f"error: The order in patch list:\n[{sent}]\n doesn't match $setElementOrder list:\n[{order}]\n"
    assert answer.message == (said if sent else "")
    assert cluster.apply([deployment(env=env(*after))], mode="replace")[0].accepted
