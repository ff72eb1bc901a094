"""Who owns which fields of an object: metadata.managedFields, and the conflicts between its managers.

Follows KEP-555, k8s.io/apimachinery/pkg/util/managedfields (managedfields.go, stripmeta.go, fieldmanager.go,
conflict.go) and sigs.k8s.io/structured-merge-diff/merge (conflict.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kplan.api.request import Refused
from kplan.api.ssa.paths import EMPTY, Path, Paths, in_order, paths_of, shown, tree
from kplan.api.validation.field import go_quote
from kplan.model import Cause

Value = dict[str, Any]

APPLY, UPDATE = "Apply", "Update"
CONFLICT = "FieldManagerConflict"

# What nobody owns: the identity of the object and what only the server sets.
_STRIPPED: Paths = frozenset(
    [
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in """name namespace creationTimestamp selfLink uid clusterName generation managedFields
            resourceVersion""".split()
        ),
    ]
)


class Manager(NamedTuple):
    """One entry of metadata.managedFields. `time` is "" if it is not known."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""
    fields: Paths = EMPTY
    time: str = ""

    @property
    def key(self) -> str:
        """What tells managers apart, and their order: an applier is the same in every version of the kind."""
        parts = {"manager": self.name, "operation": self.operation}
        if self.operation != APPLY:
            parts["apiVersion"] = self.api_version
        if self.subresource:
            parts["subresource"] = self.subresource
        return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)

    @property
    def shown(self) -> str:
        """The manager as messages of conflicts name it."""
        text = go_quote(self.name)
        if self.subresource:
            text += f" with subresource {go_quote(self.subresource)}"
        return text if self.operation == APPLY else f"{text} using {self.api_version}"

    def owning(self, fields: Iterable[Path]) -> Manager:
        """The same manager with these fields, without those that nobody owns."""
        return self._replace(fields=frozenset(fields) - _STRIPPED)


Managers = Mapping[str, Manager]


def read(obj: Value) -> dict[str, Manager]:
    """The managers of an object by their keys. What is not of the form of an entry is left out."""
    entries = obj["metadata"].get("managedFields")
    found: dict[str, Manager] = {}
    for entry in entries if isinstance(entries, list) else ():
        manager = _of_entry(entry) if isinstance(entry, dict) else None
        if manager is not None and manager.fields:
            found[manager.key] = manager
    return found


def _of_entry(entry: Value) -> Manager | None:
    names = ("manager", "operation", "apiVersion", "subresource", "time")
    name, operation, version, subresource, time = (entry.get(n) or "" for n in names)
    texts = (name, operation, version, subresource, time)
    if not all(isinstance(t, str) for t in texts) or operation not in (APPLY, UPDATE):
        return None
    return Manager(name, operation, version, subresource, paths_of(entry.get("fieldsV1")), time)


def written(managers: Managers) -> list[Value]:
    """The managers as metadata.managedFields holds them: appliers first, then by time and name."""

    def order(m: Manager) -> tuple[str, ...]:
        return m.operation, m.time, m.name, m.api_version, m.subresource

    return [_entry(m) for m in sorted(managers.values(), key=order)]


def _entry(manager: Manager) -> Value:
    entry: Value = {"manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version}
    if manager.time:
        entry["time"] = manager.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": tree(manager.fields)}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def with_managers(obj: Value, managers: Managers) -> Value:
    """The object with these managers in its metadata."""
    meta = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    if managers:
        meta["managedFields"] = written(managers)
    return {**obj, "metadata": meta}


def others_lose(managers: Managers, me: str, fields: Paths) -> dict[str, Manager]:
    """The managers after `me` has changed or removed these fields: nobody else owns them any more."""
    left = {key: m if key == me else m._replace(fields=m.fields - fields) for key, m in managers.items()}
    return {key: m for key, m in left.items() if m.fields}


def conflicts(managers: Managers, me: Manager, changed: Paths) -> dict[str, Paths]:
    """By the key of each other manager, which of its fields are among those that `me` changes.

    What a manager of the same name wrote by other calls is no conflict here; a server wants force for that too.
    """
    found = {key: m.fields & changed for key, m in managers.items() if m.name != me.name}
    return {key: found[key] for key in sorted(found) if found[key]}


def conflict(managers: Managers, found: Mapping[str, Paths]) -> Refused:
    """The 409 of an apply that would take these fields from other managers."""
    each = [(managers[key].shown, path) for key, paths in found.items() for path in in_order(paths)]
    causes = tuple(Cause(shown(path), CONFLICT, f"conflict with {who}") for who, path in each)
    if len(each) == 1:
        who, path = each[0]
        return Refused(409, f"Apply failed with 1 conflict: conflict with {who}: {shown(path)}", causes)
    lines = []
    for key, paths in found.items():
        lines.append(f"conflicts with {managers[key].shown}:")
        lines += [f"- {shown(path)}" for path in in_order(paths)]
    return Refused(409, f"Apply failed with {len(each)} conflicts: " + "\n".join(lines), causes)
