"""`kplan completion SHELL`: the script that teaches a shell to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kplan.cli import options
from kplan.cli.output import write

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=options.Command, examples='eval "$(kplan completion bash)"\nkplan completion fish | source')
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    from kplan.cli.group import root

    kind = get_completion_class(shell)
    assert kind is not None
    write(kind(root, {}, "kplan", "_KPLAN_COMPLETE").source())
