"""What the API server does with one object, stage after stage.

Follows k8s.io/apiserver/pkg/endpoints/handlers/create.go and pkg/registry/rest/create.go: read, decode, defaults,
mutating admission, prepare for create, validation, canonical form, warnings, validating admission.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kplan import release as releases
from kplan.api import strategy
from kplan.api.defaults import default
from kplan.api.request import Refused, Request
from kplan.api.validation import Context, validate
from kplan.model import Admission, Cause, split_api_version

if TYPE_CHECKING:
    from kplan.cluster import Cluster
    from kplan.store import Store

Value = dict[str, Any]


def admit(doc: Value | str, *, cluster: Cluster | None = None, version: str = releases.DEFAULT) -> Admission:
    """What the server answers to the creation of `doc`: an object, or the text of one YAML or JSON document.

    With a cluster, what the object refers to must exist there and the cluster's release counts; without one the
    world is open. Nothing is stored. Raises KplanError for a release that kplan does not know.
    """
    store = cluster.store if cluster is not None else None
    release = cluster.version if cluster is not None else releases.parse(version)
    return process(doc, release=release, store=store)


def process(doc: Value | str, *, release: str, store: Store | None = None) -> Admission:
    """`admit` on a store."""
    value: Value | None = None
    try:
        value = _read(doc)
        stored, warnings = _create(value, release, store)
    except Refused as no:
        return Admission(False, no.status, no.message, no.causes, (), value)
    return Admission(True, 201, "", (), tuple(warnings), value, stored)


def _read(doc: Value | str) -> Value:
    if isinstance(doc, dict):
        return doc
    raise NotImplementedError("text")


def _create(value: Value, release: str, store: Store | None) -> tuple[Value, list[str]]:
    request = _request(value, release, store)
    new = default(value, release)
    new = _admission("mutate", new, request)
    new = strategy.prepare_for_create(new, request)
    try:
        causes = validate(new, group=request.group, context=Context(request.minor, store))
    except ModuleNotFoundError:  # until every family is written
        causes = []
    if causes:
        raise invalid(request, causes)
    warnings = _warnings(new, request)
    _admission("validate", new, request)
    return new, warnings


def _request(value: Value, release: str, store: Store | None) -> Request:
    group, version = split_api_version(str(value.get("apiVersion", "")))
    kind = str(value.get("kind", ""))
    meta = value.get("metadata") or {}
    return Request(
        group,
        version,
        kind,
        kind.lower() + "s",
        meta.get("namespace") or "",
        meta.get("name") or "",
        release,
        releases.minor(release),
        store,
    )


def _admission(stage: str, obj: Value, request: Request) -> Value:
    if find_spec("kplan.api.admission") is None:
        return obj
    stage_function = getattr(import_module("kplan.api.admission"), stage)
    return stage_function(obj, request) or obj


def _warnings(obj: Value, request: Request) -> list[str]:
    if find_spec("kplan.api.warnings") is None:
        return []
    return list(import_module("kplan.api.warnings").warn(obj, request))


def invalid(request: Request, causes: list[Cause]) -> Refused:
    """The 422 of an object: one error, or all in brackets; the message holds every distinct error once."""
    kind = f"{request.kind}.{request.group}" if request.group else request.kind
    errors = list(dict.fromkeys(f"{c.field}: {c.message}" for c in causes))
    body = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
    return Refused(422, f'{kind} "{request.name}" is invalid: {body}', tuple(causes))
