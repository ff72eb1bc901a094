"""`kplan graph`: draw what refers to what."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from kplan.cli import options, output
from kplan.cli.linting import load_config
from kplan.errors import KplanError
from kplan.model import Loaded

EXAMPLES = """\
kplan graph manifests/
kplan graph manifests/ --of Deployment/web
kplan graph manifests/ --dangling --closed-world
kplan graph manifests/ --format dot | dot -Tsvg > graph.svg
"""
DRAWN, UNREADABLE = 0, 2


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
        raise KplanError("there is nothing to draw", hint="--allow-empty if that is how it should be")
    objects = (Object(ref_of(d.value), d.value, d) for d in loaded.documents)
    graph = build(objects, closed=config.closed_world, externals=config.externals)
    around = _kind_and_name(given["middle"]) if given["middle"] else None
    vertices, arcs = draw(graph, everything=given["everything"], dangling=given["dangling"], around=around)
    if around and not vertices:
        raise KplanError(f"there is no {given['middle']} in the input")
    render = import_module(f"kplan.render.graph_{given['form']}").render
    output.write(render([Vertex(*v) for v in vertices], [Arc(*a) for a in arcs]))
    return _report(loaded)


def _kind_and_name(text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not (kind and slash and name):
        raise KplanError(f"--of takes KIND/NAME, not {text!r}")
    return kind, name


def _report(loaded: Loaded) -> int:
    """Say on stderr what was left out, and give the exit code."""
    if loaded.skipped or loaded.unreadable:
        sys.stderr.write(f"left out: {len(loaded.skipped)} skipped, {len(loaded.unreadable)} unreadable\n")
    return UNREADABLE if loaded.unreadable else DRAWN
