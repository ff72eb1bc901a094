"""Kinds that make no pods, as a Kubernetes 1.36 API server judged changes of them.

kinds-objects.jsonl are accepted objects. A row of kinds-created.jsonl is such an object, changed at one place and
created; one of kinds-updated.jsonl is the same kind of change made to the stored object. `causes` is the answer 422,
`status` another refusal, `warnings` come with what is accepted; numbers are lines of kinds-sentences.jsonl, which end
after 400 characters. The shares are a ratchet: they may be raised, never lowered.
"""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.model import Admission, Applied

DATA = Path(__file__).parents[1] / "data" / "validation"


def rows(name: str) -> list[Any]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line]


OBJECTS: dict[str, Any] = {row["id"]: row["object"] for row in rows("kinds-objects.jsonl")}
SENTENCES: list[str] = rows("kinds-sentences.jsonl")
CREATED, UPDATED = rows("kinds-created.jsonl"), rows("kinds-updated.jsonl")


def changed(obj: Any, row: dict[str, Any]) -> Any:
    """A copy of the object with the row's value at the row's place, or without the place if there is none."""
    obj = copy.deepcopy(obj)
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in row["at"].split("/")[1:])
    place = obj
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if "repeat" in row:
        place[key] = row["repeat"][0] * row["repeat"][1]
    elif "value" in row:
        place[key] = row["value"]
    elif key in place or isinstance(place, list):
        del place[key]
    return obj


def status(row: dict[str, Any], accepted: int) -> int:
    return 422 if "causes" in row else row.get("status", accepted)


def fields(answer: Admission | Applied) -> list[tuple[str, str]]:
    return sorted((c.field, c.reason.removeprefix("FieldValue")) for c in answer.causes)


def wanted(row: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((field, reason) for field, reason, *_ in row.get("causes", ()))


def said(row: dict[str, Any]) -> list[str]:
    return sorted(SENTENCES[i] for _, _, i in row["causes"])


def test_created() -> None:
    wrong, mute = [], 0
    for row in CREATED:
        answer = kplan.admit(changed(OBJECTS[row["base"]], row))
        warnings = sorted(SENTENCES[i] for i in row.get("warnings", ()))
        found = (answer.status, fields(answer), sorted(answer.warnings))
        if found != (status(row, 201), wanted(row), warnings):
            wrong.append((row, found))
        elif "causes" in row:
            mute += sorted(c.message[:400] for c in answer.causes) != said(row)
    assert len(CREATED) > 1100
    assert wrong == []
    assert 1 - mute / sum("causes" in row for row in CREATED) >= 0.98


@functools.cache
def stored(base: str) -> tuple[kplan.Cluster, Any]:
    """A cluster with one object, and that object."""
    obj = OBJECTS[base]
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": obj["metadata"].get("namespace", "default")},
    }
    cluster = kplan.Cluster([namespace])
    assert cluster.apply([obj], mode="replace")[0].accepted
    return cluster, cluster.get(obj)


def test_updated() -> None:
    wrong = []
    for row in UPDATED:
        cluster, old = stored(row["base"])
        answer = cluster.apply([changed(old, row)], mode="replace", dry_run=True)[0]
        if answer.accepted != (status(row, 200) == 200) or ("causes" in row and fields(answer) != wanted(row)):
            wrong.append((row, answer.status, fields(answer)))
    assert len(UPDATED) > 250
    assert wrong == []


KINDS = sorted({obj["kind"] for obj in OBJECTS.values()})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_refused_and_accepted(kind: str) -> None:
    """The chosen cases of every kind can fail in both ways."""
    codes = {status(row, 201) for row in CREATED if OBJECTS[row["base"]]["kind"] == kind}
    assert {201, 422} <= codes
