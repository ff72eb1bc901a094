"""Admission plugins: what they fill in, and the sentence with which they refuse."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.api.request import Refused, Request
from kplan.store import Store

Value = dict[str, Any]
NAMESPACE: Value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}


def made(kind: str, name: str, api: str = "v1", **fields: Any) -> Value:
    meta = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}


def pod(**spec: Any) -> Value:
    containers = spec.pop("containers", [{"name": "c", "image": "i:1"}])
    return made("Pod", "p", metadata={"namespace": "x"}, spec={"containers": containers, **spec})


def answer(obj: Value, *others: Value) -> kplan.model.Admission:  # type: ignore[name-defined]
    return kplan.admit(obj, cluster=kplan.Cluster([NAMESPACE, *others]))


def stored(obj: Value, *others: Value) -> Value:
    got = answer(obj, *others)
    assert got.accepted, got.message
    assert got.object
    return got.object


def limits(**item: Any) -> Value:
    return made("LimitRange", "l", metadata={"namespace": "x"}, spec={"limits": [{"type": "Container", **item}]})


def quota(name: str = "q", scopes: list[str] | None = None, **hard: str) -> Value:
    spec: Value = {"hard": {k.replace("__", "."): v for k, v in hard.items()}}
    if scopes:
        spec["scopes"] = scopes
    return made("ResourceQuota", name, metadata={"namespace": "x"}, spec=spec)


def with_resources(**resources: Any) -> list[Value]:
    return [{"name": "c", "image": "i:1", "resources": resources}]


def limit_range(*items: Value) -> Value:
    return made("LimitRange", "l", metadata={"namespace": "x"}, spec={"limits": list(items)})


def of_secret(name: str) -> Value:
    return {"name": "E", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}


NOT_ALLOWED = (
    'referencing secret.secretName="b" is not allowed because service account s does not reference that secret'
)
LIMITED = made(
    "ServiceAccount",
    "s",
    metadata={"namespace": "x", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
    secrets=[{"name": "a"}],
    imagePullSecrets=[{"name": "pull"}],
)
PRIORITY = "scheduling.k8s.io/v1"
REFUSALS = [
    (pod(serviceAccountName="s"), (), 403, 'error looking up service account x/s: serviceaccount "s" not found'),
    (pod(priorityClassName="gold"), (), 403, "no PriorityClass with name gold was found"),
    (
        pod(priority=5),
        (),
        403,
        "0 from the given PriorityClass name",
    ),
    (
        made("PriorityClass", "b", PRIORITY, value=2, globalDefault=True),
        (made("PriorityClass", "a", PRIORITY, value=1, globalDefault=True),),
        403,
        "PriorityClass a is already marked as default. Only one default can exist",
    ),
    (pod(runtimeClassName="r"), (), 403, 'pod rejected: RuntimeClass "r" not found'),
    (
        pod(containers=with_resources(requests={"memory": "1Gi"}, limits={"memory": "1Gi"})),
        (limits(max={"memory": "512Mi"}),),
        403,
        "maximum memory usage per Container is 512Mi, but limit is 1Gi",
    ),
    (
        pod(containers=with_resources(requests={"cpu": "10m"}, limits={"cpu": "1"})),
        (limits(maxLimitRequestRatio={"cpu": "4"}),),
        403,
        "cpu max limit to request ratio per Container is 4, but provided ratio is 100.000000",
    ),
    (
        pod(),
        (quota(requests__cpu="1", limits__memory="1Gi"),),
        403,
        "failed quota: q: must specify limits.memory for: c; requests.cpu for: c",
    ),
    (
        pod(containers=with_resources(requests={"cpu": "2"})),
        (quota(requests__cpu="1", pods="5"),),
        403,
        "exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1",
    ),
    (
        made("ConfigMap", "b", metadata={"namespace": "x"}),
        (quota(configmaps="1"), made("ConfigMap", "a", metadata={"namespace": "x"})),
        403,
        "exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1",
    ),
    (  # what must be specified comes first, whichever quota is exceeded
        pod(containers=with_resources(requests={"cpu": "2"})),
        (quota("a", requests__cpu="1"), quota("b", limits__cpu="1")),
        403,
        "failed quota: b: must specify limits.cpu for: c",
    ),
    (
        pod(containers=with_resources(limits={"cpu": "3"})),
        (limit_range({"type": "Pod", "max": {"cpu": "1"}}, {"type": "Container", "max": {"cpu": "2"}}),),
        403,
        "[maximum cpu usage per Pod is 1, but limit is 3, maximum cpu usage per Container is 2, but limit is 3]",
    ),
    (
        pod(serviceAccountName="s", volumes=[{"name": "v", "secret": {"secretName": "b"}}]),
        (LIMITED,),
        403,
        'volume with secret.secretName="b" is not allowed because service account s does not reference that secret',
    ),
    (
        pod(serviceAccountName="s", containers=[{"name": "c", "image": "i", "env": [of_secret("b")]}]),
        (LIMITED,),
        403,
        f"container c with envVar E {NOT_ALLOWED}",
    ),
    (
        pod(
            serviceAccountName="s",
            initContainers=[{"name": "i", "image": "i", "envFrom": [{"secretRef": {"name": "b"}}]}],
        ),
        (LIMITED,),
        403,
        f"init container i with envFrom {NOT_ALLOWED}",
    ),
    (
        pod(serviceAccountName="s", imagePullSecrets=[{"name": "b"}]),
        (LIMITED,),
        403,
        'imagePullSecrets[0].name="b" is not allowed because service account s does not reference that imagePullSecret',
    ),
    (made("ConfigMap", "a", metadata={"namespace": "y"}), (), 404, 'namespaces "y" not found'),
]


@pytest.mark.parametrize(("obj", "others", "status", "sentence"), REFUSALS)
def test_refusal(obj: Value, others: tuple[Value, ...], status: int, sentence: str) -> None:
    got = answer(obj, *others)
    assert (got.accepted, got.status) == (False, status)
    assert got.message.endswith(sentence), got.message


def test_terminating_namespace_takes_nothing_new() -> None:
    going = made("Namespace", "x", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    got = kplan.admit(pod(), cluster=kplan.Cluster([going]))
    assert got.status == 403
    assert "because it is being terminated" in got.message


def test_open_world_takes_everything_to_exist() -> None:
    assert kplan.admit(pod(serviceAccountName="s", priorityClassName="gold")).accepted


def test_pod_gets_account_token_tolerations_and_priority() -> None:
    spec = stored(pod())["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert [t["key"] for t in spec["tolerations"]] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3607
    mount = spec["containers"][0]["volumeMounts"][0]
    assert (mount["mountPath"], mount["readOnly"]) == ("/var/run/secrets/kubernetes.io/serviceaccount", True)


@pytest.mark.parametrize(
    ("own", "account", "mounted"), [(False, True, False), (True, False, True), (None, False, False)]
)
def test_the_pod_decides_about_its_token(own: bool | None, account: bool, mounted: bool) -> None:
    sa = made("ServiceAccount", "s", metadata={"namespace": "x"}, automountServiceAccountToken=account)
    spec = {} if own is None else {"automountServiceAccountToken": own}
    assert bool(stored(pod(serviceAccountName="s", **spec), sa)["spec"].get("volumes")) is mounted


def test_default_priority_class_with_the_lowest_value_wins() -> None:
    classes = [made("PriorityClass", n, PRIORITY, value=v, globalDefault=True) for n, v in (("a", 7), ("b", 3))]
    spec = stored(pod(), *classes)["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("b", 3)


def test_limit_range_fills_in_and_says_so() -> None:
    got = stored(pod(), limits(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m"}))
    resources = got["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert resources["requests"]["cpu"] == "500m"
    note = got["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert note.startswith("LimitRanger plugin set: cpu")


def test_newest_default_storage_class_wins() -> None:
    def default_class(name: str, created: str) -> Value:
        notes = {"storageclass.kubernetes.io/is-default-class": "true"}
        meta = {"annotations": notes, "creationTimestamp": created}
        return made("StorageClass", name, "storage.k8s.io/v1", metadata=meta, provisioner="x/y")

    claim = made("PersistentVolumeClaim", "c", metadata={"namespace": "x"})
    claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    classes = [default_class("new", "2026-01-02T00:00:00Z"), default_class("old", "2026-01-01T00:00:00Z")]
    got = stored(claim, *classes)
    assert got["spec"]["storageClassName"] == "new"
    assert got["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_runtime_class_merges_into_the_pod() -> None:
    runtime = made("RuntimeClass", "r", "node.k8s.io/v1", handler="h", overhead={"podFixed": {"cpu": "250m"}})
    runtime["scheduling"] = {"nodeSelector": {"sandbox": "yes"}}
    spec = stored(pod(runtimeClassName="r"), runtime)["spec"]
    assert spec["overhead"] == {"cpu": "250m"}
    assert spec["nodeSelector"] == {"sandbox": "yes"}


def test_new_node_is_not_ready() -> None:
    taints = stored(made("Node", "n"))["spec"]["taints"]
    assert taints == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


def test_quota_scopes() -> None:
    best_effort = quota(scopes=["BestEffort"], pods="0")
    assert answer(pod(), best_effort).status == 403
    assert answer(pod(containers=with_resources(requests={"cpu": "1"})), best_effort).accepted


def test_growth_needs_a_class_that_can_expand() -> None:
    from kplan.api.admission import resize

    def claim(size: str) -> Value:
        spec = {"storageClassName": "s", "resources": {"requests": {"storage": size}}}
        return made("PersistentVolumeClaim", "c", spec=spec, status={"phase": "Bound"})

    stuck = made("StorageClass", "s", "storage.k8s.io/v1", provisioner="x/y")
    request = Request("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "x", "c", "1.36", 36)
    growing = Request(
        **{f: getattr(request, f) for f in request.__slots__} | {"store": Store([stuck]), "old": claim("1Gi")}
    )
    with pytest.raises(Refused, match="must support resize"):
        resize.validate(claim("2Gi"), growing)
    resize.validate(claim("1Gi"), growing)


def test_an_account_that_limits_secrets_allows_its_own() -> None:
    container = {"name": "c", "image": "i", "env": [of_secret("a")]}
    volumes = [{"name": "v", "secret": {"secretName": "a"}}]
    got = stored(pod(serviceAccountName="s", containers=[container], volumes=volumes), LIMITED)
    assert got["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    free = {**LIMITED, "metadata": {**LIMITED["metadata"], "annotations": {}}}
    assert answer(pod(serviceAccountName="s", imagePullSecrets=[{"name": "b"}]), free).accepted
