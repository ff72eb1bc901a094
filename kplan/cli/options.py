"""Options that several commands share, and a command whose help shows examples first."""

from __future__ import annotations

import inspect

import click

from kplan import release

kube_version = click.option(
    "--kube-version",
    metavar="X.Y",
    help=f"Kubernetes release to judge by: 1.{release.OLDEST} to 1.{release.NEWEST}. [default: {release.DEFAULT}]",
)
color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    help="Colour of text output. NO_COLOR and FORCE_COLOR count where this is not given. [default: auto]",
)
exclude = click.option(
    "--exclude",
    metavar="GLOB",
    multiple=True,
    help="Leave out files that match, even if named. Repeatable.",
)
allow_empty = click.option("--allow-empty", is_flag=True, help="No manifests to read is no error.")
stdin_name = click.option("--stdin-name", metavar="FILE", help="What messages call the standard input, read as `-`.")
config_file = click.option("--config", "config_file", metavar="FILE", help="Read this configuration file.")
no_config = click.option("--no-config", is_flag=True, help="Read no configuration file.")
output = click.option(
    "-o",
    "--output",
    metavar="FORMAT=FILE",
    multiple=True,
    help="Write this format to a file besides; `-` is stdout. Repeatable.",
)


script = click.option(
    "--script", metavar="FILE", help="How containers fare: {NAME: {ready: false, crashes: true, exitCode: N}}."
)
metrics = click.option(
    "--metrics", metavar="FILE", help="What pods measure, for autoscalers: {pods: {NAMESPACE/POD: {cpu: 250m}}}."
)
load_balancer_pool = click.option(
    "--load-balancer-pool",
    metavar="ADDRESSES",
    multiple=True,
    help="Give these to Services of type LoadBalancer: 192.0.2.0/28, 192.0.2.1-192.0.2.9. Repeatable.",
)


class Command(click.Command):
    """A click command with examples, one a line, that its help starts with."""

    def __init__(self, *args: object, examples: str = "", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own long signature
        self.examples = examples

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does, examples, usage, options."""
        formatter.write((self.help or "").strip().partition("\n")[0] + "\n\n")
        if self.examples:
            formatter.write("Examples:\n" + "".join(f"  {e.strip()}\n" for e in self.examples.strip().splitlines()))
            formatter.write("\n")
        self.format_usage(ctx, formatter)
        self._format_rest(formatter)
        self.format_options(ctx, formatter)

    def _format_rest(self, formatter: click.HelpFormatter) -> None:
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n")[1:]:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph)
