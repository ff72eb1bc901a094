"""What the plan knows of a kind: its schema, how the items of its lists are told apart, which lists are sets.

The facts are schemas/facts/listkeys.json and noise.json; list-map keys come from the schema of the kind, built-in or of
a CustomResourceDefinition of the input (x-kubernetes-list-map-keys, x-kubernetes-list-type).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from kplan.hints import Any
from kplan.model import Ref
from kplan.plan.diff import Fields, ListRule
from kplan.plan.patterns import matches, parse
from kplan.record import field, record
from kplan.schema.catalog import Catalog, catalog
from kplan.schema.definitions import read
from kplan.schema.node import Node
from kplan.workloads import POD_PATHS

Value = dict[str, Any]

# The one key of a list that is filled in by default (KEP-2732).
_PROTOCOL = "protocol=TCP"


@record
class Kind:
    """One kind of one group/version. `node` is its schema, None if nobody knows it."""

    group: str
    name: str
    node: Node | None
    custom: bool
    _rules: dict[Fields, ListRule] = field(default_factory=dict, compare=False, repr=False)

    def list_rule(self, fields: Fields) -> ListRule:
        """How the items of the list at this place are told apart, and whether their order means nothing."""
        rule = self._rules.get(fields)
        if rule is None:
            rule = self._rules[fields] = ListRule(tuple(self._keys(fields)), self._is_set(fields))
        return rule

    def at(self, fields: Fields) -> Node | None:
        """The schema of a place; None where there is none."""
        node = self.node
        for name in fields:
            if node is None:
                return None
            if node.type == "array" and node.items is not None:
                node = node.items
            else:
                node = (node.fields or {}).get(name) or node.values
        return node

    def in_pod_template(self, fields: Fields) -> bool:
        """Whether a change here makes new pods: then even the order of a set means something."""
        path = POD_PATHS.get(self.name)
        return path is not None and fields[: len(path)] == path

    def _keys(self, fields: Fields) -> Iterable[tuple[str, ...]]:
        node = self.at(fields)
        if node is not None and node.list_keys:
            yield tuple(_PROTOCOL if key == "protocol" else key for key in node.list_keys)
        if node is not None and node.patch_key:
            yield (node.patch_key,)
        facts = read("facts/listkeys")
        name = fields[-1] if fields else ""
        for key in (*facts["fields"].get(name, ()), *facts["any"]):
            yield tuple(key)

    def _is_set(self, fields: Fields) -> bool:
        if self.in_pod_template(fields):
            return False
        node = self.at(fields)
        if node is not None and node.list_type == "set":
            return True
        return any(matches(parse(p), fields) for row in rows("sets", self.group, self.name) for p in row["paths"])


@lru_cache(maxsize=512)
def rows(table: str, group: str, kind: str) -> tuple[Mapping[str, Any], ...]:
    """The rows of a table of noise.json or immutable.json that speak of this kind."""
    source = "facts/immutable" if table in ("immutable", "lost") else "facts/noise"
    return tuple(
        row
        for row in read(source)[table]
        if row["group"] in ("*", group) and (kind in row["kinds"] or row["kinds"] == ["*"])
    )


class Kinds:
    """The kinds of one release and of the CustomResourceDefinitions among these objects."""

    __slots__ = ("_catalog", "_known")

    def __init__(self, version: str, crds: Iterable[Value] = ()) -> None:
        found = list(crds)
        base = catalog(version)
        self._catalog: Catalog = base.with_crds(found) if found else base
        self._known: dict[tuple[str, str, str], Kind] = {}

    def of(self, ref: Ref) -> Kind:
        """What is known of the kind of this object."""
        key = (ref.group, ref.version, ref.kind)
        kind = self._known.get(key)
        if kind is None:
            kind = self._known[key] = self._read(ref)
        return kind

    def _read(self, ref: Ref) -> Kind:
        info = self._catalog.kind(ref.api_version, ref.kind)
        custom = info.custom if info is not None else ref.group not in read("facts/noise")["groups"]
        return Kind(ref.group, ref.kind, info.node if info is not None else None, custom)
