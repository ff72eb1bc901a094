"""`kplan state`: keep sets of manifests to compare with later, for those who cannot reach the cluster."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kplan import __version__
from kplan.cli import options, output
from kplan.cli.against import state_folder
from kplan.cli.linting import load_config
from kplan.cli.reading import nothing
from kplan.errors import KplanError

if TYPE_CHECKING:
    from kplan.config import Config
    from kplan.model import Document
    from kplan.source.state import Revision, Store

folder_option = click.option(
    "--state",
    "folder",
    metavar="DIR",
    help="Folder of the state store. [default: .kplan/state in the folder of .kplan.yaml or .git]",
)


@click.group(no_args_is_help=False)
def command() -> None:
    """Save what is deployed, and compare with it later.

    \b
    Examples:
      kplan state save manifests/            after each deployment
      kplan plan manifests/ --against state  what has changed since
      kplan state list

    A revision holds the objects of the manifests. Secret values are not in it: keyed fingerprints stand for them, which
    tell whether a value is the same and nothing else. The key is the file `key` of the store. It belongs to the store
    but not into git: whoever has both can try passwords.
    """


@command.command(
    cls=options.Command,
    examples="kplan state save manifests/            after each deployment\nkplan state save git:v1.4:manifests",
)
@click.argument("paths", nargs=-1)
@folder_option
@click.option("-n", "--namespace", default="", help="Namespace of objects that name none.")
@options.kube_version
@options.exclude
@options.allow_empty
@options.config_file
@options.no_config
def save(**given: Any) -> None:
    """Save the objects of manifests as the next revision.

    Nothing is saved where they are those of the latest revision.
    """
    from kplan.plan.fingerprints import Fingerprints, sealed

    if not given["paths"]:
        raise KplanError("no manifests given", hint="kplan state save PATH")
    config = _config(given)
    documents = _documents(given, config)
    store = _store(config)
    key = store.key(create=True)
    fingerprints = Fingerprints(key)
    revision, new = store.save(
        (sealed(d.value, fingerprints) for d in documents),
        origin=" ".join(given["paths"]),
        saved=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        key=key,
        tool=__version__,
    )
    said = f"Saved revision {revision.number} ({revision.short})" if new else f"Nothing new since {_title(revision)}"
    output.write(f"{said}: {_count(len(revision.objects))}.")


def _documents(given: dict[str, Any], config: Config) -> tuple[Document, ...]:
    """The objects to save. Raises KplanError if any of the input could not be read: a state is whole."""
    from kplan.plan.inputs import chosen
    from kplan.render.sanitise import one_line
    from kplan.source import STDIN, load

    stdin = sys.stdin.buffer.read() if STDIN in given["paths"] else None
    loaded = load(given["paths"], exclude=config.exclude, stdin=stdin)
    if loaded.unreadable:
        first = loaded.unreadable[0]
        raise KplanError(f"nothing is saved, because {first.span} cannot be read: {first.message}")
    documents, skipped, warnings = chosen(loaded.documents, namespace=given["namespace"], version=config.kube_version)
    for one in (*loaded.skipped, *skipped):
        sys.stderr.write(f"skipped {one_line(str(one.span or one.file))}: {one_line(one.reason)}\n")
    sys.stderr.write("".join(f"warning: {one_line(text)}\n" for text in warnings))
    if not documents and not config.allow_empty:
        raise nothing(loaded, given["paths"], "--allow-empty saves a state of nothing")
    return documents


@command.command("list", cls=options.Command, examples="kplan state list\nkplan state list --format json")
@folder_option
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
@options.config_file
@options.no_config
def list_(**given: Any) -> None:
    """List the revisions, from old to new."""
    from kplan.render import json, table
    from kplan.render.sanitise import one_line

    store = _store(_config(given))
    found = [store.read(number) for number in store.numbers()]
    if given["format_"] == "json":
        rows = [{**r._asdict(), "objects": len(r.objects)} for r in found]
        output.write(json.dump([{k: v for k, v in row.items() if k != "key"} for row in rows]))
    elif found:
        cells = [(str(r.number), r.short, r.saved, str(len(r.objects)), one_line(r.origin)) for r in found]
        output.write(table.text(table.Table(("revision", "id", "saved", "objects", "from"), cells)))
    else:
        output.write(f"No state in {store.folder}.")


@command.command(cls=options.Command, examples="kplan state show\nkplan state show 3\nkplan state show 1f2e3d4c")
@click.argument("rev", default="latest")
@folder_option
@options.config_file
@options.no_config
def show(**given: Any) -> None:
    """Print the objects of a revision as YAML; REV is a number, the start of an id, or `latest`.

    Secret values are marks: equal ones have equal numbers.
    """
    from kplan.plan.secrets import Masks, mask
    from kplan.render.sanitise import clean
    from kplan.yamlio.write import dump_all

    revision = _store(_config(given)).find(given["rev"])
    masks = Masks()
    output.write(clean(dump_all([mask(value, masks) for value in revision.objects])))


@command.command(cls=options.Command, examples="kplan state rm 3\nkplan state rm 1 2")
@click.argument("revs", nargs=-1, required=True, metavar="REV...")
@folder_option
@options.config_file
@options.no_config
def rm(**given: Any) -> None:
    """Remove revisions; each REV is a number, the start of an id, or `latest`.

    By its number even one goes that is damaged.
    """
    store = _store(_config(given))
    there = store.numbers()
    numbers = [int(r) if r.isdecimal() and int(r) in there else store.find(r).number for r in given["revs"]]
    for number in dict.fromkeys(numbers):
        store.remove(number)
        output.write(f"Removed revision {number}.")


def _config(given: dict[str, Any]) -> Config:
    flags = {"state": given["folder"], "exclude": given.get("exclude"), "kube-version": given.get("kube_version")}
    flags["allow-empty"] = given.get("allow_empty") or None
    return load_config(flags, given["config_file"], no_file=given["no_config"])


def _store(config: Config) -> Store:
    from kplan.source.state import Store

    return Store(state_folder(config))


def _title(revision: Revision) -> str:
    return f"revision {revision.number} ({revision.short})"


def _count(number: int) -> str:
    return f"{number} object{'s' * (number != 1)}"
