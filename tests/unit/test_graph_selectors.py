"""Selectors of the graph: what they match, with the labels that controllers add, and what is said of those in vain."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.graph import FOUND, MISSING, UNKNOWN, Edge, Graph, build, pods
from kplan.labels import parse
from kplan.model import Key, Object, format_path
from kplan.store import ref_of

Value = dict[str, Any]


def thing(api_version: str, kind: str, name: str, namespace: str = "shop", **fields: Any) -> Object:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    value = {"apiVersion": api_version, "kind": kind, "metadata": meta | fields.pop("meta", {}), **fields}
    return Object(ref_of(value), value)


def template(labels: Any) -> Value:
    return {"metadata": {"labels": labels}, "spec": {"containers": []}}


def workload(kind: str, name: str, namespace: str = "shop", labels: Any = None, **spec: Any) -> Object:
    version = {"Job": "batch/v1", "CronJob": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}.get(kind, "apps/v1")
    made = template({"app": name} if labels is None else labels)
    return thing(version, kind, name, namespace, spec={"template": made, **spec})


def service(name: str = "svc", namespace: str = "shop", **selector: str) -> Object:
    return thing("v1", "Service", name, namespace, spec={"selector": selector})


def policy(namespace: str = "shop", **spec: Any) -> Object:
    return thing("networking.k8s.io/v1", "NetworkPolicy", "np", namespace, spec=spec)


def namespace(name: str, **labels: str) -> Object:
    return thing("v1", "Namespace", name, "", meta={"labels": labels})


def selecting(graph: Graph) -> list[Edge]:
    return [e for e in graph.edges if e.selects]


def state(*objects: Object, closed: bool = True, externals: tuple[str, ...] = ()) -> str:
    """The state of the only selector edge."""
    (edge,) = selecting(build(objects, closed=closed, externals=externals))
    return edge.state


def names(graph: Graph, source: Object) -> list[str]:
    return [k.name for k in graph.selected(source.ref.key)]


WEB = {"app": "web"}
INDEXED = {"completionMode": "Indexed", "completions": 2}

# (workload, selector, whether its pods can match)
ADDED: list[tuple[Object, str, bool | None]] = [
    (workload("Deployment", "web"), "app=web", True),
    (workload("Deployment", "web"), "app=web,pod-template-hash=6d4f9c", True),
    (workload("Deployment", "web"), "!pod-template-hash", False),
    (workload("Deployment", "web"), "topology.kubernetes.io/zone=a", True),
    (workload("Deployment", "web"), "nope", False),
    (workload("Deployment", "web"), "nope notin (a)", True),
    (workload("ReplicaSet", "web"), "pod-template-hash=6d4f9c", False),
    (workload("DaemonSet", "logger"), "controller-revision-hash=x,pod-template-generation=3", True),
    (workload("DaemonSet", "logger"), "pod-template-generation=0", False),
    (workload("StatefulSet", "db", replicas=3), "statefulset.kubernetes.io/pod-name=db-2", True),
    (workload("StatefulSet", "db", replicas=3), "statefulset.kubernetes.io/pod-name=db-3", False),
    (workload("StatefulSet", "db"), "statefulset.kubernetes.io/pod-name=db-0", True),
    (workload("StatefulSet", "db"), "statefulset.kubernetes.io/pod-name=db-00", False),
    (workload("StatefulSet", "db"), "statefulset.kubernetes.io/pod-name=web-0", False),
    (workload("StatefulSet", "db", ordinals={"start": 5}), "apps.kubernetes.io/pod-index=5", True),
    (workload("StatefulSet", "db", ordinals={"start": 5}), "apps.kubernetes.io/pod-index=0", False),
    (workload("Job", "run"), "job-name=run,batch.kubernetes.io/job-name=run,controller-uid", True),
    (workload("Job", "run"), "job-name=walk", False),
    (workload("Job", "run", **INDEXED), "batch.kubernetes.io/job-completion-index=1", True),
    (workload("Job", "run", **INDEXED), "batch.kubernetes.io/job-completion-index=2", False),
    (workload("Job", "run"), "batch.kubernetes.io/job-completion-index", False),
    (thing("batch/v1", "CronJob", "tick", spec={"jobTemplate": {"spec": {"template": template({"app": "t"})}}}),
     "job-name in (tick-29000000)", True),
    (workload("Rollout", "web"), "app=web", True),
    (workload("Rollout", "web"), "app=api", False),
    (workload("Rollout", "web"), "rollouts-pod-template-hash=x", None),
    (workload("Deployment", "web", labels="text"), "app=web", None),
    (thing("apps/v1", "Deployment", "patch", spec={"replicas": 2}), "app=web", None),
]  # fmt: skip


@pytest.mark.parametrize(("made_by", "selector", "holds"), ADDED)
def test_labels_that_pods_will_carry(made_by: Object, selector: str, holds: bool | None) -> None:
    labels = pods(made_by)
    assert labels is not None
    assert labels.satisfy_all(tuple(parse(selector))) is holds


def test_objects_that_make_no_pods() -> None:
    assert pods(service(app="web")) is None
    assert pods(thing("example.com/v1", "Farm", "f", spec={"template": {"spec": {}}})) is None


@pytest.mark.parametrize(
    ("spec", "matched"),
    [
        ({"matchLabels": WEB}, ["web"]),
        ({"matchLabels": {"app": "db"}}, []),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["api", "web"]}]}, ["web", "api"]),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, ["api", "bare"]),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, ["web", "api"]),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, ["bare"]),
        ({}, ["web", "api", "bare"]),
    ],
)
def test_every_operator(spec: Value, matched: list[str]) -> None:
    budget = thing("policy/v1", "PodDisruptionBudget", "b", spec={"selector": spec})
    made = [workload("Deployment", "web"), workload("StatefulSet", "api"), workload("Deployment", "bare", labels={})]
    elsewhere = workload("Deployment", "far", "other", labels=WEB)
    graph = build([*made, elsewhere, budget], closed=True)
    assert sorted(names(graph, budget)) == sorted(matched)
    assert [e.state for e in selecting(graph)] == [FOUND if matched else MISSING]


@pytest.mark.parametrize(
    ("source", "edges"),
    [
        (service(app="web"), ["spec.selector"]),
        (service(), []),
        (thing("v1", "Service", "s", spec={"type": "ExternalName", "selector": WEB}), []),
        (thing("v1", "Service", "s", spec={"selector": "app=web"}), []),
        (policy(podSelector={}), ["spec.podSelector"]),
        (policy(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]), []),
        (policy(egress=[{}, {"to": [{"podSelector": {}}]}]), ["spec.egress[1].to[0]"]),
        (thing("policy/v1", "PodDisruptionBudget", "b", spec={}), []),
        (thing("monitoring.coreos.com/v1", "PodMonitor", "m", spec={"selector": {}}), ["spec.selector"]),
    ],
)
def test_where_selectors_stand(source: Object, edges: list[str]) -> None:
    assert [format_path(e.path) for e in selecting(build([source]))] == edges


def test_peers_of_a_network_policy() -> None:
    peers = [
        {"podSelector": {"matchLabels": WEB}},
        {"namespaceSelector": {"matchLabels": {"team": "a"}}},
        {"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {"matchLabels": WEB}},
        {"namespaceSelector": {}, "podSelector": {"matchLabels": WEB}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "two"}}},
        {"namespaceSelector": {"matchLabels": {"team": "c"}}},
    ]
    spaces = [namespace("shop"), namespace("one", team="a"), namespace("two", team="b")]
    webs = [workload("Deployment", f"web-{ns}", ns, labels=WEB) for ns in ("shop", "one", "two")]
    graph = build([*spaces, *webs, policy(ingress=[{"from": peers}])], closed=True)
    assert [(e.state, [k.name for k in graph.matches(e)]) for e in selecting(graph)] == [
        (FOUND, ["web-shop"]),
        (FOUND, ["one"]),
        (FOUND, ["web-one"]),
        (FOUND, ["web-shop", "web-one", "web-two"]),
        (FOUND, ["two"]),
        (MISSING, []),
    ]


def test_affinity_terms() -> None:
    def near(**term: Any) -> Object:
        affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        return thing("v1", "Pod", "p", spec={"containers": [], "affinity": affinity})

    web = {"labelSelector": {"matchLabels": WEB}}
    here, there = workload("Deployment", "web"), workload("Deployment", "web", "other")
    assert state(here, near(**web)) == FOUND
    assert state(there, near(**web)) == MISSING
    assert state(there, near(**web, namespaces=["other"])) == FOUND
    assert state(there, namespace("other"), near(**web, namespaceSelector={})) == FOUND
    assert state(there, namespace("other", a="b"), near(**web, namespaceSelector={"matchLabels": {"a": "b"}})) == FOUND
    assert build([near()]).edges[0].kind == "namespace"


def test_monitors() -> None:
    def monitor(**where: Any) -> Object:
        spec = {"selector": {"matchLabels": WEB}, "namespaceSelector": where}
        return thing("monitoring.coreos.com/v1", "ServiceMonitor", "m", "monitoring", spec=spec)

    web = thing("v1", "Service", "web", meta={"labels": WEB}, spec={})
    assert state(web, monitor()) == MISSING
    assert state(web, monitor(matchNames=["shop"])) == FOUND
    assert state(web, monitor(any=True)) == FOUND


@pytest.mark.parametrize(
    ("obj", "found"),
    [
        (workload("Deployment", "web", selector={"matchLabels": WEB}), FOUND),
        (workload("Deployment", "api", selector={"matchLabels": WEB}), MISSING),
        (workload("Rollout", "api", selector={"matchLabels": WEB}), MISSING),
        (workload("Rollout", "web", selector={"matchLabels": {"hash": "x"}}), UNKNOWN),
        (thing("v1", "ReplicationController", "rc", spec={"selector": WEB, "template": template({})}), MISSING),
        (workload("Job", "run", selector={"matchLabels": {"controller-uid": "x"}}), FOUND),
    ],
)
def test_a_workload_and_its_own_pods(obj: Object, found: str) -> None:
    for closed in (False, True):
        assert [e.state for e in build([obj], closed=closed).edges if e.kind == "own-pods"] == [found]


OPERATOR = "operator"


def granted(*rules: Value, kind: str = "RoleBinding", namespace: str = "shop") -> list[Object]:
    """A role with these rules, bound to a service account."""
    rbac = "rbac.authorization.k8s.io/v1"
    subjects = [{"kind": "ServiceAccount", "name": OPERATOR, "namespace": "ops"}]
    ref = {"kind": "ClusterRole", "name": "r"}
    where = namespace if kind == "RoleBinding" else ""
    return [
        thing(rbac, "ClusterRole", "r", "", rules=list(rules)),
        thing(rbac, kind, "b", where, roleRef=ref, subjects=subjects),
    ]


def may(verb: str, resource: str, group: str = "", **more: Any) -> Value:
    return {"apiGroups": [group], "resources": [resource], "verbs": [verb], **more}


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        (granted(may("create", "pods")), UNKNOWN),
        (granted(may("*", "statefulsets", "apps")), UNKNOWN),
        (granted(may("create", "deployments", "*")), UNKNOWN),
        (granted(may("create", "*", "apps"), kind="ClusterRoleBinding"), UNKNOWN),
        (granted(may("create", "deployments", "example.com")), MISSING),
        (granted(may("delete", "pods")), MISSING),
        (granted(may("create", "secrets")), MISSING),
        (granted(may("create", "pods"), namespace="other"), MISSING),
        (granted(may("*", "*", "*"), kind="ClusterRoleBinding"), MISSING),
    ],
)
def test_pods_that_an_operator_may_make(grants: list[Object], expected: str) -> None:
    assert state(*grants, service(app="web")) == expected


def test_objects_that_an_operator_may_make_or_fill() -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}]
    user = thing("v1", "Pod", "p", spec={"containers": [{"name": "c", "env": env}]})
    keys = thing("v1", "Secret", "keys", data={"b": "eA=="})

    def states(*objects: Object) -> list[str]:
        return [e.state for e in build([user, *objects], closed=True).edges if e.kind in ("env", "env-key")]

    assert states() == [MISSING]
    assert states(*granted(may("create", "secrets"))) == [UNKNOWN]
    assert states(keys) == [FOUND, MISSING]
    assert states(keys, *granted(may("update", "secrets"))) == [FOUND, UNKNOWN]
    assert states(keys, *granted(may("update", "secrets", resourceNames=["other"]))) == [FOUND, MISSING]


def test_selectors_in_vain() -> None:
    assert state(service(app="web"), closed=False) == UNKNOWN
    assert state(service(app="web"), externals=("Pod/shop/*",)) == UNKNOWN
    assert state(service(namespace="kube-system", app="dns")) == UNKNOWN
    assert state(service(namespace="kube-system", app="x"), workload("Deployment", "y", "kube-system")) == MISSING
    assert state(service(namespace="", app="web"), workload("Deployment", "web", "shop")) == UNKNOWN
    assert state(service(app="web"), workload("Deployment", "web", "")) == UNKNOWN
    assert state(service(app="web"), workload("Deployment", "web", labels=["app"])) == UNKNOWN
    assert state(service(app="web"), thing("apps/v1", "Deployment", "web", spec={})) == UNKNOWN


def test_claims_of_stateful_sets() -> None:
    db = workload("StatefulSet", "db", replicas=2, volumeClaimTemplates=[{"metadata": {"name": "data"}}])

    def user(claim: str) -> Object:
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
        return thing("v1", "Pod", "p", spec={"containers": [], "volumes": volumes})

    def found(claim: str, closed: bool = False) -> tuple[str, str]:
        (edge,) = [e for e in build([db, user(claim)], closed=closed).edges if e.kind == "claim"]
        return edge.state, edge.note

    assert found("data-db-1") == (FOUND, "made by StatefulSet db")
    assert found("data-db-2") == (MISSING, "StatefulSet db counts from 0 to 1")
    assert found("data-db-x") == (UNKNOWN, "")
    assert found("data-db", closed=True) == (MISSING, "")


def test_a_claim_in_a_file_with_the_name_of_a_made_one() -> None:
    db = workload("StatefulSet", "db", volumeClaimTemplates=[{"metadata": {"name": "data"}}])
    claim = thing("v1", "PersistentVolumeClaim", "data-db-0", spec={})
    graph = build([claim, db])
    (edge,) = graph.referrers(claim.ref.key)
    assert (edge.source, format_path(edge.path), graph.source(edge)) == (
        db.ref.key,
        "spec.volumeClaimTemplates[0]",
        db,
    )


def test_a_claim_template_takes_the_place_of_a_volume() -> None:
    volumes = [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in ("data", "log")]
    spec = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            "template": {"spec": {"containers": [], "volumes": volumes}}}  # fmt: skip
    edges = build([thing("apps/v1", "StatefulSet", "db", spec=spec)]).edges
    assert [format_path(e.path) for e in edges if e.kind == "claim"] == [
        "spec.template.spec.volumes[1].persistentVolumeClaim.claimName"
    ]


@pytest.mark.parametrize(
    ("maker", "target"),
    [
        (thing("cert-manager.io/v1", "Certificate", "c", spec={"secretName": "tls"}), "tls"),
        (thing("bitnami.com/v1alpha1", "SealedSecret", "tls"), "tls"),
        (thing("external-secrets.io/v1", "ExternalSecret", "x", spec={"target": {"name": "tls"}}), "tls"),
    ],
)
def test_secrets_that_others_make(maker: Object, target: str) -> None:
    user = thing(
        "v1", "Pod", "p", spec={"containers": [], "volumes": [{"name": "v", "secret": {"secretName": target}}]}
    )
    (edge,) = [e for e in build([maker, user], closed=True).edges if e.kind == "volume"]
    assert (edge.state, edge.note) == (FOUND, f"made by {maker.ref.kind} {maker.ref.name}")


def test_certificates_for_an_annotated_ingress() -> None:
    def states(**annotations: str) -> list[str]:
        notes = {k.replace("_", "/"): v for k, v in annotations.items()}
        spec = {"tls": [{"secretName": "tls"}]}
        ingress = thing("networking.k8s.io/v1", "Ingress", "i", meta={"annotations": notes}, spec=spec)
        return [e.state for e in build([ingress], closed=True).edges if e.kind == "tls"]

    assert states() == [MISSING]
    assert states(**{"cert-manager.io_cluster-issuer": "le"}) == [FOUND]


def test_a_class_that_only_volumes_name() -> None:
    claim = thing("v1", "PersistentVolumeClaim", "c", spec={"storageClassName": "manual"})
    volume = thing("v1", "PersistentVolume", "v", "", spec={"storageClassName": "manual"})
    assert [e.state for e in build([claim], closed=True).edges if e.kind == "storage-class"] == [MISSING]
    assert [e.state for e in build([claim, volume], closed=True).edges if e.kind == "storage-class"] == [FOUND, FOUND]


def test_referrers_by_selector() -> None:
    web, svc = workload("Deployment", "web", selector={"matchLabels": WEB}), service(app="web")
    graph = build([web, svc])
    assert [(e.source, e.kind) for e in graph.referrers(web.ref.key)] == [
        (web.ref.key, "own-pods"),
        (svc.ref.key, "selector"),
    ]
    assert graph.selected(svc.ref.key) == (web.ref.key,)
    assert graph.selected(web.ref.key) == ()
    assert graph.selected(Key("", "Service", "shop", "nobody")) == ()


def test_a_selection_in_words() -> None:
    def words(**spec: Any) -> str:
        (edge,) = selecting(build([policy(**spec)]))
        return str(edge.target)

    peer = {"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {"matchLabels": WEB}}
    assert words(podSelector={"matchLabels": WEB}) == "Pod with app=web"
    assert words(podSelector={}) == "Pod with everything"
    assert words(ingress=[{"from": [peer]}]) == "Pod with app=web in namespaces with team=a"
    assert words(ingress=[{"from": [peer | {"namespaceSelector": {}}]}]) == "Pod with app=web in any namespace"
