"""The stage that asks the schemas: unknown kinds, fields and types, and the lifecycle of each API."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.lint.draft import Draft
from kplan.model import Object, format_path
from kplan.patterns import lazy
from kplan.schema import Catalog
from kplan.schema.compile import is_valid
from kplan.schema.definitions import read
from kplan.schema.lifecycle import Lifecycle, lifecycle

UNKNOWN_KIND, UNKNOWN_FIELD, WRONG_TYPE, INVALID = "unknown-kind", "unknown-field", "wrong-type", "invalid-value"
REMOVED, DEPRECATED, OFF = "api-removed", "api-deprecated", "api-off-by-default"
DUPLICATE = "duplicate-key"
_VERSION = lazy(r"v[0-9]+((alpha|beta)[0-9]+)?\Z")
_RULES = {"unknown": UNKNOWN_FIELD, "type": WRONG_TYPE, "format": WRONG_TYPE}


def judge(obj: Object, kinds: Catalog, *, fits: bool = False) -> Iterator[Draft]:
    """What the schemas of a release say about an object; a kind without a schema is passed over.

    `fits` says that the API server has read it, and so that no field of it is wrong.
    """
    yield from _duplicates(obj)
    api_version, kind = obj.ref.api_version, obj.ref.kind
    life = lifecycle(api_version, kind)
    if life and life.is_removed(kinds.version):
        yield Draft(REMOVED, obj, ("apiVersion",), {"removed": life.removed, "instead": _instead(life)})
        return
    info = kinds.kind(api_version, kind)
    if info is None:
        yield from _unknown_kind(obj, kinds)
        return
    if life and life.is_deprecated(kinds.version):
        data = {"deprecated": life.deprecated, "removed": f" and gone in {life.removed}" if life.removed else ""}
        yield Draft(DEPRECATED, obj, ("apiVersion",), data | {"instead": _instead(life)})
    if not info.served and info.plural:
        yield Draft(OFF, obj, ("apiVersion",), {"version": kinds.version})
    if not fits and not is_valid(info.node, obj.value):
        yield from _problems(obj, info.node)


def is_builtin(obj: Object, kinds: Catalog) -> bool:
    """Whether the API server itself defines an object's kind."""
    info = kinds.kind(obj.ref.api_version, obj.ref.kind)
    return info is not None and not info.custom


def _unknown_kind(obj: Object, kinds: Catalog) -> Iterator[Draft]:
    """Only the groups of Kubernetes itself are known in full. A group without a dot is none that a
    CustomResourceDefinition can have: it is a misspelt one if it is near to another, else a file of some program."""
    from kplan.likewords import nearest

    groups = read("facts/resources")
    group = obj.ref.group
    if group not in groups and ("." in group or not nearest(group, groups)):
        return
    if not group and not _VERSION.match(obj.ref.version):
        return
    suggestion = kinds.suggest(obj.ref.api_version, obj.ref.kind)
    near = f"; did you mean {suggestion}?" if suggestion else ""
    yield Draft(UNKNOWN_KIND, obj, ("kind",), {"version": kinds.version, "near": near})


def _problems(obj: Object, node: object) -> Iterator[Draft]:
    from kplan.schema.problems import problems

    for p in problems(node, obj.value):  # type: ignore[arg-type]
        rule = _RULES.get(p.kind, INVALID)
        text = f"{p.detail}; {p.suggestion}" if p.suggestion else p.detail
        data = {"field": format_path(p.path), "problem": text, "near": f"; {p.suggestion}" if p.suggestion else ""}
        key = obj.document.span(p.path, key=True) if obj.document and rule == UNKNOWN_FIELD else None
        yield Draft(rule, obj, p.path, data, key)


def _duplicates(obj: Object) -> Iterator[Draft]:
    for d in obj.document.duplicates if obj.document else ():
        yield Draft(DUPLICATE, obj, d.path, {"key": str(d.path[-1]), "first": d.first.line}, d.second)


def _instead(life: Lifecycle) -> str:
    return f"; use {life.replacement}" if life.replacement else ""
