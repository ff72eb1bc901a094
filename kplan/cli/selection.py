"""Which objects of a cluster are meant: `deploy,svc`, `pod web-0 web-1`, `deploy/web`, `all`, by label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kplan import labels
from kplan.errors import KplanError
from kplan.store import Store, ref_of

if TYPE_CHECKING:
    from kplan.schema import Catalog, KindInfo

Value = dict[str, Any]


class Wanted(NamedTuple):
    """A kind, and the names that are asked for; none means all."""

    info: KindInfo
    names: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """The objects of a kind that fit, by namespace and name, and the names that nothing has."""

    info: KindInfo
    objects: tuple[Value, ...]
    missing: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The kind as the server's messages have it: `pods`, `deployments.apps`."""
        return f"{self.info.plural}.{self.info.group}" if self.info.group else self.info.plural


def wanted(args: Sequence[str], kinds: Catalog) -> list[Wanted]:
    """What the words of a command line ask for. Raises KplanError for a kind that is not there and for mixed forms."""
    if not args:
        raise KplanError("say which kind of object to show", hint="kplan get pods -f PATH")
    with_names = ["/" in a for a in args]
    if any(with_names):
        if not all(with_names):
            raise KplanError("KIND/NAME and KIND NAME cannot be mixed", hint="kplan get pod/a deploy/b -f PATH")
        return list(map(_pairs(kinds), args))
    return [Wanted(info, tuple(args[1:])) for name in args[0].split(",") for info in _kinds(name, kinds)]


def _pairs(kinds: Catalog) -> Any:
    def pair(arg: str) -> Wanted:
        kind, _, name = arg.partition("/")
        if not kind or not name or "/" in name:
            raise KplanError(f"expected KIND/NAME, not {arg!r}")
        return Wanted(_kind(kind, kinds), (name,))

    return pair


def _kinds(name: str, kinds: Catalog) -> list[KindInfo]:
    """The kind of this name, or those of the category; a kind comes before a category, as for kubectl."""
    info = kinds.find(name) if name else None
    if info is not None:
        return [info]
    members = {(i.group, i.kind): i for i in kinds.kinds() if i.served and name.lower() in i.categories}
    if not members:
        return [_kind(name, kinds)]
    found = (kinds.find(f"{i.plural}.{i.group}" if i.group else i.plural) for i in members.values())
    return sorted((i for i in found if i), key=lambda i: (i.custom, i.group, i.plural))


def _kind(name: str, kinds: Catalog) -> KindInfo:
    info = kinds.find(name)
    if info is None:
        raise KplanError(f"the server doesn't have a resource type {name!r}", hint=_near(name, kinds))
    return info


def _near(name: str, kinds: Catalog) -> str:
    from difflib import get_close_matches

    known = {word for i in kinds.kinds() if i.served for word in (i.plural, i.kind.lower(), *i.short_names)}
    near = get_close_matches(name.lower(), sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def choose(
    asked: Iterable[Wanted],
    store: Store,
    *,
    namespace: str | None,
    selector: Iterable[labels.Requirement] = (),
    prefixes: bool = False,
) -> Iterator[Chosen]:
    """The objects that are there, of each kind asked for; `namespace` None means all namespaces.

    With `prefixes` a name that no object has stands for those that start with it.
    """
    conditions = list(selector)
    for info, names in asked:
        here = _objects(info, store, namespace)
        if names:
            by_name = {name: _named(here, name, prefixes) for name in dict.fromkeys(names)}
            found = [o for objects in by_name.values() for o in objects]
            yield Chosen(info, tuple(found), tuple(n for n, objects in by_name.items() if not objects))
        else:
            yield Chosen(info, tuple(o for o in here if not conditions or _fits(o, conditions)))


def elsewhere(one: Chosen, store: Store) -> str:
    """A namespace that has objects of the kind, with a name that is missing if one is; "" if there is none."""
    found = map(ref_of, _objects(one.info, store, None))
    return next((r.namespace for r in found if r.namespace and (not one.missing or r.name in one.missing)), "")


def _named(here: list[Value], name: str, prefixes: bool) -> list[Value]:
    exact = [o for o in here if ref_of(o).name == name]
    return exact or [o for o in here if prefixes and ref_of(o).name.startswith(name)]


def _objects(info: KindInfo, store: Store, namespace: str | None) -> list[Value]:
    where = namespace if info.namespaced else None
    found = [o for o in store.all(info.kind, where, group=info.group) if ref_of(o).group == info.group]
    return sorted(found, key=lambda o: (ref_of(o).namespace, ref_of(o).name))


def _fits(obj: Value, conditions: Iterable[labels.Requirement]) -> bool:
    have = obj["metadata"].get("labels")
    return labels.match_all(conditions, {k: str(v) for k, v in have.items()} if isinstance(have, dict) else {})


def requirements(text: str | None) -> list[labels.Requirement]:
    """A selector in the form of `kubectl -l`. Raises KplanError."""
    try:
        return labels.parse(text or "")
    except ValueError as error:
        raise KplanError(f"--selector: {error}") from error
