"""Which documents of the input make up one side of a plan: each identity once, whatever the order of the files."""

from __future__ import annotations

from collections.abc import Iterable

from kplan import labels, release
from kplan.hints import Any
from kplan.model import Document, Skipped
from kplan.record import replace
from kplan.schema.catalog import Catalog, catalog
from kplan.store import ref_of

Value = dict[str, Any]

_NO_NAME = "it has no name, so nobody can tell which object it is"
_GENERATED = "it has only a generateName: every apply would make another object"


def chosen(
    documents: Iterable[Document],
    *,
    namespace: str = "",
    selector: Iterable[labels.Requirement] = (),
    version: str = release.DEFAULT,
) -> tuple[tuple[Document, ...], tuple[Skipped, ...], tuple[str, ...]]:
    """The documents to compare, those left out with the reason, and warnings.

    Of several documents for one object the last counts, in the order of files and places in them, as with kubectl.
    `namespace` is given to objects that name none, where their kind in this release has one.
    """
    given, wanted = sorted(documents, key=_place_in_order), list(selector)
    crds = (d.value for d in given if d.value.get("kind") == "CustomResourceDefinition")
    kinds = catalog(version).with_crds(crds) if namespace else None
    found: dict[Any, Document] = {}
    skipped = []
    warnings = []
    for document in given:
        if kinds is not None:
            document = _placed(document, namespace, kinds)
        ref = ref_of(document.value)
        meta = document.value.get("metadata")
        if not ref.name or not isinstance(meta, dict) or not meta.get("name"):
            reason = _GENERATED if ref.name else _NO_NAME
            skipped.append(Skipped(document.file, reason, document.span(), document.index))
            continue
        if wanted and not labels.match_all(wanted, _labels(meta)):
            continue
        if ref.key in found:
            first = found[ref.key]
            warnings.append(f"duplicate object {ref}: {_place(first)} and {_place(document)}; the last one counts")
        found[ref.key] = document
    return tuple(found.values()), tuple(skipped), tuple(warnings)


def _place_in_order(document: Document) -> tuple[list[str], int, int]:
    """Folders stand among the files, as kubectl walks them."""
    return document.file.split("/"), document.index, document.item or 0


def _place(document: Document) -> str:
    return f"{document.file}:{document.line}"


def _labels(meta: Value) -> dict[str, str]:
    found = meta.get("labels")
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _placed(document: Document, namespace: str, kinds: Catalog) -> Document:
    meta = document.value.get("metadata")
    if not isinstance(meta, dict) or meta.get("namespace"):
        return document
    info = kinds.kind(str(document.value.get("apiVersion")), str(document.value.get("kind")))
    if info is None or not info.namespaced:
        return document
    return replace(document, value={**document.value, "metadata": {**meta, "namespace": namespace}})
