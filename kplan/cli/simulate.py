"""`kplan simulate`: read manifests and nodes, let the cluster come to rest, print what becomes of everything."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kplan import release
from kplan.cli import options, output
from kplan.cli.predicted import MOST_PODS, Input, come_to_rest, read, surroundings
from kplan.cli.reading import ALLOW_EMPTY, nothing, unread
from kplan.errors import KplanError
from kplan.placement import Simulation
from kplan.render.admission import Answered

PENDING = 2
_ADD = re.compile(r"(\d{1,5})(?::(.+))?")
_WHAT_IFS = ("explain", "drain", "add_nodes", "until_full", "scheduler_config")  # and nodes_needed
_NOT_WITH = {
    "script": "--script",
    "metrics": "--metrics",
    "load_balancer_pool": "--load-balancer-pool",
    "steps": "--steps",
    "events": "--events",
}

EXAMPLES = """\
kplan simulate manifests/ --nodes nodes.yaml           what becomes of them: pods, events, what is not ready
kplan simulate manifests/ --script script.yaml         with containers that crash or never become ready
kplan simulate manifests/ --metrics load.yaml          with what autoscalers measure
kplan simulate manifests/ --events --steps             all that happens, with its time
kplan simulate manifests/ --explain web                why that node, node by node
kplan simulate dump.yaml --drain node-3                what `kubectl drain` would lead to
kplan simulate manifests/ --add-nodes 2                with two more nodes; 2:node-1 makes them like node-1
kplan simulate manifests/ --until-full web             how many more copies fit
kplan simulate manifests/ --nodes-needed               how many nodes are missing
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option("--nodes", metavar="PATH", multiple=True, help="Nodes, and what else is in the cluster. Repeatable.")
@options.script
@options.metrics
@options.load_balancer_pool
@click.option("--events", is_flag=True, help="Print all events in their order.")
@click.option("--steps", is_flag=True, help="Print what was written at each step.")
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
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 if a pod has no node, a workload is not ready or refused."
)
@options.kube_version
@options.exclude
@options.allow_empty
def command(**given: Any) -> int:
    """Let controllers, scheduler and kubelets work on manifests, and print what becomes of them.

    PATHS hold manifests, which are applied one after the other, --nodes what is in the cluster already; without any
    nodes a default pool is used. NAME in a script is that of a pod, workload or image, also with `*`; what it does not
    name becomes ready, and Jobs succeed. The questions --explain, --drain, --add-nodes, --until-full, --nodes-needed
    and --scheduler-config are answered by the scheduler alone: pods are placed, and nothing else happens. Nothing is
    applied to a real cluster, and none is asked.

    Exit codes: 0, or 1 if kplan could not run; with --detailed-exitcode 2 if something is not as it should be.
    """
    if not given["paths"]:
        raise KplanError("no manifests given", hint="kplan simulate PATH --nodes FILE")
    simulation, refused = run(given)
    output.write(text(simulation, refused, given))
    if simulation.unreadable:
        raise unread(simulation.unreadable, "objects may be missing")
    return PENDING if given["detailed_exitcode"] and (refused or not simulation.is_well) else 0


def run(given: Mapping[str, Any]) -> tuple[Simulation, Sequence[Answered]]:
    """Read the input and simulate; also what the API server refused. Raises KplanError if there is nothing."""
    version = release.parse(given["kube_version"] or release.DEFAULT)
    asked = given["nodes_needed"] is not None or any(given[name] for name in _WHAT_IFS)
    if asked:
        wrong = next((flag for name, flag in _NOT_WITH.items() if given[name]), None)
        if wrong is not None:
            raise KplanError(f"{wrong} does not go with a question that the scheduler answers alone")
        return _placed(given, version), ()
    found = read(given["paths"], given["nodes"], exclude=given["exclude"], empty=True)
    if not found.loaded.documents and not given["allow_empty"]:
        raise nothing(found.loaded, given["paths"], ALLOW_EMPTY)
    if found.pods > MOST_PODS:
        return _too_many(found, version), ()
    return _followed(found, version, given)


def _followed(found: Input, version: str, given: Mapping[str, Any]) -> tuple[Simulation, Sequence[Answered]]:
    """The cluster at rest, and what became of it."""
    from kplan.cli import script as scripts
    from kplan.render.columns.pods import summary
    from kplan.survey import survey

    around = surroundings(given)
    at_rest = come_to_rest(found, version, around=around)
    unused = scripts.unused(around.script or (), at_rest.cluster.store)
    notes = [n for n in at_rest.notes if n != found.pool]
    notes += [f"the script says how {name} fares, and no pod is called so" for name in unused]
    seen = survey(at_rest.cluster, at_rest.rests, at_rest.began, at_rest.placed, found.pool, notes)
    assert seen.results is not None
    statuses = {
        (p["metadata"].get("namespace", ""), p["metadata"]["name"]): summary(p).status
        for p in at_rest.cluster.objects("Pod")
    }
    results = replace(seen.results, statuses=statuses)
    loaded = found.loaded
    done = replace(seen, results=results, skipped=loaded.skipped, unreadable=loaded.unreadable)
    return done, at_rest.refused


def _too_many(found: Input, version: str) -> Simulation:
    """Only where the pods go."""
    from kplan.scheduler.simulation import Question, simulate

    objects = [*found.stored, *(d.value for d in found.applied)]
    placed = simulate(objects, Question(version=version))
    note = f"about {found.pods} pods are too many to follow (at most {MOST_PODS}): they are only placed"
    loaded = found.loaded
    return replace(
        placed, pool=found.pool, notes=(note, *placed.notes), skipped=loaded.skipped, unreadable=loaded.unreadable
    )


def _placed(given: Mapping[str, Any], version: str) -> Simulation:
    """The answer of the scheduler alone to what is asked."""
    from kplan.scheduler import profile
    from kplan.scheduler.simulation import Question, simulate
    from kplan.source import load

    paths = (*given["nodes"], *given["paths"])
    loaded = load(paths, exclude=given["exclude"], stdin=sys.stdin.buffer.read() if "-" in paths else None)
    if not loaded.documents and not given["allow_empty"]:
        raise nothing(loaded, paths, ALLOW_EMPTY)
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


def text(simulation: Simulation, refused: Sequence[Answered], given: Mapping[str, Any]) -> str:
    """The simulation in the format that was asked for."""
    from kplan.render import simulate_json, simulate_text

    if given["format_"] == "json":
        return simulate_json.render(simulation, refused)
    return simulate_text.render(simulation, refused, events=given["events"], steps=given["steps"])
