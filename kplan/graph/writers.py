"""Who may make objects at run time: service accounts that RBAC in the input lets write a kind in a namespace.

An operator, an admission webhook's setup Job or a controller makes Secrets, ConfigMaps and pods that stand in no file.
The permission to do so does stand in a file, and is the only trace. A grant of everything says nothing about what will
be made, so it does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.model import Object
from kplan.tuples import NamedTuple
from kplan.workloads import dicts, get

RBAC = "rbac.authorization.k8s.io"
CREATE = frozenset({"create"})
CHANGE = frozenset({"create", "update", "patch"})
# A pod appears when one of these is made.
POD_MAKERS = (
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
)


class Grant(NamedTuple):
    """A rule of a role, and to whom and where (None: everywhere) it is given."""

    subject: str
    namespace: str | None
    groups: tuple[str, ...]
    verbs: frozenset[str]
    names: tuple[str, ...]


class Writers:
    """The grants of the input, by resource."""

    __slots__ = ("_grants",)

    def __init__(self, objects: Iterable[Object]) -> None:
        rbac = [o for o in objects if o.ref.group == RBAC]
        roles = {(o.ref.kind, o.ref.namespace, o.ref.name): o for o in rbac if o.ref.kind in ("Role", "ClusterRole")}
        self._grants: dict[str, list[Grant]] = {}
        for binding in rbac:
            if binding.ref.kind in ("RoleBinding", "ClusterRoleBinding"):
                for resource, grant in _grants(binding, roles):
                    self._grants.setdefault(resource, []).append(grant)

    def of(self, group: str, resource: str, namespace: str, verbs: frozenset[str], name: str = "") -> str:
        """A service account that may do one of `verbs` to such an object there, or ""."""
        for grant in (*self._grants.get(resource, []), *self._grants.get("*", [])):
            if not (group in grant.groups or "*" in grant.groups) or (grant.names and name not in grant.names):
                continue
            if grant.namespace is not None and namespace and grant.namespace not in ("", namespace):
                continue
            if "*" in grant.verbs or grant.verbs & verbs:
                return grant.subject
        return ""

    def of_pods(self, namespace: str) -> str:
        """A service account that may make pods there, directly or by a workload, or ""."""
        makers = (self.of(group, resource, namespace, CREATE) for group, resource in POD_MAKERS)
        return next(filter(None, makers), "")


def _grants(binding: Object, roles: dict[tuple[str, str, str], Object]) -> Iterator[tuple[str, Grant]]:
    subject = next(_subjects(binding), "")
    kind, name = get(binding.value, "roleRef", "kind"), get(binding.value, "roleRef", "name")
    role = roles.get((str(kind), binding.ref.namespace if kind == "Role" else "", str(name)))
    if not subject or role is None:
        return
    namespace = None if binding.ref.kind == "ClusterRoleBinding" else binding.ref.namespace
    for rule in dicts(role.value, "rules"):
        groups, resources = _texts(rule.get("apiGroups")), _texts(rule.get("resources"))
        if not ("*" in groups and "*" in resources):
            verbs, names = frozenset(_texts(rule.get("verbs"))), _texts(rule.get("resourceNames"))
            for resource in resources:
                yield resource, Grant(subject, namespace, groups, verbs, names)


def _subjects(binding: Object) -> Iterator[str]:
    for subject in dicts(binding.value, "subjects"):
        name = subject.get("name")
        if subject.get("kind") == "ServiceAccount" and isinstance(name, str):
            yield name


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
