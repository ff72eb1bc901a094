"""`kplan explain RULE`: the page of a rule."""

from __future__ import annotations

import click

from kplan.cli import options
from kplan.cli.linting import load_config
from kplan.cli.output import write

EXAMPLES = """
kplan explain image-tag
kplan explain KP201
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("rule")
@options.config_file
@options.no_config
def command(rule: str, config_file: str | None, no_config: bool) -> None:
    """Say what a rule finds, why, and how to fix it."""
    from kplan.lint.page import page
    from kplan.lint.ruleset import find
    from kplan.lint.run import rules_of

    config = load_config({}, config_file, no_file=no_config)
    write(page(find(rules_of(config, compiled=False), rule)))
