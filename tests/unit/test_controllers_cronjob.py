"""CronJobs: which runs are started, what becomes of their Jobs, and what is reported."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

import kplan
from kplan.clock import seconds, stamp
from kplan.controllers.cronruns import Missed, NeverDueError, missed, pause, too_many
from kplan.controllers.schedule import parse, zone_of

Value = dict[str, Any]

NODES = [{"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "8", "pods": "110"}}}]
START = "2026-01-01T00:00:00Z"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def cron_job(schedule: str = "* * * * *", tag: str = "exit0", job: Value | None = None, **spec: Any) -> Value:
    pod = {"restartPolicy": "Never", "containers": [{"name": "t", "image": f"registry.example/a:{tag}"}]}
    template = {"metadata": {"labels": {"made-by": "tick"}}, "spec": {"template": {"spec": pod}, **(job or {})}}
    meta = {"name": "tick", "namespace": "default"}
    spec = {"schedule": schedule, "jobTemplate": template, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}


def cluster(given: Value) -> kplan.Cluster:
    made = kplan.Cluster(NODES)
    made.settle()  # what every cluster does at first
    answer = made.apply(given)[0]
    assert answer.accepted, answer.message
    return made


def change(c: kplan.Cluster, **spec: Any) -> None:
    old = c.get(cron_job())
    assert old is not None
    answer = c.apply({**old, "spec": {**old["spec"], **spec}}, mode="replace")[0]
    assert answer.accepted, answer.message


def jobs(c: kplan.Cluster) -> list[str]:
    return [j["metadata"]["name"] for j in c.objects("Job")]


def times(c: kplan.Cluster) -> list[str]:
    return [j["metadata"]["annotations"][SCHEDULED] for j in c.objects("Job")]


def status(c: kplan.Cluster) -> Value:
    found = c.get(cron_job())
    assert found is not None
    value: Value = found["status"]
    return value


def events(c: kplan.Cluster) -> list[str]:
    return [e.reason for e in c.events_since_last_settle() if e.object == "CronJob/tick"]


def test_one_settle_runs_the_next_schedule_once() -> None:
    c = cluster(cron_job())
    c.settle()
    assert (jobs(c), times(c)) == (["tick-<t1>"], ["2026-01-01T00:01:00Z"])
    assert events(c) == ["SuccessfulCreate", "SawCompletedJob"]
    said = status(c)
    assert set(said) == {"lastScheduleTime", "lastSuccessfulTime"}
    assert said["lastScheduleTime"] == "2026-01-01T00:01:00Z"
    made = c.objects("Job")[0]["metadata"]
    assert made["labels"] == {"made-by": "tick"}
    assert [(r["kind"], r["name"], r["controller"]) for r in made["ownerReferences"]] == [("CronJob", "tick", True)]
    c.settle()
    assert (jobs(c), times(c)[1:]) == (["tick-<t1>", "tick-<t2>"], ["2026-01-01T00:02:00Z"])


def test_pods_of_a_run_carry_its_name() -> None:
    c = cluster(cron_job(tag="run", job={"completionMode": "Indexed", "completions": 1, "parallelism": 1}))
    c.settle()
    pod = c.objects("Pod")[0]
    assert pod["metadata"]["name"] == "tick-<t1>-0-<1>"
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "tick-<t1>"
    assert pod["spec"]["hostname"] == "tick-<t1>-0"
    assert "0000000" not in str(c.objects())
    active = status(c)["active"]
    assert [(r["kind"], r["name"], r["namespace"]) for r in active] == [("Job", "tick-<t1>", "default")]


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_what_a_run_made_can_be_changed(kind: str) -> None:
    c = cluster(cron_job())
    c.settle()
    (made,) = c.objects(kind)
    name = made["metadata"]["name"]
    good = c.patch(kind, name, {"metadata": {"labels": {"by": "hand"}}})
    assert (good.status, good.message) == (200, "")
    (changed,) = c.objects(kind)
    assert changed["metadata"]["labels"] == {**made["metadata"]["labels"], "by": "hand"}
    bad = c.patch(kind, name, {"metadata": {"labels": {"by": "hand!"}}})
    assert (bad.status, {x.field for x in bad.causes}) == (422, {"metadata.labels"})
    assert f'"{name}" is invalid: metadata.labels: Invalid value: "hand!"' in bad.message


def test_what_is_busy_does_not_wait_for_a_run() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
    c = cluster(cron_job())
    c.apply({**pod, "spec": {"containers": [{"name": "c", "image": "registry.example/a:run"}]}})
    c.settle()
    assert jobs(c) == []
    c.settle()
    assert jobs(c) == ["tick-<t1>"]


def test_of_missed_runs_the_latest_is_started() -> None:
    c = cluster(cron_job(schedule="*/10 * * * *"))
    c.clock.advance(3 * 3600 + 130)
    c.settle()
    assert times(c) == ["2026-01-01T03:00:00Z"]
    assert "TooManyMissedTimes" not in events(c)
    c.clock.advance(20 * 3600)
    c.settle()
    assert times(c)[1:] == ["2026-01-01T23:00:00Z"]
    assert "TooManyMissedTimes" in events(c)


def test_a_run_that_is_too_late() -> None:
    c = cluster(cron_job(schedule="0 * * * *", startingDeadlineSeconds=100))
    c.clock.advance(3700.5)
    c.settle()
    assert times(c) == ["2026-01-01T02:00:00Z"]  # that of 01:00 is not started any more
    c = cluster(cron_job(schedule="0 * * * *", startingDeadlineSeconds=200))
    c.clock.advance(3700.5)
    c.settle()
    assert times(c) == ["2026-01-01T01:00:00Z"]


def test_suspended() -> None:
    c = cluster(cron_job(suspend=True))
    c.settle()
    assert (jobs(c), status(c), c.clock.text[:16]) == ([], {}, "2026-01-01T00:00")
    c.clock.advance(250)
    change(c, suspend=False)
    c.settle()
    assert times(c) == ["2026-01-01T00:04:00Z"]


def test_another_schedule_waits_for_its_next_time() -> None:
    c = cluster(cron_job(schedule="0 0 1 1 *"))
    c.settle()
    assert jobs(c) == []
    c.clock.advance(1000)
    change(c, schedule="*/5 * * * *")
    c.settle()
    assert times(c) == ["2026-01-01T00:20:00Z"]


@pytest.mark.skipif(zone_of("Asia/Kolkata") is None, reason="the machine has no time zones")
def test_time_zone() -> None:
    c = cluster(cron_job(schedule="0 6 * * *", timeZone="Asia/Kolkata"))
    c.settle()
    assert (times(c), status(c)["lastScheduleTime"]) == (["2026-01-01T06:00:00+05:30"], "2026-01-01T00:30:00Z")


def test_an_unknown_time_zone_is_reported() -> None:
    given = cron_job(timeZone="Mars/Olympus")
    c = kplan.Cluster([*NODES, {**given, "metadata": {**given["metadata"], "uid": "u", "creationTimestamp": START}}])
    c.settle()
    assert (jobs(c), events(c)) == ([], ["UnknownTimeZone"])
    said = c.events_since_last_settle()[0].message
    assert said == 'invalid timeZone: "Mars/Olympus": unknown time zone Mars/Olympus'


@pytest.mark.parametrize(("schedule", "reason"), [("0 0 31 2 *", "InvalidSchedule"), ("x", "UnparseableSchedule")])
def test_a_schedule_that_never_comes(schedule: str, reason: str) -> None:
    given = cron_job(schedule=schedule)
    c = kplan.Cluster([*NODES, {**given, "metadata": {**given["metadata"], "uid": "u", "creationTimestamp": START}}])
    c.settle()
    assert (jobs(c), events(c)) == ([], [reason])


def test_forbid() -> None:
    c = cluster(cron_job(tag="run", concurrencyPolicy="Forbid"))
    c.settle()
    assert jobs(c) == ["tick-<t1>"]
    c.settle()
    assert (jobs(c), events(c), c.clock.text[:16]) == (["tick-<t1>"], ["JobAlreadyActive"], "2026-01-01T00:02")
    c.delete("Job", "tick-<t1>", propagation="Background")
    c.settle()
    assert "MissingJob" in events(c)
    assert times(c) == ["2026-01-01T00:02:00Z"]  # the run that was held up is still due


def test_replace() -> None:
    c = cluster(cron_job(tag="run", concurrencyPolicy="Replace"))
    c.settle()
    c.settle()
    assert jobs(c) == ["tick-<t2>"]
    assert events(c) == ["SuccessfulDelete", "SuccessfulCreate"]
    assert [p["metadata"]["name"] for p in c.objects("Pod")] == ["tick-<t2>-<1>"]
    assert [r["name"] for r in status(c)["active"]] == ["tick-<t2>"]


def test_allow() -> None:
    c = cluster(cron_job(tag="run"))
    c.settle()
    c.settle()
    assert jobs(c) == [r["name"] for r in status(c)["active"]] == ["tick-<t1>", "tick-<t2>"]


HISTORY: list[tuple[str, Value, int]] = [
    ("exit0", {}, 3),
    ("exit0", {"successfulJobsHistoryLimit": 1}, 1),
    ("exit0", {"successfulJobsHistoryLimit": 0}, 0),
    ("exit1", {}, 1),
    ("exit1", {"failedJobsHistoryLimit": 2}, 2),
]


@pytest.mark.parametrize(("tag", "limits", "kept"), HISTORY)
def test_history(tag: str, limits: Value, kept: int) -> None:
    c = cluster(cron_job(tag=tag, job={"backoffLimit": 0}, **limits))
    for _ in range(5):
        c.settle()
    assert jobs(c) == [f"tick-<t{n}>" for n in range(6 - kept, 6)]
    assert "active" not in status(c)
    assert ("lastSuccessfulTime" in status(c)) is (tag == "exit0")


def test_a_run_that_exists_already() -> None:
    """A Job of the real name that somebody else made is left alone, and so is the CronJob."""
    name = f"tick-{int(seconds(START)) // 60 + 1}"
    template = cron_job()["spec"]["jobTemplate"]
    meta = {"name": name, "namespace": "default"}
    c = cluster(cron_job())
    c.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {**template["spec"], "suspend": True}})
    c.settle()
    c.settle()
    assert (jobs(c), status(c)) == ([name], {})
    assert events(c) == []


def test_a_run_that_is_refused() -> None:
    given = cron_job(job={"parallelism": -1})
    c = kplan.Cluster(NODES)
    c.settle()
    c.store.put({**given, "metadata": {**given["metadata"], "uid": "u", "creationTimestamp": START}})
    c.settle()
    said = [e.message for e in c.events_since_last_settle() if e.reason == "FailedCreate"]
    invalid = "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"
    assert said == [f'Error creating job: Job.batch "tick-<t1>" is invalid: {invalid}']


def test_deleting_a_cron_job_takes_its_jobs_along() -> None:
    c = cluster(cron_job(tag="run"))
    c.settle()
    c.delete("CronJob", "tick")
    c.settle()
    assert [o["kind"] for o in c.objects(namespace="default")] == []


@pytest.mark.parametrize("note", ["2026-01-01T00:01:00Z", "nonsense", ""])
def test_a_stored_cluster_goes_on(note: str) -> None:
    c = cluster(cron_job())
    c.settle()
    job = c.objects("Job")[0]
    c.store.put({**job, "metadata": {**job["metadata"], "annotations": {SCHEDULED: note}}})
    again = kplan.Cluster(c.objects())
    again.clock.now = c.clock.now
    again.settle()  # what every cluster does at first may keep it busy
    if len(jobs(again)) < 2:
        again.settle()
    assert jobs(again) == ["tick-<t1>", "tick-<t2>"]


def at(text: str, last: str = "", **spec: Any) -> Value:
    meta = {"name": "tick", "creationTimestamp": START}
    return {"metadata": meta, "spec": spec, "status": {"lastScheduleTime": last} if last else {}}


RUNS: list[tuple[str, str, Value, str, str | None, int]] = [
    # schedule, last run, spec, now; the latest run that is due and how many were missed
    ("0 * * * *", "", {}, "2026-01-01T00:59:59Z", None, 0),
    ("0 * * * *", "", {}, "2026-01-01T01:00:00Z", "2026-01-01T01:00:00Z", 0),
    ("0 * * * *", "", {}, "2026-01-01T01:59:59Z", "2026-01-01T01:00:00Z", 0),
    ("0 * * * *", "", {}, "2026-01-01T02:00:00Z", "2026-01-01T02:00:00Z", 2),
    ("0 * * * *", "2026-01-01T05:00:00Z", {}, "2026-01-01T05:30:00Z", None, 0),
    ("0 * * * *", "2026-01-01T05:00:00Z", {}, "2026-01-02T05:30:00Z", "2026-01-02T05:00:00Z", 24),
    ("0 * * * *", "", {"startingDeadlineSeconds": 1799}, "2026-01-01T05:30:00Z", None, 0),
    ("0 * * * *", "", {"startingDeadlineSeconds": 1801}, "2026-01-01T05:30:00Z", "2026-01-01T05:00:00Z", 0),
    ("* * * * *", "", {}, "2026-01-01T01:40:00Z", "2026-01-01T01:40:00Z", 100),
    ("* * * * *", "", {}, "2026-01-01T01:41:00Z", "2026-01-01T01:41:00Z", 101),
    ("@every 7m", "", {}, "2026-01-01T01:00:00Z", "2026-01-01T00:56:00Z", 8),
    # Runs that are not evenly spaced: what is estimated may skip the latest one.
    ("30 6-16/4 * * 1-5", "", {}, "2026-01-02T11:00:00Z", "2026-01-02T10:30:00Z", 8),
    ("30 6-16/4 * * 1-5", "", {}, "2026-01-03T00:00:00Z", None, 11),
]


@pytest.mark.parametrize(("schedule", "last", "spec", "now", "latest", "count"), RUNS)
def test_missed_runs(schedule: str, last: str, spec: Value, now: str, latest: str | None, count: int) -> None:
    found = missed(at(schedule, last, **spec), parse(schedule), UTC, seconds(now))
    assert (stamp(found.latest) if found.latest is not None else None, found.missed) == (latest, count)
    assert too_many(found) is (count > 100)


def test_a_schedule_without_two_runs() -> None:
    never = parse("0 0 31 2 *")
    with pytest.raises(NeverDueError):
        missed(at(""), never, UTC, seconds(START))
    assert pause(at(""), never, UTC, seconds(START)) is None
    assert not too_many(Missed(None, 1000, 0.0))


PAUSES = [("0 * * * *", "2026-01-01T00:30:00Z", 1800.1), ("0 * * * *", "2026-01-01T07:59:00Z", 60.1)]


@pytest.mark.parametrize(("schedule", "now", "wait"), PAUSES)
def test_when_to_look_again(schedule: str, now: str, wait: float) -> None:
    assert pause(at(schedule), parse(schedule), UTC, seconds(now)) == pytest.approx(wait)


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_what_a_run_made_can_be_named_as_owner(kind: str) -> None:
    c = cluster(cron_job())
    c.settle()
    (owner,) = c.objects(kind)
    name, uid = owner["metadata"]["name"], owner["metadata"]["uid"]
    ref = {"apiVersion": owner["apiVersion"], "kind": kind, "name": name, "uid": f"<uid {kind}/{name}>"}
    meta = {"name": "log", "namespace": "default", "ownerReferences": [ref]}
    (answer,) = c.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}], mode="ssa")
    assert answer.accepted, answer.message
    assert answer.object is not None
    assert answer.object["metadata"]["ownerReferences"][0]["uid"] == uid
