"""Check kinds about names that one object calls another by: `dangling-ref`, `missing-key` and `duplicate-object`."""

from __future__ import annotations

from collections.abc import Iterable

from kplan.errors import KplanError
from kplan.graph import Edge
from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Key


def dangling(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """`{to: [kinds]}` or `{edge: kind of reference}`: such references that nothing satisfies."""
    kinds, sort = frozenset(parameters.get("to", ())), parameters.get("edge")

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.missing(site.object):
            target = edge.target
            meant = edge.kind == sort or (isinstance(target, Key) and target.kind in kinds)
            if meant and not edge.key and site.world.is_missing(edge):
                near = site.world.near(edge)
                data = {"target": named(edge), "near": f"; did you mean {near}?" if near else ""}
                yield Problem(edge.path, data)

    return check


def missing_key(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """`{to: [kinds]}`: parts of objects (keys, ports) that a reference asks for and that are not there."""
    kinds = frozenset(parameters["to"])

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.missing(site.object):
            target = edge.target
            if edge.key and isinstance(target, Key) and target.kind in kinds and site.world.is_missing(edge):
                there = site.world.closest(target, site.object)
                places = (Place(f"{target.kind} {target.name}", there, ("metadata", "name")),) if there else ()
                yield Problem(edge.path, {"target": named(edge), "key": edge.key}, places)

    return check


def named(edge: Edge) -> str:
    """The target of a reference as messages name it; the namespace only where it is another one."""
    assert isinstance(edge.target, Key)
    target = edge.target
    other = target.namespace and target.namespace != edge.source.namespace
    return f"{target.kind} {target.namespace}/{target.name}" if other else f"{target.kind} {target.name}"


def duplicate_object(where: Any, trusted: bool) -> Check:  # noqa: ARG001
    """`file` or `elsewhere`: objects whose identity an earlier object has, in the same file or in another one."""
    if where not in ("file", "elsewhere"):
        raise KplanError("duplicate-object takes `file` or `elsewhere`")

    def check(site: Site) -> Iterable[Problem]:
        first, own = site.world.first(site.object), site.object.document
        if first and first.document and own and (first.document.file == own.file) == (where == "file"):
            data = {"other": first.document.file}
            yield Problem((), data, (Place("first here", first, ("metadata", "name")),))

    return check
