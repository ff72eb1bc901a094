"""A report or a plan as one HTML page without scripts: opens offline, can be kept as a build artifact.

Everything from manifests goes through the template's autoescape, after control characters were made visible; the page
forbids itself to load anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kplan.model import Action, Plan, Report
from kplan.render import summary
from kplan.render.plan_text import NO_CHANGES, block_of, failures, noise_line, symbol
from kplan.render.sanitise import one_line

if TYPE_CHECKING:
    from jinja2 import Environment

_CLASSES: Mapping[str, str] = {"+": "add", "-": "del", "~": "chg", "-/+": "del"}


@cache
def _environment() -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    folder = Path(__file__).parent / "templates"
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = lambda value: one_line(str(value))
    return environment


def render(report: Report) -> str:
    """A lint report: the findings by file, worst first, with the lines that they are about."""
    files: dict[str, list[Any]] = {}
    for finding in report.findings:
        files.setdefault(finding.span.file, []).append(finding)
    template = _environment().get_template("lint.html.j2")
    return template.render(found=summary.found(report), read=summary.read(report), files=files)


def render_plan(plan: Plan, *, full: bool = False) -> str:
    """A plan: what is destroyed first, then every object with its changes folded away."""
    acting = [a for a in plan.actions if a.verb != "keep"]
    lost = [a for a in acting if a.verb in ("delete", "replace")]
    template = _environment().get_template("plan.html.j2")
    return template.render(
        counts=plan.counts,
        headline="" if acting else NO_CHANGES,
        lost=[(str(a.ref), "; ".join(a.risks)) for a in lost],
        failing=[(str(a.ref), why) for a in acting for why in failures(a)],
        actions=[_action(a, full) for a in acting],
        noise=noise_line(plan) if plan.noise else "",
        warnings=plan.warnings,
        unreadable=[f"{u.span}: {u.message}" for u in plan.unreadable],
        skipped=len(plan.skipped),
        version=plan.version,
    )


def _action(action: Action, full: bool) -> dict[str, Any]:
    mark = symbol(action)
    lines = [
        {"css": _CLASSES.get(line.symbol, ""), "text": f"{'    ' * line.depth}{line.symbol:>3} {line.text}".rstrip()}
        for line in block_of(action, full=full)
    ]
    return {"symbol": mark, "css": _CLASSES.get(mark, ""), "ref": str(action.ref), "lines": lines}
