"""What the GitHub Action runs: `python -m kplan.cli.action`, with its inputs in KPLAN_ACTION_* variables.

Inputs never pass through a shell. The runner's files are written as its documentation asks: outputs with a delimiter
that nobody can guess, the step summary below the size at which the runner drops it whole.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kplan.cli import main as kplan
from kplan.cli.output import write
from kplan.errors import KplanError
from kplan.render.github import wrap

PREFIX = "KPLAN_ACTION_"
SUMMARY_LIMIT = 900 * 1024
COULD_NOT_RUN = 2


def run(env: Mapping[str, str]) -> int:
    """Run the command that the inputs ask for, write summary and outputs, and give the exit code of the step."""
    inputs = {k.removeprefix(PREFIX).lower(): v.strip() for k, v in env.items() if k.startswith(PREFIX)}
    with tempfile.TemporaryDirectory(dir=env.get("RUNNER_TEMP")) as folder:
        work = Path(folder)
        outputs = _plan(inputs, work) if inputs.get("command") == "plan" else _lint(inputs, work)
        if inputs.get("summary") != "false":
            _append_summary(env.get("GITHUB_STEP_SUMMARY", ""), work / "summary.md")
    _append_outputs(env.get("GITHUB_OUTPUT", ""), outputs)
    return int(outputs["exit-code"])


def _lint(inputs: Mapping[str, str], work: Path) -> dict[str, str]:
    report = work / "report.json"
    form = "text" if inputs.get("annotations") == "false" else "github"
    argv = ["lint", "--format", form, "-o", f"json={report}", "-o", f"markdown={work / 'summary.md'}"]
    argv += _given(inputs, "select", "ignore", "fail_on", "config", "kube_version", "baseline")
    if inputs.get("sarif_file"):
        argv += ["-o", f"sarif={inputs['sarif_file']}"]
    code = kplan([*argv, "--", *_lines(inputs.get("paths"))])
    outputs = {"exit-code": str(code), "sarif-file": inputs.get("sarif_file", "")}
    if report.is_file():
        summary = json.loads(report.read_text(encoding="utf-8"))["summary"]
        levels = {"errors": summary["error"], "warnings": summary["warning"], "infos": summary["info"]}
        outputs |= {name: str(n) for name, n in levels.items()} | {"findings": str(sum(levels.values()))}
    return outputs


def _plan(inputs: Mapping[str, str], work: Path) -> dict[str, str]:
    saved = str(work / "plan.json")
    argv = ["plan", "--detailed-exitcode", "--out", saved, *_given(inputs, "against", "kube_version")]
    code, text = _captured([*argv, "--", *(_lines(inputs.get("paths")) or ["."])])
    write(wrap(text, secrets.token_hex(16)))
    outputs = {"exit-code": "0" if code == COULD_NOT_RUN else str(code)}
    if not Path(saved).is_file():
        return outputs
    _, summary = _captured(["show", saved, "--format", "markdown"])
    (work / "summary.md").write_text(summary, encoding="utf-8")
    counts = json.loads(_captured(["show", saved, "--format", "json"])[1])["summary"]
    replaces = counts["replace"]
    outputs |= {
        "has-changes": str(code == COULD_NOT_RUN).lower(),
        "creates": str(counts["add"] - replaces),
        "updates": str(counts["change"]),
        "deletes": str(counts["destroy"] - replaces),
        "replaces": str(replaces),
    }
    return outputs


def _given(inputs: Mapping[str, str], *names: str) -> list[str]:
    """Options for the inputs that are set: `--fail-on=error`, so that a value cannot become an option of its own."""
    return [f"--{name.replace('_', '-')}={inputs[name]}" for name in names if inputs.get(name)]


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _captured(argv: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = kplan(argv)
    return code, out.getvalue()


def _append_summary(target: str, source: Path) -> None:
    """Add a text to the step summary; whole lines only, and a word about what did not fit."""
    if not target or not source.is_file():
        return
    left = SUMMARY_LIMIT - (Path(target).stat().st_size if Path(target).exists() else 0)
    data = source.read_bytes() + b"\n"
    if len(data) > left:
        note = b"\n\n_More did not fit into this summary._\n"
        data = data[: max(0, left - len(note))].rpartition(b"\n")[0] + note
    with Path(target).open("ab") as file:
        file.write(data)


def _append_outputs(target: str, outputs: Mapping[str, str]) -> None:
    if not target:
        return
    with Path(target).open("a", encoding="utf-8") as file:
        for name, value in outputs.items():
            end = secrets.token_hex(16)
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


if __name__ == "__main__":
    try:
        sys.exit(run(os.environ))
    except KplanError as error:
        sys.exit(f"error: {error.message}")
