"""Which objects are alike: what the schemas, the API server and kplan's own rules say about one holds for the other.

Manifests repeat each other. Two objects are alike when their documents have one layout and the same values, save in the
places of the table below, where a value only has to have a form (a short name, a port, an image with a tag) and to be
equal to the same other values of its object. Nothing in kplan looks further at such a value: it is checked for its
form, compared with others of the object, or not looked at. So an object need not be judged that is like one of which
nothing is to be said. A value that has not the form counts as it is.

Rules that look at other objects, and rules of users, are not meant: they run on every object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from operator import call

from kplan.hints import Any, Final
from kplan.lint import likeforms as form
from kplan.lint.likeforms import Form
from kplan.model import Object
from kplan.schema import Catalog
from kplan.schema.node import Node
from kplan.tuples import NamedTuple
from kplan.yamlio.layout import Slot, getter

# The places: field of a definition -> the form of its value.
_PLACES: Final[Mapping[str, Mapping[str, Form]]] = {
    "meta.v1.ObjectMeta": {"name": form.NAME, "namespace": form.NAME},
    "core.v1.Container": {"name": form.NAME, "image": form.IMAGE},
    "core.v1.PodSpec": {"serviceAccountName": form.NAME},
    "core.v1.HTTPGetAction": {"path": form.ROUTE, "port": form.PORT},
    "core.v1.TCPSocketAction": {"port": form.PORT},
    "core.v1.GRPCAction": {"port": form.PORT},
    "core.v1.Probe": dict.fromkeys(
        ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"), form.SECONDS
    ),
    "core.v1.EnvVar": {"name": form.VARIABLE},
    "core.v1.ConfigMapKeySelector": {"name": form.NAME, "key": form.KEY},
    "core.v1.SecretKeySelector": {"name": form.NAME, "key": form.KEY},
    "core.v1.ConfigMapEnvSource": {"name": form.NAME},
    "core.v1.SecretEnvSource": {"name": form.NAME},
    "core.v1.LocalObjectReference": {"name": form.NAME},
    "core.v1.Volume": {"name": form.NAME},
    "core.v1.VolumeMount": {"name": form.NAME, "mountPath": form.ROUTE},
    "core.v1.ConfigMapVolumeSource": {"name": form.NAME},
    "core.v1.SecretVolumeSource": {"secretName": form.NAME},
    "core.v1.PersistentVolumeClaimVolumeSource": {"claimName": form.NAME},
    "core.v1.ContainerPort": {"name": form.PORT_NAME, "containerPort": form.PORT},
    "core.v1.SecurityContext": {"runAsUser": form.USER, "runAsGroup": form.USER},
    "core.v1.PodSecurityContext": {"runAsUser": form.USER, "runAsGroup": form.USER, "fsGroup": form.USER},
    "core.v1.ServicePort": {"name": form.PORT_NAME, "port": form.PORT, "targetPort": form.PORT},
    "apps.v1.DeploymentSpec": {"replicas": form.COUNT, "revisionHistoryLimit": form.COUNT},
    "apps.v1.StatefulSetSpec": {
        "replicas": form.COUNT,
        "revisionHistoryLimit": form.COUNT,
        "serviceName": form.NAME,
    },
    "autoscaling.v2.CrossVersionObjectReference": {"name": form.NAME},
    "autoscaling.v2.MetricTarget": {"averageUtilization": form.SECONDS},
    "networking.v1.IngressRule": {"host": form.HOST},
    "networking.v1.IngressTLS": {"secretName": form.NAME},
    "networking.v1.HTTPIngressPath": {"path": form.ROUTE},
    "networking.v1.IngressServiceBackend": {"name": form.NAME},
    "networking.v1.ServiceBackendPort": {"name": form.PORT_NAME, "number": form.PORT},
    "networking.v1.NetworkPolicyPort": {"port": form.PORT},
    "rbac.v1.RoleRef": {"name": form.NAME},
    "rbac.v1.Subject": {"name": form.NAME, "namespace": form.NAME},
}
# The same for the items of lists and the values of maps. Those of labels that Kubernetes reads count as they are.
_MEMBERS: Final[Mapping[str, Mapping[str, Form]]] = {
    "meta.v1.ObjectMeta": {"labels": form.LABEL, "annotations": form.ANNOTATION},
    "meta.v1.LabelSelector": {"matchLabels": form.LABEL},
    "core.v1.ServiceSpec": {"selector": form.LABEL},
    "core.v1.ConfigMap": {"data": form.DATA},
    "core.v1.Container": {"args": form.TEXT, "command": form.TEXT},
    "core.v1.ExecAction": {"command": form.TEXT},
    "networking.v1.IngressTLS": {"hosts": form.HOST},
}
# Fields that stand in a relation to others which no form tells: nothing is like an object that has one.
_RELATED: Final[Mapping[str, str]] = {"core.v1.PodSpec": "resources", "networking.v1.NetworkPolicyPort": "endPort"}

Get = Callable[[Sequence[Any]], tuple[Any, ...]]


class _OddError(Exception):
    """The object has something that is not compared: a field without a schema, a map where a text should be."""


class _Amounts(NamedTuple):
    """The requests and limits of a container: the names of the resources, how many are requests, the amounts."""

    names: tuple[str, ...]
    requests: int
    get: Get


class _Plan:
    """How to make the marks of the objects of one layout and kind. Raises _OddError if they are not compared."""

    def __init__(self, tree: Any, node: Node) -> None:
        self._plain: list[int] = []
        self._formed: list[tuple[int, Form]] = []
        self._flows: list[int] = []
        self._amounts: list[_Amounts] = []
        self._secrets: list[tuple[int, int]] = []  # the place of a name among the compared, and the slot of a value
        self._add(tree, node)
        compared = [pair for pair in self._formed if pair[1].compared]
        others = [pair for pair in self._formed if not pair[1].compared]
        self._get_plain = getter(self._plain)
        self._get_compared, self._tests = getter([at for at, _ in compared]), [f.has for _, f in compared]
        self._get_others, self._other_tests = getter([at for at, _ in others]), [f.has for _, f in others]
        places = {at: i for i, (at, _) in enumerate(compared)}
        self._secrets = [(places[name], value) for name, value in self._secrets]

    def mark(self, slots: Sequence[Any]) -> tuple[Hashable, ...]:
        """What counts of an object, given the values in the slots of its layout."""
        plain, compared, others = self._get_plain(slots), self._get_compared(slots), self._get_others(slots)
        has, others_have = tuple(map(call, self._tests, compared)), tuple(map(call, self._other_tests, others))
        first: dict[Any, int] = {}
        pattern = tuple(map(first.setdefault, compared, range(len(compared))))
        counting: list[Any] = []
        if False in has:
            counting += [v for v, fits in zip(compared, has, strict=True) if not fits]
            counting += [slots[value] for name, value in self._secrets if not has[name]]
        if False in others_have:
            counting += [v for v, fits in zip(others, others_have, strict=True) if not fits]
        for names, requests, get in self._amounts:
            amounts = get(slots)
            if not form.WITHIN[names, requests, amounts]:
                counting.append(amounts)
        # A value may stand in other places as well, where it counts: so it does here.
        if not first.keys().isdisjoint(plain) or self._flows:
            inside = {*plain, *(v for at in self._flows for v in _scalars(slots[at]))}
            counting += [(i, v) for v, i in first.items() if v in inside]
        types = tuple(map(type, plain + compared + others)), tuple(map(type, counting))
        return plain, has, others_have, pattern, tuple(counting), types

    def _add(self, tree: Any, node: Node, formed: Form | None = None) -> None:
        """Take in a part of the tree that has no form of its own."""
        if isinstance(tree, Slot):
            self._add_slot(tree, formed)
        elif isinstance(tree, list):
            if node.type != "array" or node.items is None:
                raise _OddError
            for part in tree:
                self._add(part, node.items)
        elif node.values is not None:
            for part in tree.values():
                self._add(part, node.values)
        else:
            self._add_struct(tree, node)

    def _add_slot(self, slot: Slot, formed: Form | None) -> None:
        if slot.flow >= 0:  # a map or list, whatever the schema wants: its text counts
            self._plain.append(slot.flow)
            self._flows.append(slot.at)
        elif formed is not None:
            self._formed.append((slot.at, formed))
        else:
            self._plain.append(slot.at)

    def _add_struct(self, tree: dict[str, Any], node: Node) -> None:
        places, members = _PLACES.get(node.name, {}), _MEMBERS.get(node.name, {})
        for name, part in tree.items():
            field = (node.fields or {}).get(name)
            if field is None or _RELATED.get(node.name) == name:
                raise _OddError
            if name in members and not isinstance(part, Slot):
                self._add_members(part, field, members[name])
            elif node.name == "core.v1.Container" and name == "resources" and isinstance(part, dict):
                self._add_amounts(part)
            elif node.name == "core.v1.EnvVar" and name == "value" and isinstance(tree.get("name"), Slot):
                self._add_variable(tree["name"], part)
            else:
                self._add(part, field, places.get(name))

    def _add_variable(self, name: Slot, value: Any) -> None:
        """The value of a variable, which counts if that is one whose name has not the form."""
        if not isinstance(value, Slot) or name.flow >= 0 or value.flow >= 0:
            raise _OddError
        self._secrets.append((name.at, value.at))
        self._formed.append((value.at, form.TEXT))

    def _add_members(self, tree: Any, node: Node, formed: Form) -> None:
        inside = node.values if isinstance(tree, dict) else node.items
        if inside is None or len(tree) > form.MOST_TEXTS:
            raise _OddError
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            if isinstance(key, str) and form.names_container(key):
                raise _OddError
            counts = isinstance(key, str) and form.is_own_key(key)
            self._add(part, inside, None if counts else formed)

    def _add_amounts(self, tree: dict[str, Any]) -> None:
        sides = [tree.get(side, {}) for side in ("requests", "limits")]
        if not tree.keys() <= {"requests", "limits"} or not all(isinstance(side, dict) for side in sides):
            raise _OddError
        slots = [slot for side in sides for slot in side.values()]
        if not all(isinstance(slot, Slot) and slot.flow < 0 for slot in slots):
            raise _OddError
        names = tuple(name for side in sides for name in side)
        self._amounts.append(_Amounts(names, len(sides[0]), getter([slot.at for slot in slots])))


class Likeness:
    """Marks of objects of one catalog: objects with equal marks are alike."""

    def __init__(self, kinds: Catalog) -> None:
        self._kinds = kinds
        self._plans: dict[tuple[int, str, str, str], _Plan | None] = {}

    def mark(self, obj: Object) -> Hashable | None:
        """The mark of an object of a built-in kind; None for one that is not compared with others."""
        if obj.document is None or obj.document.layout is None or obj.document.duplicates:
            return None
        layout, slots = obj.document.layout
        key = (id(layout), *obj.ref[:3])
        if key not in self._plans:
            self._plans[key] = self._plan(layout.tree, obj)
        plan = self._plans[key]
        return (key, *plan.mark(slots)) if plan is not None else None

    def _plan(self, tree: Any, obj: Object) -> _Plan | None:
        info = self._kinds.kind(obj.ref.api_version, obj.ref.kind)
        if info is None or info.custom or not isinstance(tree, dict):
            return None
        try:
            return _Plan(tree, info.node)
        except _OddError:
            return None


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _scalars(part)
    else:
        yield value
