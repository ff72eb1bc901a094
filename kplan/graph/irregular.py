"""Edges that no table can say: to the namespace and the definition of an object, between a workload and its own pods,
to what is made from it, and permissions between namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kplan.graph.edge import FOUND, MISSING, UNKNOWN, Edge, Selection
from kplan.graph.rules import table
from kplan.graph.selectors import conditions, of_map
from kplan.graph.world import CRD, Resolution, World
from kplan.hints import Any
from kplan.model import Key, Object, Path, split_api_version
from kplan.workloads import dicts, get

GATEWAY = "gateway.networking.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
_SERVICE_ACCOUNT_USER = "system:serviceaccount:"
Edges = Iterator[Edge]


def edges_of(obj: Object, identity: Key, world: World, *, with_namespace: bool = True) -> Edges:
    """The irregular edges of an object; perhaps without that to its namespace, which every object has."""
    name = obj.ref.namespace
    if with_namespace and name and world.is_cluster_scoped(obj.ref.group, obj.ref.kind) is not True:
        found = world.resolve("", "Namespace", "", name)
        path = ("metadata", "namespace")
        yield Edge(obj.ref.key, path, "namespace", found.key, found.state, note=found.note)
    yield from _definition(obj, identity, world)
    special = _SPECIAL.get((identity.group, identity.kind))
    if special is not None:
        yield from special(obj, world)


def is_usual(identity: Key, world: World) -> bool:
    """Whether objects of this identity's kind have no irregular edges but that to the namespace and `own-pods`."""
    kind = identity[:2]
    if kind in world.crds or table().needs_definition(*kind):
        return False
    return _SPECIAL.get(kind, _own_pods) is _own_pods


def has_own_pods(identity: Key) -> bool:
    """Whether objects of this identity's kind select the pods that they make."""
    return _SPECIAL.get(identity[:2]) is _own_pods


def _edge(obj: Object, path: Path, kind: str, found: Resolution) -> Edge:
    return Edge(obj.ref.key, path, kind, found.key, found.state, note=found.note)


def _definition(obj: Object, identity: Key, world: World) -> Edges:
    """A custom resource needs its definition, and one that serves the version."""
    group, kind = identity[:2]
    crd = world.crds.get((group, kind))
    if crd is None:
        if not table().needs_definition(group, kind) or world.is_aggregated(group):
            return
        found = world.resolve(*CRD, "", f"{world.plural(group, kind)}.{group}")
        yield _edge(obj, ("kind",), "definition", found)
        return
    found = world.resolve(*CRD, "", crd.ref.name)
    edge = _edge(obj, ("kind",), "definition", found)
    yield edge
    state = world.part_state(found, obj.ref.version)
    if state == MISSING:
        note = f"it serves no version {obj.ref.version}"
        yield edge._replace(path=("apiVersion",), kind="definition-key", state=state, key=obj.ref.version, note=note)


def _own_pods(obj: Object, world: World) -> Edges:
    """A workload selects the pods that it makes; else the API server refuses it."""
    selector = obj.part("spec", "selector")
    wanted = of_map(selector) if obj.ref.kind == "ReplicationController" else conditions(selector)
    made = world.pods(obj)
    if not wanted or made is None:
        return
    holds = made.satisfy_all(wanted)
    state = {True: FOUND, False: MISSING, None: UNKNOWN}[holds]
    note = "" if holds else "the pods of its own template carry other labels"
    asked = Selection("", "Pod", wanted, (obj.ref.namespace,))
    yield Edge(obj.ref.key, ("spec", "selector"), "own-pods", asked, state, note=note, order=False)


def _claim(obj: Object, world: World) -> Edges:
    """A claim that stands in a file but bears the name of one that a StatefulSet makes."""
    series = world.made.series(obj.ref.key)
    if series is not None:
        yield Edge(
            series.maker, series.path, "claim-template", obj.ref.key, FOUND, order=False, position=series.position
        )


def _parameters(obj: Object, world: World) -> Edges:
    """The parameters of an admission policy: the binding names the object, the policy its kind."""
    policy_kind = obj.ref.kind.removesuffix("Binding")
    policy_name, name = get(obj.value, "spec", "policyName"), get(obj.value, "spec", "paramRef", "name")
    if not isinstance(policy_name, str) or not isinstance(name, str):
        return
    namespace = get(obj.value, "spec", "paramRef", "namespace")
    for policy in world.resolve(ADMISSION, policy_kind, "", policy_name).objects:
        version, kind = (get(policy.value, "spec", "paramKind", field) for field in ("apiVersion", "kind"))
        if isinstance(kind, str) and isinstance(version, str):
            found = world.resolve(split_api_version(version)[0], kind, str(namespace or ""), name)
            yield _edge(obj, ("spec", "paramRef", "name"), "parameters", found)


def _user_subjects(obj: Object, world: World) -> Edges:
    """Service accounts that a binding names by their user names."""
    subjects = get(obj.value, "subjects")
    for i, subject in enumerate(subjects if isinstance(subjects, list) else ()):
        user = get(subject, "name") if get(subject, "kind") == "User" else None
        if isinstance(user, str) and user.startswith(_SERVICE_ACCOUNT_USER):
            namespace, _, name = user.removeprefix(_SERVICE_ACCOUNT_USER).partition(":")
            found = world.resolve("", "ServiceAccount", namespace, name)
            yield _edge(obj, ("subjects", i, "name"), "subject", found)


def grant(edge: Edge, path: Path, world: World) -> Edge:
    """The permission that the target's namespace has to give to a reference from another one."""
    assert isinstance(edge.target, Key)
    for permit in world.of_kind(GATEWAY, "ReferenceGrant", edge.target.namespace):
        if _permits(permit.value, edge.source, edge.target):
            return edge._replace(path=path, kind="reference-grant", target=permit.ref.key, state=FOUND, note="")
    state, note = world.doubt((GATEWAY, "ReferenceGrant"), (edge.target.namespace,))
    wanted = Key(GATEWAY, "ReferenceGrant", edge.target.namespace, "*")
    said = note or f"no ReferenceGrant there lets {edge.source.kind} of {edge.source.namespace or 'this namespace'} in"
    return edge._replace(path=path, kind="reference-grant", target=wanted, state=state, note=said)


def _permits(permit: Mapping[str, Any], source: Key, target: Key) -> bool:
    from_ = [(s.get("group", ""), s.get("kind"), s.get("namespace")) for s in dicts(permit, "spec", "from")]
    to = [(t.get("group", ""), t.get("kind"), t.get("name") or target.name) for t in dicts(permit, "spec", "to")]
    return (source.group, source.kind, source.namespace) in from_ and (target.group, target.kind, target.name) in to


_SPECIAL: Mapping[tuple[str, str], Callable[[Object, World], Edges]] = {
    ("apps", "Deployment"): _own_pods,
    ("apps", "ReplicaSet"): _own_pods,
    ("apps", "StatefulSet"): _own_pods,
    ("apps", "DaemonSet"): _own_pods,
    ("batch", "Job"): _own_pods,
    ("", "ReplicationController"): _own_pods,
    ("argoproj.io", "Rollout"): _own_pods,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _claim,
    (ADMISSION, "ValidatingAdmissionPolicyBinding"): _parameters,
    (ADMISSION, "MutatingAdmissionPolicyBinding"): _parameters,
    ("rbac.authorization.k8s.io", "RoleBinding"): _user_subjects,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _user_subjects,
}
