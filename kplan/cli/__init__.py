"""The command line: which command lives where, and the boundary that turns every outcome into an exit code.

`--version`, `--help` and the plain forms of `lint` and `plan` are answered without loading click or another command.
"""

from __future__ import annotations

import os
import sys

from kplan import __version__
from kplan.errors import KplanError

TYPE_CHECKING = False  # as typing has it; what is loaded here is loaded by every run
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

INTERNAL_ERROR, INTERRUPTED, CLOSED_PIPE = 70, 130, 141


class Entry:
    """Where a command lives (its module has a click command called `command`), what it does in one line, and the
    exit code when it could not run."""

    __slots__ = ("failure", "module", "summary")

    def __init__(self, module: str, summary: str, failure: int = 2) -> None:
        self.module = module
        self.summary = summary
        self.failure = failure


COMMANDS: Mapping[str, Entry] = {
    "plan": Entry("kplan.cli.plan_command", "Show what applying manifests would change, and in what order", failure=1),
    "show": Entry("kplan.cli.show", "Print a saved plan", failure=1),
    "state": Entry(
        "kplan.cli.state", "Save manifests as what is deployed, and list, show and remove what was saved", failure=1
    ),
    "lint": Entry("kplan.cli.lint", "Find mistakes in manifests, with line and column"),
    "explain": Entry("kplan.cli.explain", "Say what a rule finds, why, and how to fix it"),
    "rules": Entry("kplan.cli.rules", "List the rules"),
    "admit": Entry("kplan.cli.admit", "Answer what the API server would answer to each object"),
    "simulate": Entry(
        "kplan.cli.simulate", "Let controllers and scheduler act, and print what becomes of it", failure=1
    ),
    "get": Entry("kplan.cli.get", "Print objects of the predicted cluster as `kubectl get` would", failure=1),
    "describe": Entry("kplan.cli.describe", "Print them in detail as `kubectl describe` would", failure=1),
    "graph": Entry("kplan.cli.graph", "Draw what refers to what"),
    "config": Entry("kplan.cli.config", "Show the configuration, and where each value comes from"),
    "completion": Entry("kplan.cli.completion", "Print the completion script of a shell"),
}

LINT_FORMATS = ("text", "concise", "json", "github", "gitlab", "sarif", "junit", "rdjson", "markdown", "html")
PLAN_FORMATS = ("text", "json", "markdown", "html", "gitlab")
_LINT_FLAGS: Mapping[str, tuple[str, bool]] = {"--focus": ("focus", True), "--no-cache": ("no_cache", True)}
_PLAN_FLAGS: Mapping[str, tuple[str, bool]] = {
    "--detailed-exitcode": ("detailed_exitcode", True),
    "--concise": ("concise", True),
    "--full": ("full", True),
    "--show-noise": ("show_noise", True),
    "--rehearsal": ("rehearsal", True),
    "--no-rehearsal": ("rehearsal", False),
}

EXAMPLES = """\
  kplan lint .                              mistakes in every manifest below this folder
  kplan plan manifests/ --against git:main  what a merge would change
  kplan explain image-tag                   what a rule finds, and why"""


def run() -> None:
    """The console script: never returns, and never shows a traceback unless asked for one."""
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking thousands of objects apart one by one would take longer than to print them


def main(argv: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    debug, argv = _take_debug(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
    except KplanError as error:
        code = _report(error, _failure(argv))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = _leave_pipe()
    except Exception as error:
        if debug:
            raise
        code = _internal(error)
    return code


def overview() -> str:
    """The text of `kplan --help`, examples first."""
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {name:<{width}}{entry.summary}" for name, entry in COMMANDS.items())
    return (
        "kplan: lint, plan and simulate Kubernetes manifests, offline.\n\n"
        f"Examples:\n{EXAMPLES}\n\n"
        "Usage: kplan COMMAND [OPTIONS] [ARGS]...\n\n"
        f"Commands:\n{commands}\n\n"
        "Options:\n"
        "  --version   print the version\n"
        "  --debug     show the traceback of an internal error\n"
        "  -h, --help  print this text; `kplan COMMAND --help` tells more\n"
    )


def _dispatch(argv: list[str]) -> int:
    if "_KPLAN_COMPLETE" not in os.environ:
        if not argv or argv in (["-h"], ["--help"], ["help"]):
            sys.stdout.write(overview())
            return 0
        if argv[0] in ("-V", "--version"):
            sys.stdout.write(f"kplan {__version__}\n")
            return 0
        asked = _plain_lint(argv)
        if asked is not None:
            return _lint(**asked)
        given = _plain_plan(argv)
        if given is not None:
            return _plan(given)
    from kplan.cli.group import invoke

    return invoke(argv)


def _lint(
    *,
    paths: tuple[str, ...],
    focus: bool = False,
    no_cache: bool = False,
    format: str | None = None,  # noqa: A002
) -> int:
    """The form of `kplan lint` that hooks use: what was found before is said again if nothing has changed."""
    place = None
    if not no_cache:
        from kplan.cli import memory

        place = memory.place_of(("lint", focus, format, paths), paths)
        known = memory.recall(place) if place is not None else None
        if known is not None:
            code, text = known
            sys.stdout.write(text)
            return code
    import gc

    collects = gc.isenabled()
    gc.disable()  # loading makes much that stays
    try:
        from kplan.cli.linting import Request, run_lint

        return run_lint(Request(paths=paths, focus=focus, flags={"format": format}), place)
    finally:
        if collects:
            gc.enable()


def _plan(given: Mapping[str, Any]) -> int:
    """The form of `kplan plan` that people use most."""
    import gc

    collects = gc.isenabled()
    if given.get("rehearsal") is not True:
        gc.disable()  # what is read lives until the end, and a rehearsal that nobody asked for is small
    try:
        from kplan.cli.plan import DEFAULTS, run

        return run({**DEFAULTS, **given})
    finally:
        if collects:
            gc.enable()


def _plain_lint(argv: Sequence[str]) -> dict[str, Any] | None:
    """What a command line of `kplan lint` with paths and the usual options says; None for any other."""
    return _plain(argv, "lint", _LINT_FLAGS, {"--format": ("format", LINT_FORMATS)})


def _plain_plan(argv: Sequence[str]) -> dict[str, Any] | None:
    """The same of `kplan plan`."""
    return _plain(argv, "plan", _PLAN_FLAGS, {"--format": ("format_", PLAN_FORMATS), "--against": ("against", ())})


def _plain(
    argv: Sequence[str],
    command: str,
    flags: Mapping[str, tuple[str, bool]],
    valued: Mapping[str, tuple[str, tuple[str, ...]]],
) -> dict[str, Any] | None:
    """`flags` are the options that stand for a value, `valued` those that take one, of some words or of any."""
    if argv[0] != command:
        return None
    given: dict[str, Any] = {}
    paths: list[str] = []
    rest = iter(argv[1:])
    for word in rest:
        option, equals, value = word.partition("=")
        if word == "--":
            paths += rest
        elif word in flags:
            name, given[name] = flags[word]
        elif option in valued:
            name, words = valued[option]
            given[name] = value = value if equals else next(rest, "-")
            if value.startswith("-") or (words and value not in words):
                return None
        elif word.startswith("-"):
            return None
        else:
            paths.append(word)
    return {**given, "paths": tuple(paths)}


def _take_debug(argv: Sequence[str]) -> tuple[bool, list[str]]:
    end = argv.index("--") if "--" in argv else len(argv)
    head = [a for a in argv[:end] if a != "--debug"]
    return len(head) < end, head + list(argv[end:])


def _failure(argv: Sequence[str]) -> int:
    name = next((a for a in argv if not a.startswith("-")), "")
    entry = COMMANDS.get(name)
    return entry.failure if entry else 2


def _report(error: KplanError, code: int) -> int:
    from kplan.render.sanitise import one_line

    sys.stderr.write(f"error: {one_line(error.message)}\n")
    if error.hint:
        sys.stderr.write(f"hint: {one_line(error.hint)}\n")
    return code


def _internal(error: Exception) -> int:
    from kplan.render.sanitise import one_line

    what = one_line(f"{type(error).__name__}: {error}")[:300]
    sys.stderr.write(f"internal error: {what} (a bug in kplan {__version__}; --debug shows where)\n")
    return INTERNAL_ERROR


def _leave_pipe() -> int:
    """Nobody reads any more: keep the interpreter from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE
