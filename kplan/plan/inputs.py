"""Which documents of the input make up one side of a plan: each identity once, whatever the order of the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kplan import labels
from kplan.model import Document, Skipped
from kplan.schema.catalog import catalog
from kplan.store import ref_of

Value = dict[str, Any]

_NO_NAME = "it has no name, so nobody can tell which object it is"
_GENERATED = "it has only a generateName: every apply would make another object"


def chosen(
    documents: Iterable[Document], *, namespace: str = "", selector: Iterable[labels.Requirement] = ()
) -> tuple[tuple[Document, ...], tuple[Skipped, ...], tuple[str, ...]]:
    """The documents to compare, those left out with the reason, and warnings.

    Of several documents for one object the last counts, in the order of files and places in them, as with kubectl.
    `namespace` is given to objects that name none, where their kind has one.
    """
    wanted = list(selector)
    found: dict[Any, Document] = {}
    skipped = []
    warnings = []
    for document in sorted(documents, key=lambda d: (d.file.split("/"), d.index, d.item or 0)):
        document = _placed(document, namespace)
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


def _place(document: Document) -> str:
    return f"{document.file}:{document.line}"


def _labels(meta: Value) -> dict[str, str]:
    found = meta.get("labels")
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _placed(document: Document, namespace: str) -> Document:
    meta = document.value.get("metadata")
    if not namespace or not isinstance(meta, dict) or meta.get("namespace"):
        return document
    info = catalog().kind(str(document.value.get("apiVersion")), str(document.value.get("kind")))
    if info is None or not info.namespaced:
        return document
    return replace(document, value={**document.value, "metadata": {**meta, "namespace": namespace}})
