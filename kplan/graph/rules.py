"""Where objects speak of other objects: the table schemas/facts/references.json, compiled to trees of paths.

A rule has `at` (a path; `[]` is every item of a list) and gives either a reference (`to`) or a selector (`select`).
At the path stands the name itself, or a mapping whose field `name` (or the one the rule calls so; `a|b` is the first
that is set) holds it.

to        the target, `Kind.group`; or the fields that say its `group` (or apiVersion) and `kind`, with `else` for what
          they leave out
ns        the field with the target's namespace; without it, the source's own
keys      the parts of the target that must exist too: a path from the mapping to a key, `path=default`
if        `field=value` that must hold in the mapping; `unless`: no name with this beginning
optional  the edge may dangle; so it may where the mapping says `optional: true`
grant     a reference into another namespace needs a ReferenceGrant there (Gateway API)
order     false: the target need not exist first
select    the kind that is selected, in one of the forms of kplan.graph.selectors
use       the rules of a named part apply from here

Besides the `kinds` and their `parts`, the table says which kinds moved to another group (`aliases`), which have no
namespace although no API list says so (`cluster-scoped`) or no definition at all (`no-crd`), what every cluster has
(`always`) or makes by itself (`cluster-made`), and who makes objects that stand in no file (`made`: by `annotated`
objects only, and `everywhere`, that is in each namespace).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from kplan.hints import Any
from kplan.model import Path, split_api_version
from kplan.record import record
from kplan.schema.definitions import read
from kplan.tuples import NamedTuple

GroupKind = tuple[str, str]


class Target(NamedTuple):
    """The kind that a rule points to: fixed, or said by fields of the mapping."""

    group: str
    kind: str
    group_field: str = ""
    kind_field: str = ""


class KeyField(NamedTuple):
    """Where a mapping names a part of its target."""

    place: Place
    default: str


@record
class Rule:
    """One line of the table."""

    edge: str
    target: Target
    form: str = ""
    names: tuple[str, ...] = ("name",)
    namespace: str = ""
    keys: tuple[KeyField, ...] = ()
    condition: tuple[str, str] = ("", "")
    unless: str = ""
    annotated: str = ""
    everywhere: bool = False
    optional: bool = False
    grant: bool = False
    order: bool = True


class Place:
    """A node of the tree of paths: the rules that apply here, and the ways on."""

    __slots__ = ("fields", "items", "rules")

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.fields: dict[str, Place] = {}
        self.items: Place | None = None


Found = tuple[Rule, Any, Path]


def walk(place: Place, value: Any, path: Path, out: list[Found]) -> None:
    """Collect every rule that applies to a value, with what stands there and its path."""
    if place.rules:
        out += [(rule, value, path) for rule in place.rules]
    if isinstance(value, dict):
        fields = place.fields
        for name in value if fields else ():
            if name in fields:
                walk(fields[name], value[name], (*path, name), out)
    elif isinstance(value, list) and place.items is not None:
        for i, item in enumerate(value):
            walk(place.items, item, (*path, i), out)


def target_of(rule: Rule, holder: Mapping[str, Any]) -> GroupKind:
    """The kind that is meant: the rule's own, or what the mapping says."""
    group, kind, group_field, kind_field = rule.target
    if kind_field:
        said_kind, said_group = holder.get(kind_field), holder.get(group_field)
        kind = said_kind if isinstance(said_kind, str) and said_kind else kind
        if isinstance(said_group, str):
            group = split_api_version(said_group)[0] if group_field == "apiVersion" else said_group
    return group, kind


def group_kind(text: str) -> GroupKind:
    """(group, kind) of `Deployment.apps`."""
    kind, _, group = text.partition(".")
    return group, kind


Lines = list[dict[str, Any]]


class Trees:
    """Trees by (group, kind), each made when an object of its kind is met: an input has few of the kinds there are."""

    __slots__ = ("_lines", "_made", "_parts")

    def __init__(self, lines: Mapping[str, Lines], parts: Mapping[str, Lines]) -> None:
        self._lines = {group_kind(kind): of_kind for kind, of_kind in lines.items()}
        self._parts = parts
        self._made: dict[GroupKind, Place] = {}

    def get(self, kind: GroupKind) -> Place | None:
        """The tree of a kind; None for one that the table does not have."""
        if kind not in self._made and kind in self._lines:
            self._made[kind] = _tree(self._lines[kind], self._parts)
        return self._made.get(kind)


class Table(NamedTuple):
    """The compiled table."""

    kinds: Trees
    common: Place
    pod_spec: Place
    made: Trees
    aliases: Mapping[GroupKind, GroupKind]
    cluster_scoped: frozenset[GroupKind]
    cluster_made: frozenset[GroupKind]
    no_crd: frozenset[str]
    selected: frozenset[GroupKind]
    always: tuple[str, ...]

    def needs_definition(self, group: str, kind: str) -> bool:
        """Whether only a CustomResourceDefinition (or an aggregated API) can make a server know a kind."""
        return "." in group and bool(kind) and group not in self.no_crd and f"{kind}.{group}" not in self.no_crd


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, read and compiled once."""
    facts = read("facts/references")
    parts: Mapping[str, Lines] = facts["parts"]
    scopes = read("facts/resources")
    builtin = {(group, kind) for group, known in scopes.items() for kind, v in known.items() if not v["namespaced"]}
    return Table(
        kinds=Trees(facts["kinds"], parts),
        common=_tree(facts["kinds"]["*"], parts),
        pod_spec=_tree(parts["pod-spec"], parts),
        made=Trees(facts["made"], parts),
        aliases={group_kind(old): group_kind(new) for old, new in facts["aliases"].items()},
        cluster_scoped=frozenset(builtin.union(map(group_kind, facts["cluster-scoped"]))),
        cluster_made=frozenset(map(group_kind, facts["cluster-made"])),
        no_crd=frozenset((*scopes, *facts["no-crd"])),
        selected=frozenset(_selected((*parts.values(), *facts["kinds"].values()))),
        always=tuple(facts["always"]),
    )


def _selected(lists: Iterable[Lines]) -> Iterator[GroupKind]:
    return (group_kind(line["select"]) for lines in lists for line in lines if "select" in line)


def _tree(lines: Lines, parts: Mapping[str, Lines]) -> Place:
    root = Place()
    _plant(root, lines, parts)
    return root


def _plant(root: Place, lines: Lines, parts: Mapping[str, Lines]) -> None:
    for line in lines:
        place = _way(root, line["at"])
        if "use" in line:
            _plant(place, parts[line["use"]], parts)
        else:
            place.rules.append(_rule(line))


def _way(place: Place, path: str) -> Place:
    """The node at a path such as `volumes[].configMap`, made if it is not there."""
    for step in path.split(".") if path else ():
        name = step.removesuffix("[]")
        place = place.fields.setdefault(name, Place())
        if name != step:
            place.items = place.items or Place()
            place = place.items
    return place


def _rule(line: Mapping[str, Any]) -> Rule:
    field_name, _, value = line.get("if", "").partition("=")
    return Rule(
        edge=line.get("kind", ""),
        target=_target(line["select"] if "select" in line else line["to"]),
        form=line.get("form", ""),
        names=tuple(line.get("name", "name").split("|")),
        namespace=line.get("ns", ""),
        keys=tuple(_key_fields(line.get("keys", ()))),
        condition=(field_name, value),
        unless=line.get("unless", ""),
        annotated=line.get("annotated", ""),
        everywhere=line.get("everywhere", False),
        optional=line.get("optional", False),
        grant=line.get("grant", False),
        order=line.get("order", True),
    )


def _target(to: str | Mapping[str, str]) -> Target:
    if isinstance(to, str):
        return Target(*group_kind(to))
    return Target(*group_kind(to.get("else", "")), group_field=to["group"], kind_field=to["kind"])


def _key_fields(texts: list[str]) -> Iterator[KeyField]:
    for text in texts:
        path, _, default = text.partition("=")
        root = Place()
        # Only the place counts: the rule is a mark that a key stands here.
        _way(root, path).rules.append(Rule("", Target("", "")))
        yield KeyField(root, default)
