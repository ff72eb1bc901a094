"""`kplan simulate`: read manifests and nodes, place the pods, print where everything goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kplan import release
from kplan.cli import options, output
from kplan.errors import KplanError
from kplan.placement import Simulation

PENDING = 2
_ADD = re.compile(r"(\d{1,5})(?::(.+))?")

EXAMPLES = """\
kplan simulate manifests/ --nodes nodes.yaml           where every pod would go
kplan simulate manifests/ --explain web                why that node, node by node
kplan simulate dump.yaml --drain node-3                what `kubectl drain` would lead to
kplan simulate manifests/ --add-nodes 2:node-1         with two more nodes like node-1
kplan simulate manifests/ --until-full web             how many more copies fit
kplan simulate manifests/ --nodes-needed               how many nodes are missing
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option("--nodes", metavar="PATH", multiple=True, help="Nodes, and what else is in the cluster. Repeatable.")
@click.option("--explain", metavar="POD", default="", help="Print what each node and plugin says to this pod.")
@click.option("--drain", metavar="NODE", multiple=True, help="Evict the pods of this node. Repeatable.")
@click.option("--add-nodes", metavar="N[:LIKE]", multiple=True, help="Add N copies of a node. Repeatable.")
@click.option("--until-full", metavar="POD", default="", help="Count the copies of this pod that still fit.")
@click.option(
    "--nodes-needed",
    metavar="[LIKE]",
    is_flag=False,
    flag_value="",
    default=None,
    help="Add as few nodes as place every pod that more nodes can place.",
)
@click.option("--scheduler-config", metavar="FILE", help="A KubeSchedulerConfiguration to honour.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if a pod is left without a node.")
@options.kube_version
@options.exclude
@options.allow_empty
def command(**given: Any) -> int:
    """Place the pods of manifests on nodes as kube-scheduler would, and print what becomes of them.

    PATHS hold workloads and pods, with --nodes a file of the machines; without any nodes a default pool is used.
    Nothing is applied, and no cluster is asked.
    """
    if not given["paths"]:
        raise KplanError("no manifests given", hint="kplan simulate PATH --nodes FILE")
    simulation = run(given, stdin=sys.stdin.buffer.read)
    output.write(text(simulation, given["format_"]))
    if simulation.unreadable:
        first = simulation.unreadable[0]
        raise KplanError(
            f"{len(simulation.unreadable)} documents could not be read, so pods may be missing",
            hint=f"first: {first.span}: {first.message}",
        )
    return PENDING if given["detailed_exitcode"] and simulation.pending else 0


def run(given: Mapping[str, Any], *, stdin: Any = None) -> Simulation:
    """Read the input and simulate. Raises KplanError where there is nothing to simulate."""
    from kplan.scheduler import profile
    from kplan.scheduler.simulation import Question, simulate
    from kplan.source import load

    version = release.parse(given["kube_version"] or release.DEFAULT)
    paths = (*given["nodes"], *given["paths"])
    loaded = load(paths, exclude=given["exclude"], stdin=stdin() if "-" in paths and stdin else None)
    if not loaded.documents and not given["allow_empty"]:
        raise KplanError(f"no manifests in {' '.join(paths)}", hint="--allow-empty if that is how it should be")
    profiles = profile.read(_config(given["scheduler_config"]), version) if given["scheduler_config"] else {}
    question = Question(
        version=version,
        profiles=profiles,
        explain=given["explain"],
        drain=given["drain"],
        add=tuple(map(extra, given["add_nodes"])),
        until_full=given["until_full"],
        needed_like=given["nodes_needed"],
    )
    simulation = simulate([d.value for d in loaded.documents], question)
    return replace(simulation, skipped=loaded.skipped, unreadable=loaded.unreadable)


def extra(text: str) -> Any:
    """`3` or `3:node-1` as nodes to add. Raises KplanError for another form."""
    from kplan.scheduler.simulation import Extra

    m = _ADD.fullmatch(text)
    if m is None:
        raise KplanError(f"--add-nodes takes N or N:NODE, not {text!r}")
    return Extra(int(m[1]), m[2] or "")


def _config(file: str) -> dict[str, Any]:
    from kplan.yamlio import load_value

    try:
        value = load_value(Path(file).read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        raise KplanError(f"cannot read {file}: {error}") from error
    return value if isinstance(value, dict) else {}


def text(simulation: Simulation, form: str) -> str:
    """The simulation in the format that was asked for."""
    from kplan.render import simulate_json, simulate_text

    return simulate_json.render(simulation) if form == "json" else simulate_text.render(simulation)
