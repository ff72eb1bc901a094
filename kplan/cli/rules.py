"""`kplan rules`: the list of rules."""

from __future__ import annotations

from typing import Any

import click

from kplan.cli import options
from kplan.cli.linting import load_config
from kplan.cli.output import write

EXAMPLES = """
kplan rules                   the rules of this configuration
kplan rules --all             those that are off, too
kplan rules --format json     everything about each rule
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="[default: text]")
@click.option("--all", "every", is_flag=True, help="Also the rules that are off, with the reason.")
@options.config_file
@options.no_config
def command(form: str, every: bool, config_file: str | None, no_config: bool) -> None:
    """List the rules."""
    from kplan.lint.run import chosen, rules_of

    config = load_config({}, config_file, no_file=no_config)
    rules = rules_of(config)
    on = {r.id: r for r in chosen(rules, config)}
    shown = [on.get(r.id, r) for r in rules if every or form == "json" or r.id in on]
    if form == "json":
        from kplan.render.json import dump

        write(dump([_data(r, r.id in on) for r in shown]))
        return
    write("\n".join(f"{r.id}  {r.severity if r.id in on else 'off':<8} {r.name:<30} {r.family}" for r in shown))


def _data(rule: Any, on: bool) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "enabled": on,
        "family": rule.family,
        "tags": list(rule.tags),
        "since": rule.since,
        "why": rule.why,
        "fix": rule.fix,
        "disabled": rule.disabled,
        "references": list(rule.references),
    }
