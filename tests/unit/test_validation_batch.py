"""Cron schedules and time zones, lists of indexes, and what may change in a Job."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan
from kplan.api.validation import Context, validate
from kplan.api.validation.cron import schedule_fault, time_zone_fault
from kplan.api.validation.jobpolicies import count_indexes

BIG = "9" * 20
NOT_A_NUMBER = 'strconv.Atoi: parsing "{0}": invalid syntax'
SCHEDULES = [
    ("* * * * *", ""),
    ("*/15 0-6 1,15 jan-mar MON-Fri", ""),
    ("0 0 * * ?", ""),
    ("*/100 * * * *", ""),
    ("1,,2 * * * *", ""),
    ("@daily", ""),
    ("@every 1h30m", ""),
    ("@every -1h", ""),
    ("TZ=UTC * * * * *", ""),
    ("", "empty spec string"),
    ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
    ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
    ("60 * * * *", "end of range (60) above maximum (59): 60"),
    ("* 24 * * *", "end of range (24) above maximum (23): 24"),
    ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
    ("* * * 13 *", "end of range (13) above maximum (12): 13"),
    ("* * * * 7", "end of range (7) above maximum (6): 7"),
    ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
    ("*/0 * * * *", "step of range should be a positive number: */0"),
    ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
    ("1/2/3 * * * *", "too many slashes: 1/2/3"),
    ("a * * * *", f"failed to parse int from a: {NOT_A_NUMBER.format('a')}"),
    ("-1 * * * *", f"failed to parse int from : {NOT_A_NUMBER.format('')}"),
    ("* * * * sunday", f"failed to parse int from sunday: {NOT_A_NUMBER.format('sunday')}"),
    (f"{BIG} * * * *", f'failed to parse int from {BIG}: strconv.Atoi: parsing "{BIG}": value out of range'),
    ("@weekday", "unrecognized descriptor: @weekday"),
    ("@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
    ("@every 5x", 'failed to parse duration @every 5x: time: unknown unit "x" in duration "5x"'),
    ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ("CRON_TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
    ("TZ=UTC", "invalid schedule format: runtime error: slice bounds out of range [:-1]"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "fault"), SCHEDULES)
def test_schedules(schedule: str, fault: str) -> None:
    assert schedule_fault(schedule) == fault


EXPLICIT = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
ZONES = [
    ("UTC", ()),
    ("Europe/Berlin", ()),
    ("America/Argentina/Buenos_Aires", ()),
    ("Etc/GMT+5", ()),
    ("", ("timeZone must be nil or non-empty string",)),
    ("Local", (EXPLICIT,)),
    ("local", (EXPLICIT, "unknown time zone local")),
    ("europe/berlin", ("unknown time zone europe/berlin",)),
    ("Mars/Base", ("unknown time zone Mars/Base",)),
    ("../UTC", ("unknown time zone ../UTC",)),
]


@pytest.mark.parametrize(("zone", "faults"), ZONES)
def test_time_zones(zone: str, faults: tuple[str, ...]) -> None:
    assert time_zone_fault(zone) == faults


INTERVAL = (
    "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'"
)


@pytest.mark.parametrize(("text", "count"), [("", 0), ("0", 1), ("0,2-4", 4), ("0-9", 10)])
def test_indexes(text: str, count: int) -> None:
    assert count_indexes(text, 10) == count


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("10", 'too large index: "10"'),
        ("x", 'cannot convert string to integer for index: "x"'),
        ("1,", 'cannot convert string to integer for index: ""'),
        (BIG, f'cannot convert string to integer for index: "{BIG}"'),
        ("1-1", "non-increasing order, previous: 1, current: 1"),
        ("1-3,3", "non-increasing order, previous: 3, current: 3"),
        ("1-2-3", INTERVAL),
    ],
)
def test_wrong_indexes(text: str, fault: str) -> None:
    with pytest.raises(ValueError) as e:
        count_indexes(text, 10)
    assert str(e.value) == fault


def stored(**spec: Any) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": template} | spec}
    answer = kplan.admit(job)
    assert answer.object is not None, answer.message
    return answer.object


def refused(new: dict[str, Any], old: dict[str, Any], minor: int = 36) -> list[str]:
    return [c.field for c in validate(new, group="batch", context=Context(minor), old=old)]


SUSPENDED = {"type": "Suspended", "status": "True"}
STARTED = "2026-01-01T00:00:00Z"
# Whether the pods of a Job may still be told where to run: suspended, status, minor.
MUTABLE = [
    (True, {}, 36, True),
    (False, {}, 36, False),
    (True, {"startTime": STARTED}, 36, False),
    (True, {"startTime": STARTED, "conditions": [SUSPENDED]}, 36, True),
    (True, {"startTime": STARTED, "conditions": [SUSPENDED], "active": 1}, 36, False),
    (True, {"startTime": STARTED, "conditions": [SUSPENDED]}, 35, False),
    (True, {}, 35, True),
]


@pytest.mark.parametrize(("suspend", "status", "minor", "ok"), MUTABLE)
def test_scheduling_directives(suspend: bool, status: dict[str, Any], minor: int, ok: bool) -> None:
    old = stored(suspend=suspend) | {"status": status}
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"] |= {"nodeSelector": {"a": "b"}, "schedulingGates": [{"name": "a"}]}
    new["spec"]["template"]["metadata"]["annotations"] = {"a": "b"}
    new["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": {}}
    assert refused(new, old, minor) == ([] if ok else ["spec.template"])


@pytest.mark.parametrize(("minor", "fields"), [(36, []), (35, ["spec.template"])])
def test_resources_of_a_suspended_job(minor: int, fields: list[str]) -> None:
    old = stored(suspend=True)
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    assert refused(new, old, minor) == fields


def test_the_image_of_a_suspended_job_stays() -> None:
    old = stored(suspend=True)
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["containers"][0]["image"] = "c"
    assert refused(new, old) == ["spec.template.spec"]


def test_a_stored_schedule_may_keep_its_zone() -> None:
    template = stored()["spec"]["template"]
    del template["metadata"]
    spec = {
        "schedule": "TZ=UTC * * * * *",
        "concurrencyPolicy": "Allow",
        "jobTemplate": {"spec": {"template": template}},
    }
    old = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a", "namespace": "b"}, "spec": spec}
    new = old | {"spec": spec | {"schedule": "TZ=UTC 1 * * * *"}}
    assert refused(new, old) == []
    assert refused(new | {"spec": new["spec"] | {"timeZone": "UTC"}}, old) == ["spec.schedule"]
    assert [c.field for c in validate(new, group="batch", context=Context(36))] == ["spec.schedule"]
