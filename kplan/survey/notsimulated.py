"""What the objects of a cluster would lead to in a real one, and do not here: one sentence each, where it matters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from kplan.cluster import Cluster
from kplan.controllers import claimusers, pods
from kplan.scheduler.fields import size
from kplan.store import Store, ref_of
from kplan.survey.owners import KINDS, of_builtin
from kplan.workloads import get

Value = dict[str, Any]

_SHOWN = 5
_ONE_NODE = frozenset(("ReadWriteOnce", "ReadWriteOncePod"))
# Kinds of volumes that are attached to a node before they are mounted there.
_ATTACHED = (
    *("csi", "awsElasticBlockStore", "azureDisk", "cinder", "fc", "gcePersistentDisk", "iscsi", "portworxVolume"),
    *("rbd", "vsphereVolume"),
)


def notes(cluster: Cluster, acting: frozenset[str]) -> Iterator[str]:
    """Sentences about a cluster at rest; `acting` are the kinds whose controllers are simulated."""
    yield from _controllers(cluster.store, acting)
    for find in (_runs, _webhooks, _requests, _heartbeats, _resizing, _attaching):
        said = find(cluster.store)
        if said:
            yield f"not simulated: {said}"
    names = _operated(cluster)
    if names:
        yield f"not simulated: what operators make of {names}"


def _controllers(store: Store, acting: frozenset[str]) -> Iterator[str]:
    for kind in (*KINDS[:-1], "HorizontalPodAutoscaler", "PodDisruptionBudget", "VolumeAttachment"):
        if kind not in acting and next(store.all(kind), None) is not None:
            yield f"not simulated: the controller of {kind}s"


def _runs(store: Store) -> str:
    later = [_name(o) for o in of_builtin("CronJob", store)]
    return f"the runs of CronJobs ({', '.join(later)}), whose time has not come" if later else ""


def _webhooks(store: Store) -> str:
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    called = [o["metadata"]["name"] for kind in kinds for o in store.all(kind) if o.get("webhooks")]
    return f"the calls of admission webhooks ({_some(called)}), which may change or refuse objects" if called else ""


def _requests(store: Store) -> str:
    asked = [o["metadata"]["name"] for o in store.all("CertificateSigningRequest")]
    return f"the approval of CertificateSigningRequests ({_some(asked)})" if asked else ""


def _heartbeats(store: Store) -> str:
    """Nodes stay as their conditions say: no kubelet comes back, and none falls silent."""
    silent = [
        n["metadata"]["name"]
        for n in store.all("Node")
        if (ready := pods.condition(n, "Ready")) is not None and ready.get("status") != "True"
    ]
    return f"the heartbeats of nodes; {_some(silent)} stay{'s' * (len(silent) == 1)} not ready" if silent else ""


def _resizing(store: Store) -> str:
    """Claims that ask for more than they have: a CSI driver would enlarge their volumes, a kubelet the file systems."""
    small = []
    for claim in store.all("PersistentVolumeClaim"):
        asked, has = (claim, "spec", "resources", "requests", "storage"), (claim, "status", "capacity", "storage")
        if size(*asked) > size(*has) > 0:
            small.append(f"{_name(claim)} asks for {get(*asked)} and has {get(*has)}")
    return f"the resizing of volumes; {_some(small)}" if small else ""


def _attaching(store: Store) -> str:
    """Volumes that pods on several nodes use, though they can be attached to one: the pods after the first would wait.

    kubernetes.io/docs/concepts/storage/persistent-volumes (Access Modes); the scheduler does not look at it.
    """
    nodes: dict[str, set[str]] = defaultdict(set)
    for pod in of_builtin("Pod", store):
        node = get(pod, "spec", "nodeName")
        if node and not pods.has_ended(pod):
            for key in claimusers.keys(pod):
                claim = store.get(key)
                if claim is not None and _is_of_one_node(claim, store):
                    nodes[f"{_name(claim)} (ReadWriteOnce)"].add(node)
    shared = [f"{name} has pods on {len(on)} nodes" for name, on in nodes.items() if len(on) > 1]
    return f"the attaching of volumes; {_some(shared)}, and most drivers allow one" if shared else ""


def _is_of_one_node(claim: Value, store: Store) -> bool:
    volume = store.find("PersistentVolume", str(get(claim, "spec", "volumeName") or ""))
    spec = volume.get("spec") if volume is not None else None
    if not isinstance(spec, dict) or not _ONE_NODE.issuperset(spec.get("accessModes") or ()):
        return False
    driver = store.find("CSIDriver", str(get(spec, "csi", "driver") or ""))
    return any(kind in spec for kind in _ATTACHED) and get(driver, "spec", "attachRequired") is not False


def _operated(cluster: Cluster) -> str:
    """The custom resources, counted by kind."""
    from kplan.api.customresources import catalog_of

    catalog = catalog_of(cluster.version, cluster.store)
    custom: dict[tuple[str, str], bool] = {}
    counts: Counter[str] = Counter()
    for o in cluster.store.all():
        version, name = str(o.get("apiVersion")), str(o.get("kind"))
        if (version, name) not in custom:
            info = catalog.kind(version, name)
            custom[version, name] = info is None or info.custom
        counts[name] += custom[version, name]
    return ", ".join(f"{kind} ({n})" for kind, n in counts.items() if n)


def _name(obj: Value) -> str:
    ref = ref_of(obj)
    return f"{ref.namespace}/{ref.name}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
