"""`kplan show`: print a saved plan, unless what it was made from has changed since."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kplan.cli import options, output, plan, plan_command
from kplan.errors import KplanError
from kplan.plan.saved import AGAIN, Saved, load
from kplan.sealed import damaged

EXAMPLES = """\
kplan show plan.json
kplan show plan.json --format markdown
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("file")
@plan_command.viewed
def command(**given: Any) -> int:
    """Print a plan that `kplan plan --out FILE` saved.

    A plan is stale, and refused, when the manifests or the current side have changed since. Run it where the plan was
    made: its paths are relative.
    """
    saved = read(given["file"])
    check(saved)
    try:
        text = plan.text(saved.plan, given, saved_to=given["file"])
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise damaged(given["file"], AGAIN) from error
    output.write(text)
    plan.refuse(saved.plan, ())
    return plan.exit_code(saved.plan, given)


def read(file: str) -> Saved:
    """The saved plan in a file. Raises KplanError."""
    try:
        text = Path(file).read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise KplanError(f"{file} is not a saved plan") from error
    except OSError as error:
        raise KplanError(f"cannot read {file}: {error.strerror or error}") from error
    return load(text, file)


def check(saved: Saved) -> None:
    """Raise KplanError if what the plan was made from is not what is there now."""
    request = _request(saved.request)
    if "-" in (*request.paths, request.against):
        sys.stderr.write("note: the plan was made from standard input, so nobody can tell whether it is stale\n")
        return
    try:
        sides = plan.read(request)
    except KplanError as error:
        raise _stale(error.message) from error
    for side, before, now in zip(sides, saved.fingerprints, plan.fingerprints(sides, saved.salt), strict=True):
        if before != now:
            raise _stale(f"{side.name} has changed since the plan was made")


def _stale(why: str) -> KplanError:
    return KplanError(f"Saved plan is stale: {why}", hint=AGAIN)


def _request(raw: Mapping[str, Any]) -> plan.Request:
    values: dict[str, Any] = {k: tuple(map(str, v)) if isinstance(v, list) else v for k, v in raw.items()}
    sample = asdict(plan.Request((), ""))
    values = {**sample, **values}  # a plan of an older release lacks what came later
    if values.keys() != sample.keys() or any(type(v) is not type(sample[k]) for k, v in values.items()):
        raise damaged("the saved plan", AGAIN)
    return plan.Request(**values)
