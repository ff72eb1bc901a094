"""A plan as Markdown for a comment on a merge request: what matters first, the plan itself in a `diff` fence.

GitHub colours a `diff` block by the first column, so the symbols stand there. A fence is longer than any run of
backticks inside it, and a comment never exceeds the limit of the place it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kplan.model import Action, Plan
from kplan.render.plan_body import Line
from kplan.render.plan_text import NO_CHANGES, block_of, counted, failures, noise_line, symbol
from kplan.render.sanitise import one_line

_TICKS = re.compile(r"`+")
_COLUMN_ONE = {"~": "!", "": " "}


@dataclass(frozen=True, slots=True)
class Options:
    """`key` tells comments of several plans apart; `limit` is in characters (GitHub takes 65,536)."""

    key: str = ""
    limit: int = 65_536
    full: bool = False


def render(plan: Plan, options: Options) -> str:
    """The comment. Objects that find no room are named, then counted."""
    acting = [a for a in plan.actions if a.verb != "keep"]
    head = "\n".join(_head(plan, acting, options)) + "\n"
    tail = "\n".join(_tail(plan)) + "\n"
    if not acting:
        return head + tail
    room = options.limit - len(head) - len(tail) - 200
    return head + _details(acting, room, options) + tail


def _head(plan: Plan, acting: list[Action], options: Options) -> Iterator[str]:
    marker = re.sub(r"[^\w.:/-]", "", options.key)
    yield f"<!-- kplan:plan{':' + marker if marker else ''} -->"
    c = plan.counts
    if not acting:
        yield f"### {NO_CHANGES}"
        return
    yield f"### Plan: {c.add} to add, {c.change} to change, {c.destroy} to destroy"
    lost = [a for a in acting if a.verb in ("delete", "replace")]
    if lost:
        yield ""
        yield "**Destroyed or replaced:**"
        yield ""
        for a in lost[:20]:
            risks = f" ({one_line('; '.join(a.risks))})" if a.risks else ""
            yield f"- {code(symbol(a))} {code(str(a.ref))}{risks}"
        if len(lost) > 20:
            yield f"- and {len(lost) - 20} more"
    failing = [(a, why) for a in acting for why in failures(a)]
    if failing:
        yield ""
        yield "**Will not go through:**"
        yield ""
        for a, why in failing[:20]:
            yield f"- {code(symbol(a))} {code(str(a.ref))}: {code(why)}"
        if len(failing) > 20:
            yield f"- and {len(failing) - 20} more"
    yield ""


def _details(acting: list[Action], room: int, options: Options) -> str:
    blocks: list[str] = []
    short: list[str] = []
    for action in acting:
        block = "\n".join(map(_column_one, block_of(action, full=options.full)))
        if not short and len(block) + 1 <= room - 40 * (len(acting) - len(blocks)):
            blocks.append(block)
            room -= len(block) + 1
            continue
        line = _column_one(Line(0, symbol(action), one_line(str(action.ref))))
        if len(line) + 1 <= room:
            short.append(line)
            room -= len(line) + 1
    text = "\n".join(blocks + short)
    missing = len(acting) - len(blocks) - len(short)
    fence = "`" * max(3, max(map(len, _TICKS.findall(text)), default=0) + 1)
    out = f"<details><summary>{counted(len(acting), 'object')}</summary>\n\n{fence}diff\n{text}\n{fence}\n\n"
    if short or missing:
        out += f"_Shortened to fit: {len(short)} objects without details, {missing} left out._\n\n"
    return out + "</details>\n"


def _column_one(line: Line) -> str:
    mark = _COLUMN_ONE.get(line.symbol, line.symbol)
    return f"{mark:<3} {'    ' * line.depth}{line.text}".rstrip()


def _tail(plan: Plan) -> Iterator[str]:
    yield ""
    if plan.noise:
        yield f"Not counted as change: {noise_line(plan)}.  "
    for warning in plan.warnings[:20]:
        yield f"Warning: {code(warning)}  "
    if plan.unreadable or plan.skipped:
        yield f"{counted(len(plan.unreadable), 'document')} unreadable, {len(plan.skipped)} skipped.  "


def code(text: str) -> str:
    """Text of the user's as inline code: no markup, mention or image in it takes effect."""
    clean = one_line(text)
    ticks = "`" * (max(map(len, _TICKS.findall(clean)), default=0) + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{ticks}{pad}{clean}{pad}{ticks}"
