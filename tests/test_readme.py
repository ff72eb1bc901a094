"""The README shows what really happens: its console blocks are run, its library example is true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import kplan

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n\$ kplan (.*?)\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[c for c, _ in BLOCKS])
def test_console_block(command: str, shown: str) -> None:
    argv = [sys.executable, "-m", "kplan", *shlex.split(command)]
    env = {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stdout.rstrip() == shown.rstrip()


def test_there_is_a_block_to_run() -> None:
    assert BLOCKS


def test_library_example() -> None:
    answer = kplan.admit({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Web"}})
    assert (answer.accepted, answer.status) == (False, 422)
    assert answer.message.startswith('ConfigMap "Web" is invalid: metadata.name: ')
