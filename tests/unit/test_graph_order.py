"""The apply order of the graph: stages, real references, circles; and how long a big graph takes."""

from __future__ import annotations

import time
from typing import Any

from kplan.graph import Graph, build
from kplan.graph.order import rank
from kplan.model import Key, Object
from kplan.store import ref_of

SHOP = "shop"
KINDS = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "Farm": "example.com/v1",
}
CLUSTER = {"Namespace", "CustomResourceDefinition", "StorageClass", "PersistentVolume"}


def thing(kind: str, name: str, **fields: Any) -> Object:
    cluster = kind in CLUSTER or kind.endswith("WebhookConfiguration")
    meta = {"name": name} | ({} if cluster else {"namespace": SHOP})
    value = {"apiVersion": KINDS.get(kind, "v1"), "kind": kind, "metadata": meta | fields.pop("meta", {}), **fields}
    return Object(ref_of(value), value)


def pods(**spec: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [], **spec}}}


def volumes(**named: str) -> list[dict[str, Any]]:
    return [{"name": "v", field: {"name" if field == "configMap" else "claimName": n}} for field, n in named.items()]


def waves(graph: Graph) -> list[list[str]]:
    out: dict[int, list[str]] = {}
    for step in graph.order():
        out.setdefault(step.wave, []).append(f"{step.key.kind} {step.key.name}")
    return [out[i] for i in range(len(out))]


FARMS = thing("CustomResourceDefinition", "farms.example.com", spec={"group": "example.com", "names": {"kind": "Farm"}})
SERVICE = {"clientConfig": {"service": {"name": "web", "namespace": SHOP}}}
OBJECTS = [
    thing("MutatingWebhookConfiguration", "m", webhooks=[SERVICE]),
    thing("ValidatingWebhookConfiguration", "v", webhooks=[SERVICE]),
    thing("Farm", "f"),
    thing("Ingress", "i", spec={"defaultBackend": {"service": {"name": "web"}}}),
    thing("Deployment", "web", spec=pods(volumes=volumes(configMap="app", persistentVolumeClaim="data"))),
    thing("StatefulSet", "db", spec={"serviceName": "db", **pods(serviceAccountName="runner")}),
    thing("Service", "web"),
    thing("Service", "db"),
    thing("PersistentVolumeClaim", "data", spec={"storageClassName": "fast"}),
    thing("ConfigMap", "app"),
    thing("RoleBinding", "b", roleRef={"kind": "Role", "name": "r"}),
    thing("Role", "r"),
    thing("ServiceAccount", "runner"),
    thing("StorageClass", "fast"),
    thing("Namespace", SHOP),
    FARMS,
]


def test_waves() -> None:
    expected = [
        ["CustomResourceDefinition farms.example.com", "Namespace shop", "StorageClass fast"],
        ["ServiceAccount runner", "ConfigMap app", "PersistentVolumeClaim data", "Role r"],
        ["RoleBinding b"],
        ["Service db", "Service web"],
        ["Deployment web", "StatefulSet db"],
        ["Ingress i", "Farm f"],
        ["MutatingWebhookConfiguration m", "ValidatingWebhookConfiguration v"],
    ]
    assert waves(build(OBJECTS)) == expected
    assert waves(build(reversed(OBJECTS))) == expected


def test_reasons() -> None:
    needs = {s.key.name: [str(n) for n in s.needs] for s in build(OBJECTS).order()}
    assert needs["web"] == [
        "after ConfigMap shop/app (spec.template.spec.volumes[0].configMap.name)",
        "after PersistentVolumeClaim shop/data (spec.template.spec.volumes[1].persistentVolumeClaim.claimName)",
        "after Namespace shop (metadata.namespace)",
    ]
    assert needs["f"] == [
        "after Namespace shop (metadata.namespace)",
        "after CustomResourceDefinition farms.example.com (kind)",
    ]
    assert needs["fast"] == []


def test_deletion_is_the_reverse() -> None:
    graph = build(OBJECTS)
    assert [s.key for s in graph.deletion_order()] == [s.key for s in reversed(graph.order())]
    first = graph.deletion_order()[0]
    assert (first.key.kind, first.wave) == ("ValidatingWebhookConfiguration", 0)
    assert build([]).deletion_order() == ()


def owned(name: str, owner: str, kind: str = "ConfigMap") -> Object:
    return thing("ConfigMap", name, meta={"ownerReferences": [{"apiVersion": "v1", "kind": kind, "name": owner}]})


def test_a_chain_within_one_stage() -> None:
    chain = [owned(f"c{i}", f"c{i + 1}") for i in range(3)]
    assert waves(build([*chain, thing("ConfigMap", "c3")])) == [[f"ConfigMap c{i}"] for i in (3, 2, 1, 0)]


def test_an_object_that_needs_one_of_a_later_stage() -> None:
    later = thing("ConfigMap", "c", meta={"ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": "s"}]})
    graph = build([later, thing("Service", "s"), thing("ConfigMap", "d")])
    assert waves(graph) == [["ConfigMap d"], ["Service s"], ["ConfigMap c"]]


def test_circles() -> None:
    graph = build([owned("a", "b"), owned("b", "a"), owned("c", "a"), owned("d", "d")])
    assert graph.cycles() == ((Key("", "ConfigMap", SHOP, "a"), Key("", "ConfigMap", SHOP, "b")),)
    assert waves(graph) == [["ConfigMap a", "ConfigMap b", "ConfigMap d"], ["ConfigMap c"]]


def test_a_circle_breaks_where_it_points_to_a_later_stage() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "name": "s"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    graph = build(
        [
            thing("Service", "s", meta={"ownerReferences": [config]}),
            thing("ConfigMap", "c", meta={"ownerReferences": [service]}),
        ]
    )
    assert len(graph.cycles()) == 1
    assert waves(graph) == [["ConfigMap c"], ["Service s"]]


def test_volume_and_claim_name_each_other() -> None:
    claim = thing("PersistentVolumeClaim", "c", spec={"volumeName": "v"})
    volume = thing("PersistentVolume", "v", spec={"claimRef": {"name": "c", "namespace": SHOP}})
    graph = build([claim, volume])
    assert graph.cycles() == ()
    assert waves(graph) == [["PersistentVolume v"], ["PersistentVolumeClaim c"]]


def test_a_long_chain_needs_no_recursion() -> None:
    graph = build([owned(f"c{i}", f"c{i + 1}") for i in range(3000)])
    assert graph.order()[0].key.name == "c2999"
    assert graph.cycles() == ()


def test_ranks() -> None:
    deployment = Key("apps", "Deployment", SHOP, "x")
    assert rank(deployment) == rank(deployment._replace(group="extensions"))
    assert rank(Key("", "Namespace", "", "x")) < rank(Key("", "ConfigMap", SHOP, "x")) < rank(deployment)
    assert rank(Key("example.com", "Farm", SHOP, "x")) == rank(Key("other.example.com", "Barn", SHOP, "x"))


def many(n: int) -> list[Object]:
    """A cluster of `n` groups of five objects in ten namespaces."""
    out = []
    for i in range(n):
        app, meta = {"app": f"app-{i}"}, {"namespace": f"ns-{i % 10}"}
        container = {"name": "c", "envFrom": [{"configMapRef": {"name": f"c-{i}"}}]}
        template = {"metadata": {"labels": app | {"team": f"t-{i % 7}"}}, "spec": {"containers": [container]}}
        peer = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"team": f"t-{i % 7}"}}}
        out += [
            thing("Deployment", f"d-{i}", meta=meta, spec={"selector": {"matchLabels": app}, "template": template}),
            thing("Service", f"s-{i}", meta=meta, spec={"selector": app, "ports": [{"port": 80}]}),
            thing("ConfigMap", f"c-{i}", meta=meta, data={"a": "b"}),
            thing("Ingress", f"i-{i}", meta=meta, spec={"defaultBackend": {"service": {"name": f"s-{i}"}}}),
            Object(
                ref_of(
                    p := {
                        "apiVersion": "networking.k8s.io/v1",
                        "kind": "NetworkPolicy",
                        "metadata": {"name": f"n-{i}"} | meta,
                    }
                ),
                p | {"spec": {"podSelector": {"matchLabels": app}, "ingress": [{"from": [peer]}]}},
            ),
        ]
    return out


def test_five_thousand_objects_grow_no_faster_than_their_number() -> None:
    def seconds(objects: list[Object]) -> float:
        start = time.process_time()
        graph = build(objects, closed=True)
        graph.order()
        return time.process_time() - start

    small, big = many(250), many(1000)
    build(small[:5])  # the tables are read once
    taking_turns = [(seconds(small), seconds(big)) for _ in range(4)]
    times = min(a for a, _ in taking_turns), min(b for _, b in taking_turns)  # the least disturbed of each
    assert len(big) == 5000
    assert times[1] < 10 * times[0]
