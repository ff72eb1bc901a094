"""Pods, workloads, autoscalers and disruption budgets, as Kubernetes 1.36 judges changes of them.

objects.jsonl are accepted objects. A row of created.jsonl is such an object, changed at one place and created, as
recorded from a Kubernetes 1.36 API server (`causes`: refused); with a `version`, the server followed that older
release. Rows of updated.jsonl are the same kind of change made to the stored object. The shares of agreement are a
ratchet: they may be raised, never lowered. Rows of rules.jsonl are small objects, changed (`set`, null: removed) so
that they break one rule after the other, or, with `stored`, an update of what was stored; `refused` is what
Kubernetes' own validation says.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.api.defaults import decoded
from kplan.api.gated import drop_disabled
from kplan.api.validation import Context, validate
from kplan.model import Cause, split_api_version
from kplan.schema import catalog

DATA = Path(__file__).parents[1] / "data" / "validation"
MINOR = 36
KEPT = {"namespace", "uid", "creationTimestamp", "resourceVersion", "generation"}


def rows(name: str) -> Iterator[Any]:
    with (DATA / name).open(encoding="utf-8") as f:
        yield from map(json.loads, f)


OBJECTS: dict[str, Any] = {row["id"]: row["object"] for row in rows("objects.jsonl")}
SENTENCES = list(rows("sentences.jsonl"))


def changed(obj: Any, row: dict[str, Any]) -> Any:
    """A copy of the object with the row's value at the row's place, or without the place if there is none."""
    obj = copy.deepcopy(obj)
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in row["at"].split("/")[1:])
    place = obj
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if "again" in row:
        place[key].append(copy.deepcopy(place[key][row["again"]]))
    elif "repeat" in row:
        place[key] = row["repeat"][0] * row["repeat"][1]
    elif "value" in row:
        place[key] = row["value"]
    else:
        del place[key]
    return obj


def wanted(row: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((field, f"FieldValue{reason}") for field, reason, *_ in row["causes"])


def found(causes: tuple[Cause, ...] | list[Cause]) -> list[tuple[str, str]]:
    return sorted((c.field, c.reason) for c in causes)


def test_created() -> None:
    verdicts, fields, messages = [], [], []
    for row in rows("created.jsonl"):
        answer = kplan.admit(changed(OBJECTS[row["base"]], row), version=row.get("version", "1.36"))
        verdicts.append(answer.accepted == ("causes" not in row))
        if "causes" in row:
            fields.append(found(answer.causes) == wanted(row))
            # The recorded sentences end after 400 characters.
            said = sorted(c.message[:400] for c in answer.causes)
            messages.append(said == sorted(SENTENCES[i] for _, _, i in row["causes"]))
    assert len(verdicts) > 1400
    assert share(verdicts) == 1.0
    assert share(fields) >= 0.996
    assert share(messages) >= 0.996


def test_updated() -> None:
    verdicts, fields = [], []
    for row in rows("updated.jsonl"):
        old = stored(row["base"])
        causes = update(changed(old, row), old)
        verdicts.append(bool(causes) == ("causes" in row))
        if "causes" in row:
            fields.append(found(causes) == wanted(row))
    assert len(verdicts) > 600
    assert share(verdicts) == 1.0
    assert share(fields) == 1.0


@pytest.mark.parametrize("row", list(rows("rules.jsonl")), ids=lambda row: " ".join([row["kind"], *row["set"]]))
def test_rules(row: dict[str, Any]) -> None:
    if "stored" in row:
        old = accepted(with_set(OBJECTS[row["kind"]], row["stored"]))
        causes: Any = update(with_set(old, row["set"]), old)
    else:
        causes = kplan.admit(with_set(OBJECTS[row["kind"]], row["set"])).causes
    assert [f"{c.field}: {c.message}" for c in causes] == row.get("refused", [])


def with_set(obj: Any, places: dict[str, Any]) -> Any:
    for at, value in places.items():
        obj = changed(obj, {"at": at} if value is None else {"at": at, "value": value})
    return obj


def share(results: list[bool]) -> float:
    return sum(results) / len(results)


@functools.cache
def stored(base: str) -> dict[str, Any]:
    return accepted(OBJECTS[base])


def accepted(obj: dict[str, Any]) -> dict[str, Any]:
    """The object as the server stores it."""
    answer = kplan.admit(obj)
    assert answer.object is not None, answer.message
    answer.object["metadata"]["resourceVersion"] = "1"
    return answer.object


def update(sent: dict[str, Any], old: dict[str, Any]) -> list[Cause]:
    """What validation says about a replacement: decoded, and what clients cannot change put back."""
    info = catalog("1.36").kind(old["apiVersion"], old["kind"])
    assert info is not None
    new: dict[str, Any] = decoded(sent, info, MINOR)
    drop_disabled(info.node, new, MINOR)
    new["metadata"] = {k: v for k, v in old["metadata"].items() if k in KEPT} | new["metadata"]
    new |= {k: v for k, v in old.items() if k == "status"}
    return validate(new, group=split_api_version(old["apiVersion"])[0], context=Context(MINOR), old=old)
