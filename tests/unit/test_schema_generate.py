"""The generated schemas are what the generator writes, and they are small and free of prose."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "schemas" / "kubernetes").glob("*.json"))


def test_schemas_are_fresh() -> None:
    pytest.importorskip("kubernetes_validate")
    command = [sys.executable, str(ROOT / "tools" / "generate_schemas.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "schemas/kubernetes is fresh")


def test_schemas_are_small() -> None:
    assert len(FILES) > 40
    assert sum(p.stat().st_size for p in FILES) < 400_000
    assert max(p.stat().st_size for p in FILES) < 100_000


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_no_prose(path: Path) -> None:
    longest = max(re.findall(r'"([^"]*)"', path.read_text(encoding="utf-8")), key=lambda s: s.count(" "))
    assert longest.count(" ") <= 8
