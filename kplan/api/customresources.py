"""Custom resources: what their structural schema makes of an object.

Follows apiextensions-apiserver/pkg/apiserver/customresource_handler.go (decoding, defaulting, pruning).
"""

from __future__ import annotations

from collections import OrderedDict

from kplan.api.decode import Mismatch, Mode, converter
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Path
from kplan.schema import Catalog, KindInfo, catalog

if TYPE_CHECKING:
    from kplan.api.decode_errors import Verdict
    from kplan.store import Store

Value = dict[str, Any]

_CATALOGS: OrderedDict[tuple[str, tuple[int, ...]], tuple[list[Value], Catalog]] = OrderedDict()
_MOST_CATALOGS = 8


def catalog_of(release: str, store: Store | None) -> Catalog:
    """The kinds of a release and of the CustomResourceDefinitions in the store, made once for each set of them."""
    crds = list(store.all("CustomResourceDefinition")) if store is not None else []
    if not crds:
        return catalog(release)
    key = (release, tuple(map(id, crds)))
    if key not in _CATALOGS:
        # The definitions are kept with the key, so that no other object can get their identity.
        _CATALOGS[key] = (crds, catalog(release).with_crds(crds))
        if len(_CATALOGS) > _MOST_CATALOGS:
            _CATALOGS.popitem(last=False)
    return _CATALOGS[key][1]


def read(value: Value, info: KindInfo) -> tuple[Value, Verdict]:
    """The object with the defaults of its schema and without unknown fields, and what strict decoding says."""
    from kplan.api.decode_errors import Verdict, explain
    from kplan.schema import structural

    defaulted = structural.apply_defaults(info.node, value)
    unknown = sorted(path_text(p) for p in structural.unknown_fields(info.node, defaulted))
    out = dict(structural.prune(info.node, defaulted))
    meta_node = (info.node.fields or {})["metadata"]
    meta = value.get("metadata") or {}
    try:
        out["metadata"] = converter(meta_node, Mode("drop"))(meta)
    except Mismatch:
        return out, explain(meta_node, meta)
    return out, Verdict("", tuple(unknown))


def without_status(obj: Value, info: KindInfo, store: Store | None) -> Value:
    """A new object without the status that users cannot set, with what the schema puts in its place."""
    if not has_status(info, store):
        return obj
    from kplan.schema import structural

    out: Value = structural.apply_defaults(info.node, {k: v for k, v in obj.items() if k != "status"})
    return out


def has_status(info: KindInfo, store: Store | None) -> bool:
    """Whether the version has a status subresource."""
    for crd in store.all("CustomResourceDefinition") if store is not None else ():
        spec = crd.get("spec") or {}
        if spec.get("group") == info.group and (spec.get("names") or {}).get("kind") == info.kind:
            version: Value = next((v for v in spec.get("versions") or () if v.get("name") == info.version), {})
            return "status" in (version.get("subresources") or spec.get("subresources") or {})
    return False


def path_text(path: Path) -> str:
    """A path as strict decoding prints it: dots between all names, indexes in brackets."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
