"""Check kinds about names that one object calls another by: `dangling-ref`, `missing-key` and `duplicate-object`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.lint.site import Check, Place, Problem, Site


def dangling(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """`{to: [kinds]}`: references to objects of these kinds (of any kind if absent) that nothing satisfies."""
    kinds = frozenset(parameters.get("to", ()))

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.references(site.object):
            if edge.missing and not edge.optional and (not kinds or edge.kind in kinds):
                yield Problem(edge.path, {"target": edge.named})

    return check


def missing_key(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Keys of a ConfigMap or Secret of the input that a reference asks for and that are not there."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.references(site.object):
            for path, key in edge.missing_keys:
                yield Problem(path, {"target": edge.named, "key": key})

    return check


def duplicate_object(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Objects whose identity an earlier object of the input has."""

    def check(site: Site) -> Iterable[Problem]:
        same = site.world.by_key[site.object.ref.key]
        first = same[0]
        if len(same) > 1 and site.object is not first and site.object.ref.name:
            yield Problem((), related=(Place("first here", first, ("metadata", "name")),))

    return check
