"""Scenarios of a real Kubernetes 1.36, step by step: what was done, and what its controllers made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.replay import differences

RECORDED = sorted((Path(__file__).parents[1] / "data" / "controllers" / "recorded").glob("*.json"))


@pytest.mark.parametrize("file", RECORDED, ids=lambda f: f.stem)
def test_scenario_is_reproduced(file: Path) -> None:
    """The trace, the names and statuses of all objects, and the events of every step."""
    assert list(differences(json.loads(file.read_text()))) == []


def test_a_difference_is_seen() -> None:
    recording = json.loads(RECORDED[0].read_text())
    recording["steps"][0]["events"].pop()
    recording["steps"][0]["trace"][0]["sets"] = {}
    assert [d.split(":")[1].strip() for d in differences(recording)] >= ["event too many", "trace at 0"]
