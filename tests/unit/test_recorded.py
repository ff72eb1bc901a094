"""A part of what a Kubernetes 1.36 control plane answered: manifests, changes of one field, applied revisions, YAML.

With the tables of test_validation_*, test_yamlio_scalars, test_scheduler_recorded, test_admission_podsecurity and
test_controllers_recorded, at least a tenth of each set of recordings is compared here. The shares are a ratchet: they
may be raised, never lowered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import recordings
from tests.recordings import Agreement

DATA = Path(__file__).parents[1] / "data" / "recorded"
Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


BASES = {row["id"]: row["object"] for row in rows("bases")}
COMPARED: dict[str, Callable[[Row], Agreement]] = {
    "admission": recordings.admission,
    "apply": recordings.application,
    "documents": recordings.document,
    "mutations": lambda row: recordings.mutation(row, BASES),
    "updates": lambda row: recordings.update(row, BASES),
}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "admission",
            {
                "verdict": (419, 419),
                "defaults": (395, 395),
                "warnings": (395, 395),
                "causes": (17, 17),
                "messages": (17, 17),
                "status": (7, 7),
            },
        ),
        ("apply", {"verdict": (50, 50), "result": (50, 50)}),
        ("documents", {"verdict": (32, 32), "value": (18, 18)}),
        (
            "mutations",
            {
                "verdict": (640, 640),
                "causes": (226, 226),
                "messages": (216, 216),
                "status": (177, 178),
                "warnings": (226, 226),
            },
        ),
        ("updates", {"verdict": (60, 60), "causes": (39, 39)}),
    ],
)
def test_agreement(name: str, wanted: dict[str, tuple[int, int]]) -> None:
    assert recordings.shares(map(COMPARED[name], rows(name))) == wanted
