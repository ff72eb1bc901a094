"""`kplan lint`: its options."""

from __future__ import annotations

import sys
from typing import Any

import click

from kplan.cli import LINT_FORMATS, memory, options
from kplan.cli.linting import Request, run_lint
from kplan.config import LEVELS

EXAMPLES = """
kplan lint .                                  all manifests below this folder
kplan lint --fail-on warning deploy/ base.yaml
kplan lint --select default,pss-restricted .  with the Restricted level of Pod Security
kplan lint --ignore image-tag --severity secret-missing=error .
kplan lint -o sarif=lint.sarif -o markdown=summary.md .
helm template web charts/web | kplan lint --stdin-name charts/web -
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", type=click.Choice(LINT_FORMATS), help="Format of stdout. [default: text; github in its Actions]"
)
@options.output
@click.option("--select", metavar="RULES", multiple=True, help="Only these rules: ids, names, families, tags.")
@click.option("--ignore", metavar="RULES", multiple=True, help="All but these rules. Repeatable, or with commas.")
@click.option("--severity", metavar="RULE=LEVEL", multiple=True, help="Level of a rule: error, warning, info, off.")
@click.option("--rule-dir", metavar="DIR", multiple=True, help="Rules of your own. Repeatable.")
@click.option(
    "--fail-on", type=click.Choice([*LEVELS, "never"]), help="Least severity for exit code 1. [default: error]"
)
@click.option("--exit-zero", is_flag=True, help="Exit code 0 whatever is found, if all could be read.")
@click.option("--focus", is_flag=True, help="Report on PATHS only; the whole repository is read as context.")
@click.option("--no-cache", is_flag=True, help="Look at everything anew, and keep nothing.")
@click.option("--closed-world", is_flag=True, default=None, help="What is not in the input does not exist.")
@click.option("--external", metavar="KIND/NAME", multiple=True, help="An object that exists elsewhere. Repeatable.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file knows.")
@click.option("--write-baseline", metavar="FILE", help="Write the findings to this file, and report none.")
@options.kube_version
@options.exclude
@options.allow_empty
@options.stdin_name
@options.color
@options.config_file
@options.no_config
def command(paths: tuple[str, ...], **given: Any) -> int:
    """Find mistakes in manifests, with line and column.

    PATHS are files and folders; `-` is the standard input. Without any, those of the configuration, else this folder.

    Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run or could not read something.
    """
    flags = {
        "kube-version": given["kube_version"],
        "exclude": given["exclude"],
        "select": _words(given["select"]),
        "ignore": _words(given["ignore"]),
        "rules": _severities(given["severity"]),
        "rule-dirs": given["rule_dir"],
        "externals": given["external"],
        "fail-on": given["fail_on"],
        "closed-world": given["closed_world"],
        "allow-empty": given["allow_empty"] or None,
        "baseline": given["baseline"],
        "format": given["format"],
        "color": given["color"],
    }
    request = Request(
        paths,
        given["focus"],
        flags,
        given["config_file"],
        given["no_config"],
        given["output"],
        given["exit_zero"],
        given["stdin_name"],
        given["write_baseline"],
    )
    prints_only = not (given["write_baseline"] or given["output"])
    place = memory.place_of(("lint", repr(request)), paths) if prints_only and not given["no_cache"] else None
    known = memory.recall(place) if place is not None else None
    if known is not None:
        sys.stdout.write(known[1])
        return known[0]
    return run_lint(request, place)


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _severities(values: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [value.partition("=") for value in values]
    for rule, equals, level in pairs:
        if not (rule and equals and level):
            raise click.BadParameter(f"{rule!r} is no RULE=LEVEL", param_hint="--severity")
    return {rule: level for rule, _, level in pairs} or None
