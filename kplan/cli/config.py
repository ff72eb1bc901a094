"""`kplan config show`: every setting, its value and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from kplan.cli import options
from kplan.cli.linting import load_config
from kplan.cli.output import write
from kplan.config import shown


@click.group(no_args_is_help=False, help="Show the configuration, and where each value comes from.")
def command() -> None:
    """The group of commands about the configuration."""


@command.command(cls=options.Command, examples="kplan config show\nKPLAN_FAIL_ON=warning kplan config show")
@options.config_file
@options.no_config
def show(config_file: str | None, no_config: bool) -> None:
    """Print every setting, its value and where that comes from."""
    config = load_config({}, config_file, no_file=no_config)
    write("\n".join(f"{key} = {_text(value)}  # {origin}" for key, value, origin in shown(config)))


def _text(value: Any) -> str:
    from kplan.render.json import dump

    if isinstance(value, Mapping):
        value = dict(value)
    elif isinstance(value, tuple):
        value = [v._asdict() if hasattr(v, "_asdict") else v for v in value]
    return " ".join(dump(value).split())
