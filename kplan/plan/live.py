"""What applying manifests gives, by what was applied before.

A current object that was read from a manifest is taken as applied from it. One that was read from a server says itself
what was: by its last-applied annotation as `kubectl apply` leaves it, or by its managedFields as a server-side apply
does. Where it says neither, the manifest is taken as the whole desired object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from kplan.api.merge import three_way
from kplan.hints import Any
from kplan.model import Key, split_api_version
from kplan.plan.align import same
from kplan.plan.kinds import Kinds
from kplan.plan.noise import is_live
from kplan.plan.pairing import pair
from kplan.plan.secrets import LAST_APPLIED, as_stored
from kplan.plan.values import items, submap
from kplan.store import ref_of

Value = dict[str, Any]

_NONE: Mapping[Key, Value] = {}


def desired(
    stored: Iterable[Value], manifests: Iterable[Value], kinds: Kinds, written: Mapping[Key, Value] = _NONE
) -> Iterator[tuple[Value, Value]]:
    """(object after apply, its manifest) of every manifest, in the order of their names.

    `stored` is the current side as a server holds it, `written` the manifests it came from.
    """
    for before, after, _ in pair(stored, manifests):
        if after is not None:
            current = before.value if before is not None else None
            original = written.get(before.ref.key) if before is not None else None
            yield applied(current, after.value, kinds, original), after.value


def applied(stored: Value | None, manifest: Value, kinds: Kinds, original: Value | None = None) -> Value:
    """The object after the manifest was applied onto it; `original` is the manifest it came from, if it is known.

    What is applied once more as it was stays as it is.
    """
    if stored is None:
        return manifest
    if original is not None and same(original, manifest):
        return stored
    kind = kinds.of(ref_of(manifest))
    stored, manifest = as_stored(stored), _placed(manifest, stored)
    last = original or _last_applied(stored)
    if last is not None:
        return three_way(last, stored, manifest, None if kind.custom else kind.node)
    owned = _owned(stored, manifest)
    if owned is not None:
        return three_way(owned, stored, manifest, kind.node, server_side=True)
    if items(stored, "metadata", "managedFields"):
        return three_way(None, stored, manifest, None if kind.custom else kind.node)
    return manifest


def lasting(value: Value) -> Value:
    """The object without what a server rewrites all the time and no plan depends on: what tells whether a plan against
    it is stale. What was not read from a server is left as it is."""
    if not is_live(value):
        return value
    meta = {k: v for k, v in submap(value, "metadata").items() if k not in ("resourceVersion", "generation")}
    entries = (e for e in items(meta, "managedFields") if e.get("subresource") != "status")
    meta["managedFields"] = [{k: v for k, v in e.items() if k != "time"} for e in entries]
    return {k: v for k, v in value.items() if k != "status"} | {"metadata": meta}


def _placed(manifest: Value, live: Value) -> Value:
    """The manifest in the namespace of the live object, if it names none."""
    meta, namespace = submap(manifest, "metadata"), ref_of(live).namespace
    if not meta or meta.get("namespace") or not namespace:
        return manifest
    return {**manifest, "metadata": {**meta, "namespace": namespace}}


def _last_applied(live: Value) -> Value | None:
    try:
        last = json.loads(submap(live, "metadata", "annotations")[LAST_APPLIED])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return last if isinstance(last, dict) else None


def _owned(live: Value, manifest: Value) -> Value | None:
    """The part of the live object that the applying manager owns and no one else; None if nobody applied."""
    entries = items(live, "metadata", "managedFields")
    appliers = [e for e in entries if e.get("operation") == "Apply" and not e.get("subresource")]
    if not appliers:
        return None
    mine = max(appliers, key=lambda e: (_same_version(e, manifest), e.get("manager") == "kubectl", _size(e)))
    others = [e.get("fieldsV1") for e in entries if e is not mine]
    part = _part(live, mine.get("fieldsV1"), others)
    return part if isinstance(part, dict) else {}


def _same_version(entry: Value, manifest: Value) -> bool:
    return split_api_version(str(entry.get("apiVersion")))[0] == split_api_version(str(manifest.get("apiVersion")))[0]


def _size(entry: Value) -> int:
    return len(json.dumps(entry.get("fieldsV1"), default=str))


def _part(value: Any, fields: Any, others: list[Any]) -> Any:
    """What a FieldsV1 set names of a value, without what the other sets name too."""
    if not isinstance(fields, dict):
        return None
    if isinstance(value, dict):
        return {k[2:]: p for k, p in _named(fields, others, "f:", lambda k: value.get(k))}
    if isinstance(value, list):
        return [p for _, p in _named(fields, others, "k:", lambda k: _item(value, k))] + [
            p for _, p in _named(fields, others, "v:", lambda k: _scalar(value, k))
        ]
    return value


def _named(fields: Value, others: list[Any], prefix: str, find: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
    """The named parts of a value with this prefix; `find` looks one up. What is gone or others own too is left out."""
    for name, inner in fields.items():
        if not name.startswith(prefix):
            continue
        found = find(name[len(prefix) :])
        rest = [o[name] for o in others if isinstance(o, dict) and name in o]
        if found is None or (rest and not any(k != "." for k in inner or ())):
            continue
        deeper = any(k != "." for k in inner) if isinstance(inner, dict) else False
        yield name, _part(found, inner, rest) if deeper else found


def _item(items: list[Any], key: str) -> Any:
    try:
        want = json.loads(key)
    except ValueError:
        return None
    if not isinstance(want, dict):
        return None
    return next((i for i in items if isinstance(i, dict) and all(i.get(k) == v for k, v in want.items())), None)


def _scalar(items: list[Any], text: str) -> Any:
    try:
        want = json.loads(text)
    except ValueError:
        return None
    return want if want in items else None
