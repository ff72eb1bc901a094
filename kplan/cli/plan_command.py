"""The command line of `kplan plan`; what it does is in kplan/cli/plan.py, which the usual form asks without click."""

from __future__ import annotations

from typing import Any

import click

from kplan.cli import PLAN_FORMATS, options
from kplan.cli.plan import run

EXAMPLES = """\
kplan plan manifests/ --against git:main        what merging this branch would change
kplan plan overlays/prod --against overlays/staging
kplan plan manifests/ --against cluster         against the live cluster, read with kubectl; cluster:CONTEXT for another
kplan plan manifests/ --against cluster --prune -l app=web
kplan plan manifests/ --against state           against what `kplan state save` kept last; state:REV for an older one
kplan plan manifests/ --against dump.yaml       against `kubectl get ... -o yaml` of a cluster
kplan plan manifests/ --against nothing         everything is new
kplan plan . --against git:main --format markdown --detailed-exitcode
"""


_VIEW = (
    click.option("--format", "format_", type=click.Choice(PLAN_FORMATS), default="text", show_default=True),
    click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes."),
    click.option("--concise", is_flag=True, help="One line an object."),
    click.option("--full", is_flag=True, help="Print large new or destroyed parts whole."),
    click.option("--show-noise", is_flag=True, help="List the differences that are no change, and why."),
    click.option("--key", default="", help="Tells the markdown comments of several plans apart."),
    options.color,
)


def viewed(function: Any) -> Any:
    """A command with the options that say how a plan is printed."""
    for option in reversed(_VIEW):
        function = option(function)
    return function


_SIDES = "The current side: a folder, a file, git:REF, cluster[:CONTEXT], state[:REV], or nothing."
_PRUNE = (
    "Destroy what is only in the current state. Against a cluster it takes -l and destroys what `kubectl apply --prune`"
    " would. [default: prune; against a cluster: no-prune]"
)


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option("--against", metavar="SIDE", help=_SIDES)
@viewed
@click.option("--out", metavar="FILE", help="Save the plan; `kplan show FILE` prints it.")
@click.option("--show-secrets", is_flag=True, help="Print secret values. They are masked otherwise.")
@click.option("--prune/--no-prune", default=None, help=_PRUNE)
@click.option("--state", "folder", metavar="DIR", help="Folder of the state store. [default: .kplan/state]")
@click.option("-n", "--namespace", default="", help="Namespace of objects that name none.")
@click.option("-l", "--selector", default="", help="Compare only objects with these labels.")
@click.option(
    "--ignore", "ignores", metavar="KIND[/NAME]:PATH", multiple=True, help="No change counts here. Repeatable."
)
@click.option("--nodes", metavar="PATH", multiple=True, help="Nodes, and what else is in the cluster. Repeatable.")
@click.option(
    "--rehearsal/--no-rehearsal",
    default=None,
    help="Carry the plan out on a simulated cluster to tell what follows. [default: unless it is large]",
)
@click.option("--forbid-replace", metavar="KIND", multiple=True, help="Fail if such an object is replaced; `*` is any.")
@options.kube_version
@options.exclude
@options.allow_empty
@options.config_file
@options.no_config
def command(**given: Any) -> int:
    """Show what applying manifests would change, and in what order.

    The manifests below PATHS are the desired state. Nothing is applied, and no cluster is asked, unless it is with
    --against cluster: then kubectl reads the objects that the manifests name, as you could.
    """
    return run(given)
