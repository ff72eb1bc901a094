"""`kplan admit`: read manifests, ask the API server about one after the other, print its answers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from kplan import release
from kplan.cli import options, output
from kplan.cli.reading import ALLOW_EMPTY, nothing, say_skipped, unread
from kplan.errors import KplanError
from kplan.model import Applied, Document, Loaded
from kplan.render.admission import Answered
from kplan.store import ref_of

if TYPE_CHECKING:
    from kplan.cluster import Cluster

REFUSED = 1
_UNKNOWN_KIND = "nothing was checked: no CustomResourceDefinition of this kind is known"

EXAMPLES = """\
kplan admit manifests/                        what the server says to each object
kplan admit web.yaml -o yaml                  the objects as they would be stored
kplan admit web.yaml --cluster dump.yaml      as changes to what is in a cluster
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="Print the answers, or (yaml) the stored objects.",
)
@click.option("--cluster", metavar="PATH", multiple=True, help="What is stored already. Repeatable.")
@click.option("-n", "--namespace", default="default", help="Namespace of objects that name none. [default: default]")
@click.option("--show-secrets", is_flag=True, help="Print secret values. They are masked otherwise.")
@options.kube_version
@options.exclude
@options.allow_empty
def command(**given: Any) -> int:
    """Answer what the API server would answer to each object: defaults, validation, admission.

    PATHS are applied one after the other; later objects know the earlier ones. With --cluster, what is not there does
    not exist, and an object that is there is updated as `kubectl apply` does. Without it, what an object refers to is
    taken to exist.

    Exit codes: 0 if all are accepted, 1 if some are refused, 2 if kplan could not run.
    """
    if not given["paths"]:
        raise KplanError("no manifests given", hint="kplan admit PATH")
    version = release.parse(given["kube_version"] or release.DEFAULT)
    loaded = _load(given, given["paths"])
    if not loaded.documents and not loaded.unreadable and not given["allow_empty"]:
        raise nothing(loaded, given["paths"], ALLOW_EMPTY)
    answers = judge(loaded.documents, _stored(given, version), given["namespace"], open_world=not given["cluster"])
    shown = answers if given["show_secrets"] else _masked(answers)
    output.write(_text(shown, given["form"], version))
    _complain(loaded, answers, given["form"])
    return 0 if all(a.answer.accepted for a in answers) else REFUSED


def judge(
    documents: Iterable[Document],
    cluster: Cluster,
    namespace: str,
    *,
    open_world: bool,
    now: str = "",
    only_refused: bool = False,
) -> list[Answered]:
    """The answer to each document, in order, or only the refusals; what is accepted is stored in the cluster.

    `now` is the time that new objects carry; without it they carry none.
    """
    from kplan.api.access import commit
    from kplan.api.apply import apply_or_create

    server = cluster.server(namespace, writes=True)._replace(open_world=open_world, now=now)
    answers = []
    for document in documents:
        outcome = apply_or_create(document.value, server)
        answer = commit(outcome, cluster.store, now)
        if not (only_refused and answer.accepted):
            answers.append(_answered(document, answer, cluster))
    return answers


def _answered(document: Document, answer: Applied, cluster: Cluster) -> Answered:
    from kplan.api.customresources import catalog_of
    from kplan.lint import fieldpath

    places = [document.span(fieldpath.parse(_field(c.field), document.value)) for c in answer.causes]
    ref = ref_of(answer.object or document.value)
    unknown = answer.accepted and catalog_of(cluster.version, cluster.store).kind(ref.api_version, ref.kind) is None
    return Answered(document.span(), ref, answer, tuple(places), _UNKNOWN_KIND if unknown else "")


def _field(text: str) -> str:
    return "" if text == "<nil>" else text


def _load(given: Mapping[str, Any], paths: tuple[str, ...]) -> Loaded:
    from kplan.source import load

    return load(paths, exclude=given["exclude"], stdin=sys.stdin.buffer.read() if "-" in paths else None)


def _stored(given: Mapping[str, Any], version: str) -> Cluster:
    from kplan.cluster import Cluster

    loaded = _load(given, given["cluster"])
    if loaded.unreadable:
        first = loaded.unreadable[0]
        raise KplanError(f"the cluster cannot be read: {first.span}: {first.message}")
    return Cluster((d.value for d in loaded.documents), version=version)


def _masked(answers: Iterable[Answered]) -> list[Answered]:
    from kplan.plan.secrets import Masks, mask

    masks = Masks()
    shown = []
    for a in answers:
        stored = mask(a.answer.object, masks) if a.answer.object is not None else None
        shown.append(a._replace(answer=replace(a.answer, object=stored)))
    return shown


def _text(answers: list[Answered], form: str, version: str) -> str:
    from kplan.render import admission

    if form == "text":
        return admission.text(answers)
    if form == "json":
        return admission.json(answers, version)
    from kplan.yamlio.write import dump_all

    return dump_all([a.answer.object for a in answers if a.answer.object is not None])


def _complain(loaded: Loaded, answers: list[Answered], form: str) -> None:
    """What does not go to stdout: refusals beside YAML, and what could not be read."""
    from kplan.render import admission

    if form == "yaml":
        sys.stderr.write(admission.text(a for a in answers if not a.answer.accepted or a.answer.warnings))
    say_skipped(loaded.skipped)
    if loaded.unreadable:
        raise unread(loaded.unreadable)
