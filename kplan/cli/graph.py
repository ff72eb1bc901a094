"""`kplan graph`: draw what refers to what."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from kplan.cli import options, output
from kplan.cli.linting import load_config
from kplan.cli.reading import ALLOW_EMPTY, nothing, reasons, unread
from kplan.errors import KplanError

EXAMPLES = """\
kplan graph manifests/
kplan graph manifests/ --of Deployment/web
kplan graph manifests/ --dangling --closed-world
kplan graph manifests/ --format dot | dot -Tsvg > graph.svg
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "dot", "mermaid"]), default="text", help="[default: text]")
@click.option("--of", "middle", metavar="KIND/NAME", help="Draw only this object and its neighbours.")
@click.option("--dangling", is_flag=True, help="Draw only what leads nowhere.")
@click.option("--all", "everything", is_flag=True, help="Draw edges to namespaces and definitions as well.")
@click.option("--closed-world", is_flag=True, default=None, help="What is not in the input does not exist.")
@options.exclude
@options.allow_empty
@options.config_file
@options.no_config
def command(**given: Any) -> int:
    """Draw what refers to what: by name, and by selector.

    What an object names but the input does not hold is drawn as unknown; in a closed world it is missing.
    """
    from kplan.graph import build
    from kplan.graph.drawing import draw
    from kplan.model import Object
    from kplan.render.drawing import Arc, Vertex
    from kplan.render.sanitise import one_line
    from kplan.source import load
    from kplan.store import ref_of

    flags = {
        "closed-world": given["closed_world"],
        "exclude": given["exclude"],
        "allow-empty": given["allow_empty"] or None,
    }
    config = load_config(flags, given["config_file"], no_file=given["no_config"])
    paths = given["paths"] or config.paths or (".",)
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    loaded = load(paths, exclude=config.exclude, stdin=stdin)
    if not loaded.documents and not loaded.unreadable and not config.allow_empty:
        raise nothing(loaded, paths, ALLOW_EMPTY)
    objects = (Object(ref_of(d.value), d.value, d) for d in loaded.documents)
    graph = build(objects, closed=config.closed_world, externals=config.externals)
    around = _kind_and_name(given["middle"]) if given["middle"] else None
    vertices, arcs = draw(graph, everything=given["everything"], dangling=given["dangling"], around=around)
    if around and not vertices:
        raise KplanError(f"there is no {given['middle']} in the input")
    render = import_module(f"kplan.render.graph_{given['form']}").render
    output.write(render([Vertex(*v) for v in vertices], [Arc(*a) for a in arcs]))
    if loaded.skipped:
        sys.stderr.write(f"skipped: {one_line(reasons(loaded.skipped))}\n")
    if loaded.unreadable:
        raise unread(loaded.unreadable, "objects may be missing")
    return 0


def _kind_and_name(text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not (kind and slash and name):
        raise KplanError(f"--of takes KIND/NAME, not {text!r}")
    return kind, name
