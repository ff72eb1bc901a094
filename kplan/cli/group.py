"""The click group: loads a command's module when the command is asked for, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

from kplan.cli import COMMANDS, overview
from kplan.errors import KplanError


class LazyGroup(click.Group):
    """`kplan` itself: its commands are the table COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, loaded now; None if there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but a misspelt name is answered with the near ones."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise KplanError(f"there is no command {args[0]!r}", hint=_near(args[0]))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002
        """The same text as without click."""
        return overview().rstrip("\n")


def _near(name: str) -> str:
    from difflib import get_close_matches  # slow to load

    near = get_close_matches(name, COMMANDS, n=2)
    return f"did you mean {' or '.join(near)}?" if near else "`kplan --help` lists the commands"


def invoke(argv: Sequence[str]) -> int:
    """Run a command line; gives the exit code, or raises KplanError for wrong usage."""
    try:
        result = root.main(list(argv), prog_name="kplan", standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "kplan"
        raise KplanError(error.format_message(), hint=f"{where} --help") from error
    except click.ClickException as error:
        raise KplanError(error.format_message()) from error
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return result if isinstance(result, int) else 0


root = LazyGroup(name="kplan", context_settings={"help_option_names": ["-h", "--help"]})
