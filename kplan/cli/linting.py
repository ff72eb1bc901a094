"""What `kplan lint` does, without click: configuration, lint, outputs, exit code."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from kplan import config as configuration
from kplan import touched
from kplan.cli import LINT_FORMATS
from kplan.cli.output import use_color, write
from kplan.config import Config
from kplan.errors import KplanError
from kplan.hints import Any
from kplan.model import Loaded, Report, Span
from kplan.record import replace
from kplan.render.summary import many
from kplan.resources import data_path
from kplan.touched import Touched
from kplan.tuples import NamedTuple

# What build servers read counts paths from the top of the repository; what people read, from where they are.
_FROM_TOP = frozenset({"github", "gitlab", "sarif", "junit", "rdjson"})
_FOR_PEOPLE = frozenset({"text", "concise", "markdown"})
STDIN = "<stdin>"
CLEAN, FOUND, UNREADABLE = 0, 1, 2
_MOST_PROCESSES = 4
_RANK = {"error": 0, "warning": 1, "info": 2}


class Request(NamedTuple):
    """What the command line asked for. `flags` are settings by name; None or () means not given."""

    paths: tuple[str, ...] = ()
    focus: bool = False
    flags: Mapping[str, Any] = MappingProxyType({})
    config_file: str | None = None
    no_config: bool = False
    outputs: tuple[str, ...] = ()
    exit_zero: bool = False
    stdin_name: str | None = None
    write_baseline: str | None = None


def run_lint(request: Request, place: str | None = None) -> int:
    """Lint, write every output, and give the exit code. `place` is where the result may be kept (kplan/cli/memory.py),
    for a request that writes to standard output only."""
    collects = gc.isenabled()
    gc.disable()  # what is read lives until the end anyway
    seen = Touched() if place else None
    started = time.time_ns()  # by which files are judged to be old enough
    touched.record(seen)
    try:
        code, text = _run(request)
        if place and seen is not None and seen.whole:
            from kplan.cli import memory

            memory.remember(place, code, text, (*seen.paths, *_own_files()), started)
        return code
    finally:
        touched.record(None)
        if collects:
            gc.enable()


def _run(request: Request) -> tuple[int, str]:
    """The exit code, and what was written to standard output."""
    config = load_config(request.flags, request.config_file, no_file=request.no_config)
    outputs = _outputs(request.outputs, config.format, os.environ)
    report = _lint(request, config)
    if request.write_baseline:
        from kplan.lint import baseline

        write(baseline.dump(report.findings), request.write_baseline)
        sys.stderr.write(f"{many(len(report.findings), 'finding')} written to {request.write_baseline}\n")
        return (UNREADABLE if report.unreadable else CLEAN), ""
    printed = "".join(_emit(report, form, target, config) for form, target in outputs)
    return _exit_code(report, "never" if request.exit_zero else config.fail_on), printed


def _own_files() -> list[str]:
    """The files of kplan that a run depends on: its modules, rules and schemas."""
    modules = (getattr(m, "__file__", None) for n, m in list(sys.modules.items()) if n.partition(".")[0] == "kplan")
    folders = (found for name in ("rules", "schemas") for found in os.walk(data_path(name)))
    return [*(str(f) for f in modules if f), *(os.path.join(folder, n) for folder, _, names in folders for n in names)]


def load_config(flags: Mapping[str, Any], file: str | None = None, *, no_file: bool = False) -> Config:
    """The configuration for the current folder and environment."""
    from kplan.yamlio import load_value

    return configuration.load(".", env=os.environ, flags=flags, read_yaml=load_value, file=file, no_file=no_file)


def _lint(request: Request, config: Config) -> Report:
    from kplan.lint import judge
    from kplan.source import load

    given = (config.paths or (config.root,)) if request.focus else (request.paths or config.paths or (".",))
    known: Counter[str] | None = None
    if config.rule_dirs:
        touched.spoil()
    if config.baseline and not request.write_baseline:
        from kplan.lint import baseline

        touched.touch(config.baseline)
        try:
            with open(config.baseline, encoding="utf-8") as file:
                known = baseline.parse(file.read(), config.baseline)
        except (OSError, UnicodeDecodeError) as error:
            raise KplanError(f"cannot read the baseline {config.baseline}: {error}") from error
    loaded = load(given, exclude=config.exclude, stdin=sys.stdin.buffer.read() if "-" in given else None)
    if not loaded.documents and not loaded.unreadable and not (config.allow_empty or request.focus):
        raise KplanError("there is nothing to lint", hint="--allow-empty if that is how it should be")
    focus = _focus(loaded, request.paths) if request.focus else None
    report = judge(loaded, config, known=known, focus=focus, processes=_processes())
    names = {file: file.removeprefix("./") for file in _files(loaded)}
    return _renamed(report, names | ({STDIN: request.stdin_name} if request.stdin_name else {}))


def _processes() -> int:
    """How many processes may work at once: as many as this one may use processors, which are few in a container."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(given, _MOST_PROCESSES)


def _focus(loaded: Loaded, paths: tuple[str, ...]) -> frozenset[str]:
    """The files of the input, by the names under which they were read, that the paths name."""
    wanted = {os.path.realpath(p) for p in paths}
    return frozenset(f for f in _files(loaded) if os.path.realpath(f) in wanted)


def _files(loaded: Loaded) -> set[str]:
    read = {d.file for d in loaded.documents} | {u.span.file for u in loaded.unreadable}
    return read | {s.file for s in loaded.skipped}


def _outputs(asked: tuple[str, ...], form: str, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """(format, file) of every output; stdout is `-` and gets one format."""
    outputs = [_output(o) for o in asked]
    if not any(target == "-" for _, target in outputs):
        usual = "github" if env.get("GITHUB_ACTIONS") == "true" else "text"
        outputs.insert(0, (form or usual, "-"))
    for name, _ in outputs:
        if name not in LINT_FORMATS:
            raise KplanError(f"there is no format {name!r}", hint=f"formats are {', '.join(LINT_FORMATS)}")
    return outputs


def _output(text: str) -> tuple[str, str]:
    form, equals, target = text.partition("=")
    if not equals or not target:
        raise KplanError(f"--output takes FORMAT=FILE, not {text!r}")
    return form, target


def _emit(report: Report, form: str, target: str, config: Config) -> str:
    """Write one output; what was written if that was standard output."""
    text = _rendered(report, form, target, config)
    if target == "-" and form == "github":
        text = _guarded(_rendered(report, "text", target, config)) + text
    elif target == "-" and form in _FOR_PEOPLE and os.environ.get("GITHUB_ACTIONS") == "true":
        text = _guarded(text)
    if text and not text.endswith("\n"):
        text += "\n"
    write(text, target)
    return text if target == "-" else ""


def _rendered(report: Report, form: str, target: str, config: Config) -> str:
    if form in _FROM_TOP:
        report = _from_top(report, _top(config, os.environ))
    options = {"color": target == "-" and use_color(config.color, os.environ, sys.stdout)} if form == "text" else {}
    renderer = __import__(f"kplan.render.{form}", fromlist=["render"])  # importlib takes longer to load
    return str(renderer.render(report, **options))


def _guarded(text: str) -> str:
    """Text in which GitHub's runner looks for no commands."""
    import secrets

    from kplan.render.github import wrap

    return wrap(text, secrets.token_hex(16))


def _top(config: Config, env: Mapping[str, str]) -> str:
    """The folder that build servers count paths from."""
    return env.get("GITHUB_WORKSPACE") or env.get("CI_PROJECT_DIR") or configuration.repository(config.root)


def _from_top(report: Report, top: str) -> Report:
    """The report with the file names as they are in the repository; symbolic links are resolved."""
    spans = (span for f in report.findings for span in (f.span, *(r.span for r in f.related)) if span)
    names = {}
    for file in {span.file for span in spans}:
        path = os.path.relpath(os.path.realpath(file), os.path.realpath(top))
        if not path.startswith("..") and os.path.exists(file):
            names[file] = path.replace(os.sep, "/")
    return _renamed(report, names)


def _renamed(report: Report, names: Mapping[str, str]) -> Report:
    """The report with other names for its files."""

    def name(file: str) -> str:
        return names.get(file, file)

    def moved(span: Span) -> Span:
        return span._replace(file=name(span.file))

    findings = []
    for f in report.findings:
        related = tuple(replace(r, span=moved(r.span)) if r.span else r for r in f.related)
        findings.append(replace(f, span=moved(f.span), related=related))
    return replace(
        report,
        findings=tuple(findings),
        skipped=tuple(replace(s, file=name(s.file)) for s in report.skipped),
        unreadable=tuple(replace(u, span=moved(u.span)) for u in report.unreadable),
    )


def _exit_code(report: Report, fail_on: str) -> int:
    if report.unreadable:
        return UNREADABLE
    worst = _RANK.get(fail_on, -1)
    return FOUND if any(_RANK[f.severity] <= worst for f in report.findings) else CLEAN
