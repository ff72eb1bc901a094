"""A program that stands in for kubectl: what it answers is a table, what it was asked is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

Value = dict[str, Any]

_PROGRAM = """#!{python} -SE
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
table = json.load(open(os.path.join(here, "table.json")))
args = sys.argv[1:]
with open(os.path.join(here, "log.jsonl"), "a") as log:
    log.write(json.dumps([*args, os.environ.get("KUBECONFIG"), sys.stdin.read()]) + "\\n")
context = args.pop(0) if args[0].startswith("--context=") else ""
fixed = table.get(context + args[0])
if fixed:
    sys.stdout.write(fixed.get("output", ""))
    sys.stderr.write(fixed.get("error", ""))
    sys.exit(fixed["code"])
if args[0] == "config":
    sys.stdout.write(table.get("namespace", ""))
    sys.exit()
namespace = args[args.index("-n") + 1] if "-n" in args else "default"
errors, items = table.get("log", ""), []
for name in args[1].split(","):
    found = table["kinds"].get(name)
    if found is None:
        sys.stderr.write(errors + 'error: the server doesn\\'t have a resource type "%s"\\n' % name.split(".")[0])
        sys.exit(1)
    if isinstance(found, str):
        errors += found + "\\n"
    else:
        items += [i for i in found if i["metadata"].get("namespace", namespace) == namespace]
sys.stderr.write(errors)
if items:
    print(json.dumps({{"apiVersion": "v1", "kind": "List", "items": items}}))
sys.exit("Error from server" in errors)
"""


class Fake:
    """The table of a fake kubectl on PATH, and the calls that it got."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.folder = folder
        program = folder / "kubectl"
        program.write_text(_PROGRAM.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        self.answers()

    def answers(self, kinds: Mapping[str, list[Value] | str] | None = None, **more: Any) -> None:
        """What it has: objects by kind as it is asked for, or an error; `more` are fixed answers and the like."""
        (self.folder / "table.json").write_text(json.dumps({"kinds": kinds or {}, **more}), encoding="utf-8")

    def fails(self, error: str, *, command: str = "get", code: int = 1, output: str = "", context: str = "") -> None:
        """Let a command fail, or answer something else."""
        key = (f"--context={context}" if context else "") + command
        self.answers(**{key: {"code": code, "error": error, "output": output}})

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call, then KUBECONFIG and what stood on standard input."""
        log = self.folder / "log.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
