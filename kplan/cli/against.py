"""The current sides that are no files: a live cluster (`cluster[:CONTEXT]`) and a saved state (`state[:REV]`)."""

from __future__ import annotations

import os

from kplan import labels
from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING
from kplan.model import Document, Loaded, Span
from kplan.model import Path as Place
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from kplan.cli.plan import Request, Side
    from kplan.config import Config

CLUSTER, STATE = "cluster", "state"
FOLDER = ".kplan/state"


class Source(NamedTuple):
    """What is read, `cluster` or `state`, and which of them: a context or a revision, "" for the usual one."""

    scheme: str
    which: str


def source(against: str) -> Source | None:
    """What an --against speaks of; None for files. Raises KplanError where it could be either."""
    scheme, colon, which = against.partition(":")
    if scheme not in (CLUSTER, STATE):
        return None
    if not colon and os.path.exists(scheme):
        what = "the live cluster" if scheme == CLUSTER else "the saved state"
        raise KplanError(f"--against {scheme} could be a path here, or {what}", hint=f"./{scheme}, or {scheme}:")
    return Source(scheme, which)


def prunes(against: str, asked: bool | None, selector: str) -> bool:
    """Whether what is only in the current state is destroyed; `asked` is None where the user does not say.

    In a live cluster it belongs to others, unless a selector says what does not. Raises KplanError without one.
    """
    found = source(against) if against else None
    if found is None or found.scheme != CLUSTER:
        return asked is not False
    if asked and not selector:
        raise KplanError(
            "--prune against a live cluster takes a selector: what is there besides may belong to others",
            hint="-l app=web: what has these labels and was applied by kubectl is destroyed, as by apply --prune -l",
        )
    return bool(asked)


def state_folder(config: Config) -> str:
    """The folder of the state store."""
    return config.state or os.path.normpath(os.path.join(config.root, FOLDER))


def sides(request: Request, found: Source, given: tuple[Side, Side]) -> tuple[Side, Side]:
    """The current side, and the desired side as it is compared with it; the current one that is given has nothing in
    it yet. Raises KplanError."""
    return (_state if found.scheme == STATE else _cluster)(request, found.which, *given)


def _cluster(request: Request, context: str, empty: Side, desired: Side) -> tuple[Side, Side]:
    from kplan.plan import against
    from kplan.plan.inputs import chosen
    from kplan.schema.catalog import catalog
    from kplan.source import live

    crds = [v for v in desired.values if v.get("kind") == "CustomResourceDefinition"]
    kinds = catalog(request.kube_version).with_crds(crds)
    documents, warnings = desired.documents, desired.warnings
    namespace = request.namespace
    if against.unplaced(documents, kinds):
        namespace = namespace or live.namespace_of(context)
        documents, _, more = chosen(documents, namespace=namespace, version=request.kube_version)
        warnings = (*warnings, *more)
    prune = labels.parse(request.selector) if request.prune else None
    question = against.Question(documents, kinds, namespace, prune)
    compared = against.compared(question, live.read(question.asked(), context), request.against)
    current = empty._replace(
        name=request.against,
        loaded=Loaded((), unreadable=compared.unreadable),
        documents=tuple(_document(value, request.against, at) for at, value in enumerate(compared.current)),
        skipped=(),
        warnings=compared.warnings,
    )
    return current, desired._replace(documents=compared.desired, warnings=warnings)


def _state(request: Request, name: str, empty: Side, desired: Side) -> tuple[Side, Side]:
    from dataclasses import replace

    from kplan.plan.fingerprints import Fingerprints, sealed
    from kplan.plan.inputs import chosen
    from kplan.source.state import LATEST, Store, key_name

    if request.show_secrets:
        raise KplanError("a saved state holds no secret values", hint="leave out --show-secrets")
    store = Store(request.state)
    revision = store.find(name or LATEST)
    key = store.key()
    if key_name(key) != revision.key:
        raise KplanError(
            f"revision {revision.number} was saved with another key than that of {store.folder}",
            hint="secrets cannot be compared: save the state again",
        )
    title = f"{STATE}:{revision.number}"
    saved = (_document(value, title, at) for at, value in enumerate(revision.objects))
    selector = labels.parse(request.selector) if request.selector else []
    documents, skipped, warnings = chosen(
        saved, namespace=request.namespace, selector=selector, version=request.kube_version
    )
    current = empty._replace(name=title, loaded=Loaded(()), documents=documents, skipped=skipped, warnings=warnings)
    fingerprints = Fingerprints(key)
    compared = (replace(d, value=sealed(d.value, fingerprints)) for d in desired.documents)
    return current, desired._replace(documents=tuple(compared))


def _document(value: dict[str, object], file: str, index: int) -> Document:
    """An object that stands in no file: its place is line 0."""
    span = Span(file, 0, 0, 0, 0)

    def locate(path: Place, *, key: bool = False) -> Span:  # noqa: ARG001
        return span

    return Document(file, index, None, value, 0, locate)
