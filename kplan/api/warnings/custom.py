"""Warnings about custom resources: versions on their way out, and finalizers whose names may clash.

Follows apiextensions-apiserver: pkg/apiserver/customresource_handler.go (KEP-1693) and
pkg/registry/customresource/strategy.go (kubernetes/kubernetes#119508, #127303).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kplan.api.customresources import catalog_of
from kplan.api.request import Request
from kplan.api.validation.field import go_quote
from kplan.api.validation.metadata import STANDARD_FINALIZERS
from kplan.schema import Catalog, KindInfo
from kplan.schema.catalog import preference

Value = dict[str, Any]

_MORE_WORDS_SINCE = 32


def resource(obj: Value, request: Request) -> Iterator[str]:
    """Warnings of a custom resource; none for a built-in kind."""
    if "." not in request.group:  # no definition has such a group
        return
    kinds = catalog_of(request.release, request.store)
    api_version = f"{request.group}/{request.version}" if request.group else request.version
    info = kinds.kind(api_version, request.kind)
    if info is not None and info.custom:
        yield from _version(info, kinds)
        yield from _finalizers(obj, request)


def _version(info: KindInfo, kinds: Catalog) -> Iterator[str]:
    """A deprecated version: what its definition says, or the best version that is served and not deprecated itself."""
    version = kinds.crd_version(info)
    if version.get("deprecated") is not True:
        return
    given = version.get("deprecationWarning")
    if isinstance(given, str):
        yield given
        return
    others = (i for i in kinds.kinds() if (i.group, i.kind) == (info.group, info.kind))
    better = [
        i for i in others if kinds.crd_version(i).get("deprecated") is not True and preference(i) < preference(info)
    ]
    use = min(better, key=preference, default=None)
    instead = f"; use {use.api_version} {use.kind}" if use is not None else ""
    yield f"{info.api_version} {info.kind} is deprecated{instead}"


def _finalizers(obj: Value, request: Request) -> Iterator[str]:
    """A new finalizer without a slash, which Kubernetes' own alone may lack."""
    before = (request.old or {}).get("metadata", {}).get("finalizers") or ()
    path = " including a path (/)" if request.minor >= _MORE_WORDS_SINCE else ""
    for name in sorted(set(obj["metadata"].get("finalizers") or ()) - set(before) - STANDARD_FINALIZERS):
        if "/" not in name:
            yield (
                f"metadata.finalizers: {go_quote(name)}: prefer a domain-qualified finalizer name{path} to avoid "
                "accidental conflicts with other finalizer writers"
            )
