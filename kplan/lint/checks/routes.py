"""Check kind `duplicate-route`: one host and path in two Ingresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site
from kplan.lint.world import folder
from kplan.model import Object, Path
from kplan.tuples import NamedTuple
from kplan.workloads import get

_CLASS = "kubernetes.io/ingress.class"


class Route(NamedTuple):
    """One path of an Ingress; the path in the object, and what makes two routes the same."""

    path: Path
    host: str
    match: str
    type: str

    def __str__(self) -> str:
        return f"{self.host or '*'}{self.match}"


def _paths(obj: Any) -> Iterator[tuple[Path, str, Any]]:
    """(path in the object, host, HTTP path) of every route."""
    for i, rule in enumerate(_items(get(obj, "spec", "rules"))):
        for j, path in enumerate(_items(get(rule, "http", "paths"))):
            host = get(rule, "host")
            yield ("spec", "rules", i, "http", "paths", j), host if isinstance(host, str) else "", path


def duplicate_route(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Routes of an Ingress that an earlier Ingress of the same class (and folder, in an open world) has."""

    def check(site: Site) -> Iterable[Problem]:
        own = list(_routes(site.object))
        for other in site.world.by_kind.get("Ingress", ()) if own else ():
            if other is site.object:
                return
            apart = not site.world.closed and folder(other) != folder(site.object)
            if apart or _class(other) != _class(site.object) or other.ref.key == site.object.ref.key:
                continue
            taken = {r[1:]: r for r in _routes(other)}
            for route in own:
                if route[1:] in taken:
                    place = Place("also here", other, taken[route[1:]].path)
                    yield Problem((*route.path, "path"), {"other": other.ref.name, "route": str(route)}, (place,))

    return check


def _routes(ingress: Object) -> Iterator[Route]:
    for path, host, rule in _paths(ingress.value):
        yield Route(path, host, str(get(rule, "path") or "/"), str(get(rule, "pathType") or ""))


def _class(ingress: Object) -> Any:
    return get(ingress.value, "spec", "ingressClassName") or get(ingress.value, "metadata", "annotations", _CLASS)


def _items(value: Any) -> list[Any]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
