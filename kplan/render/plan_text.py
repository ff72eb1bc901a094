"""A plan as text, in the grammar of `terraform plan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kplan.model import Absent, Action, Ignored, Plan
from kplan.record import record
from kplan.render.plan_body import Line, body, inline
from kplan.render.sanitise import one_line

WIDTH = 78
_MOST = 20
RULE = "─" * WIDTH
NO_CHANGES = "No changes. The current state matches the manifests."

LEGEND = (
    ("+", "create"),
    ("~", "update in-place"),
    ("-", "destroy"),
    ("-/+", "destroy and then create replacement"),
    ("+/-", "create replacement and then destroy"),
)
_VERBS = {
    "create": "will be created",
    "update": "will be updated in-place",
    "delete": "will be destroyed",
    "replace": "must be replaced",
}
# How the sentences begin on actions that the server refuses or that come to a halt.
_FAILS = ("will be refused", "will not be replaced", "will stick", "rollout will stick")
_REASONS = {
    "default": "filled in by defaults",
    "normalised": "another spelling of the same value",
    "empty": "empty or absent",
    "order": "order without meaning",
    "server": "metadata of the server",
    "status": "status",
    "allocated": "picked by the server",
    "controller": "kept by controllers",
    "api version": "API version",
    "ignore rule": "ignore rule",
}


@record
class Options:
    """`concise`: one line an object; `noise`: list what is no change; `full`: no large part is folded."""

    color: bool = False
    concise: bool = False
    noise: bool = False
    full: bool = False
    saved_to: str = ""


def symbol(action: Action) -> str:
    """The mark of an action, as in the legend."""
    if action.verb == "replace":
        return "+/-" if action.create_first else "-/+"
    return {"create": "+", "update": "~", "delete": "-"}.get(action.verb, "")


def render(plan: Plan, options: Options) -> str:
    """The whole text, with a final newline."""
    paint = _paint if options.color else _plain
    lines = [paint(line) for line in _lines(plan, options)]
    return "\n".join(lines) + "\n"


def _lines(plan: Plan, options: Options) -> Iterator[Line]:
    acting = [a for a in plan.actions if a.verb != "keep"]
    if acting:
        yield from _legend(acting)
        yield _text("kplan will perform the following actions:")
        yield _text("")
        for action in acting:
            yield from (_concise(action) if options.concise else block_of(action, full=options.full))
        if options.concise:
            yield _text("")
        yield from _order(acting)
        yield from _losses(acting)
        yield from _failures(acting)
    if options.noise:
        yield from _noise(plan)
    yield from _kept(plan)
    yield from _trouble(plan)
    yield from _summary(plan, acting)
    if acting and options.saved_to:
        yield from (_text(""), _text(RULE), _text(""), _text(f"Saved the plan to: {one_line(options.saved_to)}"))
    elif acting:
        yield from (_text(""), _text(RULE), _text(""))
        yield _text("Note: the plan was not saved. With --out FILE it is, and `kplan show FILE` tells if it is stale.")


def _text(text: str) -> Line:
    return Line(-1, "", text)


def _legend(acting: list[Action]) -> Iterator[Line]:
    used = {symbol(a) for a in acting}
    yield _text("Actions are marked with these symbols:")
    for mark, meaning in LEGEND:
        if mark in used:
            yield Line(0, mark, meaning)
    yield _text("")


def block_of(action: Action, *, full: bool = False) -> Iterator[Line]:
    """All lines of one object: what will happen and why, the body, an empty line."""
    yield Line(0, "", f"# {one_line(str(action.ref))} {_VERBS[action.verb]}")
    for reason in _about(action):
        yield Line(0, "", f"# ({one_line(reason)})")
    yield Line(0, symbol(action), f"{one_line(str(action.ref))} {{")
    if action.change is not None:
        for line in body(action.change, 1, full=full):
            yield line._replace(text=one_line(line.text))
    yield Line(0, "", "}")
    yield Line(0, "", "")


def _about(action: Action) -> Iterator[str]:
    yield from action.reasons
    yield from action.notes
    if action.rollout:
        yield action.rollout
    yield from action.consequences
    yield from action.risks


def _concise(action: Action) -> Iterator[Line]:
    why = action.rollout.partition("; at most ")[0].partition("; no extra")[0]  # the numbers would make it long
    if action.verb == "replace":
        why = "forced by " + ", ".join(dict.fromkeys(reason.partition(":")[0] for reason in action.reasons))
    yield Line(0, symbol(action), one_line(f"{action.ref}  ({why})" if why else str(action.ref)))


def _order(acting: list[Action]) -> Iterator[Line]:
    waves = sorted({a.wave for a in acting})
    if len(waves) < 2:
        return
    yield _text("Order of operations:")
    for wave in waves:
        names = [f"{symbol(a)} {a.ref.kind} {_short(a)}" for a in acting if a.wave == wave]
        more = f", and {len(names) - 6} more" if len(names) > 6 else ""
        yield Line(0, "", one_line(f"{wave}. {', '.join(names[:6])}{more}"))
    yield _text("")


def _short(action: Action) -> str:
    return f"{action.ref.namespace}/{action.ref.name}" if action.ref.namespace else action.ref.name


def _losses(acting: list[Action]) -> Iterator[Line]:
    lost = [a for a in acting if a.verb in ("delete", "replace")]
    if not lost:
        return
    yield _text("Destroyed or replaced:")
    for action in lost:
        risks = "; ".join(action.risks)
        yield Line(0, symbol(action), one_line(str(action.ref)) + (f": {one_line(risks)}" if risks else ""))
    yield _text("")


def failures(action: Action) -> list[str]:
    """The consequences that keep an action from working."""
    return [c for c in action.consequences if c.startswith(_FAILS)]


def _failures(acting: list[Action]) -> Iterator[Line]:
    failing = [(a, why) for a in acting for why in failures(a)]
    if not failing:
        return
    yield _text("Will not go through:")
    for action, why in failing:
        yield Line(0, symbol(action), one_line(f"{action.ref}: {why}"))
    yield _text("")


def _noise(plan: Plan) -> Iterator[Line]:
    noisy = [a for a in plan.actions if a.ignored]
    if not noisy:
        return
    yield _text("Differences that are no change:")
    for action in noisy:
        yield Line(0, "", f"# {one_line(str(action.ref))}")
        for item in action.ignored:
            yield Line(1, "", one_line(f"{item.path}: {_sides(item)} # {_REASONS.get(item.reason, item.reason)}"))
    yield _text("")


def _sides(item: Ignored) -> str:
    return " -> ".join("absent" if isinstance(v, Absent) else inline(v) or "(...)" for v in (item.before, item.after))


def _kept(plan: Plan) -> Iterator[Line]:
    kept = [a for a in plan.actions if a.verb == "keep" and a.reasons]
    if not kept:
        return
    yield _text("Only in the current state, and kept:")
    for action in kept:
        yield Line(0, "", one_line(f"* {action.ref} {'; '.join(action.reasons)}"))
    yield _text("")


def _trouble(plan: Plan) -> Iterator[Line]:
    told = [f"Warning: {w}" for w in plan.warnings[:_MOST]]
    if len(plan.warnings) > _MOST:
        told.append(f"Warning: {len(plan.warnings) - _MOST} more like these")
    told += [f"Unreadable: {u.span}: {u.message}" for u in plan.unreadable]
    if plan.skipped:
        told.append(f"Skipped: {skipped_line(plan)}")
    for text in told:
        yield _text(one_line(text))
    if told:
        yield _text("")


def skipped_line(plan: Plan) -> str:
    """What of the input was left out, counted by reason."""
    reasons = Counter(s.reason for s in plan.skipped)
    return ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))


def _summary(plan: Plan, acting: list[Action]) -> Iterator[Line]:
    c = plan.counts
    if acting:
        yield _text(f"Plan: {c.add} to add, {c.change} to change, {c.destroy} to destroy.")
    else:
        yield _text(NO_CHANGES)
        yield _text("")
        yield _text(f"kplan compared {counted(c.unchanged, 'object')} and found nothing to create, update or destroy.")
    if plan.noise:
        yield _text(f"Not counted as change: {noise_line(plan)}.")


def noise_line(plan: Plan) -> str:
    """The differences that are no change, counted by reason."""
    return ", ".join(f"{n} {_REASONS.get(reason, reason)}" for reason, n in plan.noise)


def counted(n: int, what: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _plain(line: Line) -> str:
    if line.depth < 0:
        return line.text
    if line.depth == 0 and line.text.startswith("#"):
        return f"  {line.text}"
    return f"{' ' * (4 * line.depth)}{line.symbol:>3} {line.text}".rstrip()


_COLORS = {"+": "32", "~": "33", "-": "31", "-/+": "31", "+/-": "32"}
_BOLD, _DIM, _DESTROYED = "1", "90", "1;31"


def _paint(line: Line) -> str:
    """The plain line with colour; everything of the user's is clean by now, so these are the only escapes."""
    text = _plain(line)
    if line.depth < 0:
        return _in(_BOLD, text) if text.startswith(("Plan:", "No changes.")) else text
    if line.symbol in _COLORS:
        head, mark, tail = text.partition(line.symbol)
        tail = tail.replace(" # forces replacement", _in("31", " # forces replacement"))
        return head + _in(_COLORS[line.symbol], mark) + tail
    if line.text.startswith("#"):
        ends_badly = text.endswith((_VERBS["delete"], _VERBS["replace"]))
        return _in((_DESTROYED if ends_badly else _BOLD) if line.depth == 0 else _DIM, text)
    return text


def _in(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text else text
