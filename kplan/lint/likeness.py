"""Which objects are alike: what the schemas, the API server and kplan's own rules say about one holds for the other.

Manifests repeat each other. Two objects are alike when their documents have one layout and the same values, save in the
places of the table below, where a value only has to have a form (a short name, a port, an image with a tag) and to be
equal to the same other values of its object. Nothing in kplan looks further at such a value: it is checked for its
form, compared with others of the object, or not looked at. So an object need not be judged that is like one of which
nothing is to be said. A value that has not the form counts as it is.

Rules that look at other objects, and rules of users, are not meant: they run on every object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from kplan.batches import Batch
from kplan.hints import Any, Final
from kplan.lint import likeforms as form
from kplan.lint.likeforms import Form
from kplan.model import Object
from kplan.schema import Catalog
from kplan.schema.node import Node
from kplan.tuples import NamedTuple
from kplan.yamlio.layout import Slot

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

_EQUAL_TO_OTHERS: Final = frozenset((bool, float))
Column = Sequence[Any]  # of a batch: the values in one slot


class _OddError(Exception):
    """The object has something that is not compared: a field without a schema, a map where a text should be."""


class _Amounts(NamedTuple):
    """The requests and limits of a container: the names of the resources, how many are requests, the slots."""

    names: tuple[str, ...]
    requests: int
    slots: list[int]


class _Plan:
    """How to make the marks of the objects of one layout and kind. Raises _OddError if they are not compared."""

    def __init__(self, tree: Any, node: Node) -> None:
        self._plain: list[int] = []
        self._formed: list[tuple[int, Form]] = []
        self._flows: list[tuple[int, int]] = []  # the slots of a text and of what it says
        self._amounts: list[_Amounts] = []
        self._secrets: list[tuple[int, int]] = []  # the slots of a name and of a value
        self._add(tree, node)

    def marks(self, rows: Sequence[Column]) -> list[Hashable]:
        """What counts of each object of a batch, given the values in its slots: what is the same in all does not."""
        columns = [_typed(column) for column in zip(*rows, strict=True)]
        constants, counting = _split(columns[at] for at in self._plain)
        inside = constants.union(*counting, *(_inside(columns[text], columns[at]) for text, at in self._flows))
        for has in dict.fromkeys(f.has for _, f in self._formed):
            _, varying = _split(columns[at] for at, f in self._formed if f.has is has)
            counting += [_unfit(column, has) for column in varying]
        for name, value in self._secrets:
            hidden = map(form.VARIABLE.has, columns[name])
            counting.append(tuple(None if plain else v for plain, v in zip(hidden, columns[value], strict=True)))
        for names, requests, slots in self._amounts:
            _, varying = _split([tuple(zip(*(columns[at] for at in slots), strict=True))])
            counting += [tuple(form.WITHIN[names, requests, a] or a for a in amounts) for amounts in varying]
        constants, compared = _split(columns[at] for at, f in self._formed if f.compared)
        # A value may stand in other places as well, where it counts: so it does here.
        counting += [tuple(v if v in inside else None for v in c) for c in compared if not inside.isdisjoint(c)]
        if compared:
            counting.append(_patterns(compared, constants))
        _, varying = _split(counting)
        return [*zip(*varying, strict=True)] if varying else [()] * len(rows)

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
            self._flows.append((slot.flow, slot.at))
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
        self._amounts.append(_Amounts(names, len(sides[0]), [slot.at for slot in slots]))


class Likeness:
    """Finds out which objects of one catalog are alike."""

    def __init__(self, kinds: Catalog) -> None:
        self._kinds = kinds

    def marks(self, objects: Sequence[Object], laid_out: Iterable[Batch]) -> list[int | None]:
        """A number for each object, the same for those that are alike; None for one that is compared with no other.

        `laid_out` are the batches of the objects.
        """
        marks: list[int | None] = [None] * len(objects)
        made = 0
        for batch in laid_out:
            plan = self._plan(batch) if len(batch.rows) > 1 else None
            if plan is not None:
                known: dict[Hashable, int] = {}
                for position, mark in zip(batch.positions, plan.marks(batch.rows), strict=True):
                    marks[position] = known.setdefault(mark, made + len(known))
                made += len(known)
        return marks

    def _plan(self, batch: Batch) -> _Plan | None:
        ref, tree = batch.objects[0].ref, batch.layout.tree
        info = self._kinds.kind(ref.api_version, ref.kind)
        if info is None or info.custom or not isinstance(tree, dict):
            return None
        try:
            return _Plan(tree, info.node)
        except _OddError:
            return None


def _typed(column: Column) -> Column:
    """The column with values that are equal only if they are the same: to Python, 1 is also True and 1.0."""
    if _is_constant(column) and type(column[0]) is str:
        return column
    if _EQUAL_TO_OTHERS.isdisjoint(map(type, column)):
        return column
    return tuple((type(v), v) if type(v) in _EQUAL_TO_OTHERS else v for v in column)


def _is_constant(column: Column) -> bool:
    return column.count(column[0]) == len(column)


def _split(columns: Iterable[Column]) -> tuple[set[Any], list[Column]]:
    """The values of those columns that have only one, and the others, each once."""
    constants: set[Any] = set()
    varying: dict[Column, None] = {}
    for column in columns:
        if _is_constant(column):
            constants.add(column[0])
        else:
            varying[column] = None
    return constants, list(varying)


def _unfit(column: Column, has: Callable[[Any], bool]) -> Column:
    """The column with nothing but the type in the place of each value that has a form."""
    counts = {v: type(v) if has(v) else v for v in set(column)}
    return tuple(map(counts.__getitem__, column))


def _patterns(columns: Sequence[Column], constants: Iterable[Any]) -> Column:
    """Which values of an object are equal to each other or to what all objects have, for each object."""
    values = set().union(*columns)
    shared = {v: i for i, v in enumerate(constants) if v in values}
    found = []
    for row in zip(*columns, strict=True):
        first: dict[Any, int] = shared.copy()
        found.append(tuple(map(first.setdefault, row, range(-len(row), 0))))
    return tuple(found)


def _inside(texts: Column, said: Column) -> set[Any]:
    """The scalars in the flow collections of a column."""
    return {v for value in dict(zip(texts, said, strict=True)).values() for v in _scalars(value)}


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _scalars(part)
    else:
        yield value
