"""Jobs: how many pods they keep, what they count, and how they end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import kplan
from kplan.controllers import jobindexes, jobstatus
from kplan.controllers.jobbackoff import Backoff
from kplan.controllers.jobpolicies import enough, judge
from kplan.kubelet.outcomes import Outcome

Value = dict[str, Any]

NODES = [{"metadata": {"name": n}, "status": {"allocatable": {"cpu": "8", "pods": "110"}}} for n in ("n1", "n2")]
STORE = "registry.example/store"


def job(
    name: str = "j", tag: str = "exit0", *, notes: Value | None = None, policy: str = "Never", **spec: Any
) -> Value:
    pod = {"restartPolicy": policy, "containers": [{"name": "t", "image": f"{STORE}:{tag}"}]}
    template: Value = {"metadata": {"annotations": notes} if notes else {}, "spec": pod}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template, **spec}}


def cluster(*objects: Value) -> kplan.Cluster:
    made = kplan.Cluster(NODES)
    assert all(a.accepted for a in made.apply(objects))
    return made


def stored(c: kplan.Cluster, name: str = "j") -> Value:
    found = c.get(job(name))
    assert found is not None
    return found


def change(c: kplan.Cluster, name: str = "j", **spec: Any) -> None:
    old = stored(c, name)
    answer = c.apply({**old, "spec": {**old["spec"], **spec}}, mode="replace")[0]
    assert answer.accepted, answer.message


def counts(c: kplan.Cluster, name: str = "j") -> tuple[int, ...]:
    status = stored(c, name)["status"]
    return tuple(status.get(k, 0) for k in ("active", "ready", "succeeded", "failed", "terminating"))


def conditions(c: kplan.Cluster, name: str = "j") -> list[tuple[str, str]]:
    return [(k["type"], k["reason"]) for k in stored(c, name)["status"].get("conditions", ()) if k["status"] == "True"]


def events(c: kplan.Cluster) -> list[str]:
    return [e.reason for e in c.events_since_last_settle()]


def pods(c: kplan.Cluster) -> list[str]:
    return [p["metadata"]["name"] for p in c.objects("Pod")]


COMPLETE = [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]


def failed(reason: str) -> list[tuple[str, str]]:
    return [("FailureTarget", reason), ("Failed", reason)]


ENDS: list[tuple[str, Value, list[tuple[str, str]], tuple[int, ...]]] = [
    ("one pod", job(), COMPLETE, (0, 0, 1, 0, 0)),
    ("many pods", job(parallelism=3, completions=7), COMPLETE, (0, 0, 7, 0, 0)),
    ("no completions: one success is enough", job(parallelism=3), COMPLETE, (0, 0, 3, 0, 0)),
    ("retried", job(notes={"fake-kubelet/fail-first": "2"}), COMPLETE, (0, 0, 1, 2, 0)),
    ("no retry", job(tag="exit1", backoffLimit=0), failed("BackoffLimitExceeded"), (0, 0, 0, 1, 0)),
    ("two retries", job(tag="exit1", backoffLimit=2), failed("BackoffLimitExceeded"), (0, 0, 0, 3, 0)),
    (
        "pods that run count as failed when the Job fails",
        job(
            notes={"fake-kubelet/exit-codes": "0:1"},
            tag="run",
            completionMode="Indexed",
            completions=3,
            parallelism=3,
            backoffLimit=0,
        ),
        failed("BackoffLimitExceeded"),
        (0, 0, 0, 3, 0),
    ),
    (
        "restarted in place until it works",
        job(notes={"fake-kubelet/fail-first": "2"}, policy="OnFailure"),
        COMPLETE,
        (0, 0, 1, 0, 0),
    ),
    (
        "restarted in place too often",
        job(tag="exit1", policy="OnFailure", backoffLimit=3),
        failed("BackoffLimitExceeded"),
        (0, 0, 0, 1, 0),
    ),
    (
        "no restart in place",
        job(tag="exit1", policy="OnFailure", backoffLimit=0),
        failed("BackoffLimitExceeded"),
        (0, 0, 0, 1, 0),
    ),
    ("too slow", job(tag="run", activeDeadlineSeconds=30), failed("DeadlineExceeded"), (0, 0, 0, 1, 0)),
    ("nothing wanted", job(parallelism=0, completions=0), COMPLETE, (0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(("what", "given", "said", "counted"), ENDS, ids=[e[0] for e in ENDS])
def test_how_a_job_ends(what: str, given: Value, said: list[tuple[str, str]], counted: tuple[int, ...]) -> None:
    c = cluster(given)
    c.settle()
    assert (conditions(c), counts(c)) == (said, counted)
    assert not any(p["metadata"].get("finalizers") for p in c.objects("Pod"))
    status = stored(c)["status"]
    assert ("completionTime" in status) is (said == COMPLETE)
    assert status["uncountedTerminatedPods"] == {}


INDEXED = {"completionMode": "Indexed", "completions": 4, "parallelism": 4}
CODES = "fake-kubelet/exit-codes"

INDEX_ENDS: list[tuple[str, Value, str, str, str | None]] = [
    ("all", job(**INDEXED), "CompletionsReached", "0-3", None),
    (
        "one fails",
        job(**INDEXED, notes={CODES: "1:5"}, backoffLimitPerIndex=0),
        "FailedIndexes",
        "0,2,3",
        "1",
    ),
    (
        "too many fail",
        job(**INDEXED, notes={CODES: "0:1,1:1"}, tag="run", backoffLimitPerIndex=0, maxFailedIndexes=1),
        "MaxFailedIndexesExceeded",
        "",
        "0,1",
    ),
    (
        "each index has its own retries",
        job(**INDEXED, notes={CODES: "3:1"}, backoffLimitPerIndex=1),
        "FailedIndexes",
        "0-2",
        "3",
    ),
    (
        "an index that is given up at once",
        job(
            **INDEXED,
            notes={CODES: "3:9"},
            backoffLimitPerIndex=5,
            podFailurePolicy={"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [9]}}]},
        ),
        "FailedIndexes",
        "0-2",
        "3",
    ),
    (
        "enough by index",
        job(**INDEXED, notes={CODES: "0:0,2:0"}, tag="run", successPolicy={"rules": [{"succeededIndexes": "0,2"}]}),
        "SuccessPolicy",
        "0,2",
        None,
    ),
    (
        "enough by count",
        job(**INDEXED, successPolicy={"rules": [{"succeededCount": 2}]}),
        "SuccessPolicy",
        "0,1",
        None,
    ),
]


@pytest.mark.parametrize(("what", "given", "reason", "done", "lost"), INDEX_ENDS, ids=[e[0] for e in INDEX_ENDS])
def test_how_an_indexed_job_ends(what: str, given: Value, reason: str, done: str, lost: str | None) -> None:
    c = cluster(given)
    c.settle()
    status = stored(c)["status"]
    assert {said for _, said in conditions(c)} == {reason}
    assert len(conditions(c)) == 2
    assert (status.get("completedIndexes", ""), status.get("failedIndexes")) == (done, lost)
    assert counts(c)[0] == counts(c)[4] == 0


def test_pods_of_an_indexed_job() -> None:
    c = cluster(job(**INDEXED, tag="run"))
    c.settle()
    assert pods(c) == ["j-0-<1>", "j-1-<1>", "j-2-<1>", "j-3-<1>"]
    pod = c.objects("Pod")[2]
    index = "batch.kubernetes.io/job-completion-index"
    assert (pod["metadata"]["labels"][index], pod["metadata"]["annotations"][index]) == ("2", "2")
    assert pod["spec"]["hostname"] == "j-2"
    assert pod["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
    assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]


def test_failures_of_an_index_are_carried_on() -> None:
    c = cluster(job(**INDEXED, notes={CODES: "3:1"}, backoffLimitPerIndex=2))
    rests = c.settle()
    notes = [p["metadata"]["annotations"] for p in c.objects("Pod") if p["metadata"]["name"].startswith("j-3-")]
    assert [n["batch.kubernetes.io/job-index-failure-count"] for n in notes] == ["0", "1", "2"]
    # The first replacement comes 10 s after the failure, the second 20 s after the next one.
    made = [r.at for r in rests if any("create pod j-3-" in line for line in r.changes)]
    assert [round(b - a) // 10 for a, b in pairwise(made)] == [1, 2]
    assert counts(c)[3] == 3


def test_the_pause_between_failures_doubles() -> None:
    c = cluster(job(tag="exit1", backoffLimit=6))
    rests = c.settle()
    made = [r.at for r in rests if any(line.startswith("create pod") for line in r.changes)]
    assert [round(b - a) // 10 for a, b in pairwise(made)] == [1, 2, 4]  # then more than a minute
    assert conditions(c) == []
    for _ in range(3):  # 80, 160 and 320 s: served when there is nothing else to do
        c.settle()
    assert conditions(c) == failed("BackoffLimitExceeded")
    assert counts(c)[3] == 7


BACKOFFS = [(0, 0.0), (1, 10.0), (2, 20.0), (3, 40.0), (6, 320.0), (7, 600.0), (2000, 600.0)]


@pytest.mark.parametrize(("failures", "pause"), BACKOFFS)
def test_backoff(failures: int, pause: float) -> None:
    assert Backoff(failures, 1000.0).remaining(1000.0) == pause
    assert Backoff(failures, 1000.0).remaining(1004.0) == max(0.0, pause - 4)
    assert Backoff(failures, 1000.0).remaining(9000.0) == 0.0


def ended(second: int) -> Value:
    state = {"terminated": {"finishedAt": f"1970-01-01T00:00:{second:02d}Z"}}
    return {"metadata": {}, "status": {"containerStatuses": [{"state": state}]}}


def test_a_success_starts_the_backoff_anew() -> None:
    record = Backoff().after([], [ended(1), ended(5)])
    assert record == Backoff(2, 5.0)
    assert record.after([], []) == record
    assert record.after([], [ended(9)]) == Backoff(3, 9.0)
    assert record.after([ended(9)], []) == Backoff()
    assert record.after([ended(9)], [ended(8), ended(9)]) == Backoff()
    assert record.after([ended(9)], [ended(8), ended(10), ended(11)]) == Backoff(2, 11.0)


WANTED = [  # parallelism, completions, and the active pods after each success
    (2, 5, [2, 2, 2, 2, 1, 0]),
    (5, 2, [2, 1, 0]),
    (3, 3, [3, 2, 1, 0]),
    (1, 2, [1, 1, 0]),
    (3, None, [3, 2, 1, 0]),
]


@pytest.mark.parametrize(("parallelism", "completions", "active"), WANTED)
def test_wanted_number_of_pods(parallelism: int, completions: int | None, active: list[int]) -> None:
    spec = {"parallelism": parallelism} | ({"completions": completions} if completions is not None else {})
    c = cluster(job(**spec))
    seen: dict[int, int] = {}
    for rest in c.settle():
        now, _, succeeded, _, _ = rest.sets["job/j"]
        seen[succeeded] = now
    assert [seen[n] for n in sorted(seen)] == active


def test_parallelism_changes() -> None:
    c = cluster(job(tag="run", parallelism=4, completions=6))
    c.settle()
    assert counts(c) == (4, 4, 0, 0, 0)
    change(c, parallelism=2)
    c.settle()
    assert counts(c) == (2, 2, 0, 0, 0)  # what is taken away has not failed
    assert pods(c) == ["j-<1>", "j-<2>"]  # those that were ready last go first
    assert events(c) == ["SuccessfulDelete"] * 2
    change(c, parallelism=9)
    c.settle()
    assert counts(c) == (6, 6, 0, 0, 0)


def test_an_elastic_indexed_job() -> None:
    c = cluster(job(tag="run", **INDEXED))
    c.settle()
    change(c, parallelism=2, completions=2)
    c.settle()
    assert pods(c) == ["j-0-<1>", "j-1-<1>"]
    change(c, parallelism=3, completions=3)
    c.settle()
    assert pods(c) == ["j-0-<1>", "j-1-<1>", "j-2-<2>"]


def test_suspended_and_resumed() -> None:
    c = cluster(job(tag="run", parallelism=2, completions=2, suspend=True, activeDeadlineSeconds=30))
    c.settle()
    assert (counts(c), conditions(c)) == ((0, 0, 0, 0, 0), [("Suspended", "JobSuspended")])
    assert "startTime" not in stored(c)["status"]
    assert events(c) == ["Suspended"]
    change(c, suspend=False, activeDeadlineSeconds=100000)
    c.settle()
    assert (counts(c), conditions(c)) == ((2, 2, 0, 0, 0), [])
    assert events(c)[-1:] == ["Resumed"]
    first = stored(c)["status"]["startTime"]
    change(c, suspend=True)
    c.settle()
    assert (counts(c), pods(c), "startTime" in stored(c)["status"]) == ((0, 0, 0, 0, 0), [], False)
    change(c, suspend=False)
    c.settle()
    assert stored(c)["status"]["startTime"] > first


@pytest.mark.parametrize(("version", "kept"), [("1.35", True), ("1.36", False)])
def test_start_time_while_suspended(version: str, kept: bool) -> None:
    c = kplan.Cluster(NODES, version=version)
    c.apply(job(tag="run"))
    c.settle()
    change(c, suspend=True)
    c.settle()
    assert ("startTime" in stored(c)["status"]) is kept


def test_a_pod_that_somebody_holds_ends_but_stays() -> None:
    meta = {"name": "held", "namespace": "default", "finalizers": ["example.com/mine"]}
    spec = {"containers": [{"name": "t", "image": f"{STORE}:run"}]}
    c = cluster({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    c.settle()
    c.delete("Pod", "held")
    assert [r.kubelet for r in c.settle()] == [None, "gone held"]
    assert pods(c) == ["held"]


def test_many_pods_are_counted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobstatus, "_MOST_UNCOUNTED", 2)
    c = cluster(job(tag="run", **INDEXED, notes={CODES: "0:1"}, backoffLimit=0))
    c.settle()
    assert (conditions(c), counts(c)) == (failed("BackoffLimitExceeded"), (0, 0, 0, 4, 0))


def test_before_1_31_a_job_ends_while_pods_are_terminating() -> None:
    given = job(tag="run", **INDEXED, notes={CODES: "0:1"}, backoffLimit=0)
    c = kplan.Cluster(NODES, version="1.30")
    c.apply(given)
    rests = c.settle()
    assert conditions(c) == [("Failed", "BackoffLimitExceeded")]
    ending = next(r for r in rests if r.kubelet == "exit j-0-<1>")
    assert ending.sets["job/j"] == [0, 0, 0, 4, 3]
    assert any("->['Failed']" in line for line in ending.changes)


def test_a_deleted_pod() -> None:
    c = cluster(job("soon", "run"), job("late", "run", podReplacementPolicy="Failed"))
    c.settle()
    for name in ("soon-<1>", "late-<1>"):
        c.delete("Pod", name)
    c.settle(kubelet=False)
    assert (counts(c, "soon"), counts(c, "late")) == ((0, 0, 0, 1, 1), (0, 0, 0, 0, 1))
    held = {p["metadata"]["name"]: bool(p["metadata"].get("finalizers")) for p in c.objects("Pod")}
    assert held == {"soon-<1>": False, "late-<1>": True}
    start = c.clock.now
    rests = c.settle()
    assert (counts(c, "soon"), counts(c, "late")) == ((1, 1, 0, 1, 0), (1, 1, 0, 1, 0))
    made = {line: r.at - start for r in rests for line in r.changes if line.startswith("create pod")}
    assert set(made) == {"create pod soon-<2>", "create pod late-<2>"}
    assert 7 < made["create pod soon-<2>"] < made["create pod late-<2>"] < 14  # each 10 s after its failure


def test_other_pods_stay_active_during_a_pause() -> None:
    c = cluster(job(tag="run", notes={CODES: "1:1"}, completionMode="Indexed", completions=3, parallelism=3))
    pauses = [r.sets["job/j"] for r in c.settle() if r.kubelet and r.kubelet.startswith("exit")]
    assert pauses[0] == [2, 2, 0, 1, 0]


POD: Value = {
    "metadata": {"name": "p", "namespace": "ns"},
    "status": {
        "phase": "Failed",
        "conditions": [{"type": "DisruptionTarget", "status": "True"}],
        "containerStatuses": [
            {"name": "side", "state": {"terminated": {"exitCode": 0}}},
            {"name": "main", "state": {"terminated": {"exitCode": 42}}},
        ],
        "initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 7}}}],
    },
}


def codes(action: str, operator: str, *values: int, **container: str) -> Value:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **container}}


def on(action: str, kind: str, status: str = "True") -> Value:
    return {"action": action, "onPodConditions": [{"type": kind, "status": status}]}


MAIN = "Container main for pod ns/p failed with exit code 42 matching FailJob rule at index"
POLICIES: list[tuple[list[Value], str, bool, str]] = [
    ([], "", True, ""),
    ([codes("FailJob", "In", 42)], "FailJob", True, f"{MAIN} 0"),
    ([codes("Count", "In", 1, 2), codes("FailJob", "NotIn", 1, 2)], "FailJob", True, f"{MAIN} 1"),
    ([codes("Ignore", "In", 42), codes("FailJob", "In", 42)], "Ignore", False, ""),
    ([codes("FailJob", "In", 42, containerName="side")], "", True, ""),
    ([codes("Count", "In", 7, containerName="init")], "Count", True, ""),
    ([codes("FailIndex", "NotIn", 42, containerName="main")], "", True, ""),
    (
        [on("FailJob", "DisruptionTarget")],
        "FailJob",
        True,
        "Pod ns/p has condition DisruptionTarget matching FailJob rule at index 0",
    ),
    ([on("Ignore", "DisruptionTarget"), codes("FailJob", "In", 42)], "Ignore", False, ""),
    ([on("Ignore", "DisruptionTarget", "False"), on("Ignore", "ConfigIssue")], "", True, ""),
]


@pytest.mark.parametrize(("rules", "action", "counted", "message"), POLICIES)
def test_the_first_rule_that_matches_decides(rules: list[Value], action: str, counted: bool, message: str) -> None:
    given = job(podFailurePolicy={"rules": rules})
    assert judge(POD, given) == (action, counted, message)


def test_a_job_that_a_policy_fails() -> None:
    rules = [codes("Ignore", "In", 3), codes("FailJob", "In", 42, containerName="t")]
    c = cluster(job(tag="exit42", parallelism=2, completions=2, podFailurePolicy={"rules": rules}))
    rests = c.settle()
    assert (conditions(c), counts(c)) == (failed("PodFailurePolicy"), (0, 0, 0, 2, 0))
    assert [r.sets["job/j"] for r in rests[-2:]] == [[0, 0, 0, 2, 1], [0, 0, 0, 2, 0]]
    said = [e.message for e in c.events_since_last_settle() if e.reason == "PodFailurePolicy"]
    assert said == ["Container t for pod default/j-<1> failed with exit code 42 matching FailJob rule at index 1"]


def test_ignored_failures_do_not_count() -> None:
    rules = [codes("Ignore", "In", 3)]
    c = cluster(job(tag="run", backoffLimit=0, podFailurePolicy={"rules": rules}))
    c.settle(kubelet={f"{STORE}:run": Outcome(exit_code=3)})
    assert (counts(c)[0], counts(c)[3], conditions(c)) == (0, 0, [])  # waits for its next try
    c.settle(kubelet={f"{STORE}:run": Outcome(exit_code=0)})
    assert (conditions(c), counts(c)) == (COMPLETE, (0, 0, 1, 0, 0))


SUCCESSES = [
    ({"succeededIndexes": "1,3"}, {1, 3}, True),
    ({"succeededIndexes": "1,3"}, {0, 1, 2}, False),
    ({"succeededIndexes": "0-3", "succeededCount": 2}, {1, 3, 7}, True),
    ({"succeededIndexes": "0-3", "succeededCount": 3}, {1, 3, 7}, False),
    ({"succeededCount": 2}, {5}, False),
    ({"succeededCount": 2}, {5, 6}, True),
]


@pytest.mark.parametrize(("rule", "succeeded", "met"), SUCCESSES)
def test_success_policies(rule: Value, succeeded: set[int], met: bool) -> None:
    never = {"succeededIndexes": "9", "succeededCount": 1}
    given = job(completions=10, successPolicy={"rules": [never, rule]})
    assert enough(given, succeeded) == ("Matched rules at index 1" if met else "")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", []), ("0", [0]), ("0,1", [0, 1]), ("0-2", [0, 1, 2]), ("1,3,4,6-9", [1, 3, 4, 6, 7, 8, 9])],
)
def test_texts_of_indexes(text: str, numbers: list[int]) -> None:
    assert jobindexes.text(numbers) == text
    assert sorted(jobindexes.parse(text, 10)) == numbers


def test_indexes_beyond_the_last_are_dropped() -> None:
    assert jobindexes.parse("1,3-99999999999,x,7-y", 5) == {1, 3, 4}


@pytest.mark.parametrize(
    ("taken", "count", "found"),
    [(set(), 2, [0, 1]), ({0, 2}, 2, [1, 3]), ({0, 1, 2, 3, 4}, 1, []), ({4}, 9, [0, 1, 2, 3]), ({7}, 0, [])],
)
def test_free_indexes(taken: set[int], count: int, found: list[int]) -> None:
    assert jobindexes.free(taken, 5, count) == found


def test_a_job_of_another_controller_is_left_alone() -> None:
    c = cluster(job(managedBy="example.com/queue"), job("own", managedBy="kubernetes.io/job-controller"))
    c.settle()
    assert (stored(c)["status"], pods(c)) == ({}, ["own-<1>"])


def test_a_job_that_never_went_through_the_server_makes_no_pods() -> None:
    given = job(tag="run")
    c = kplan.Cluster([*NODES, {**given, "metadata": {**given["metadata"], "uid": "u"}}])
    c.settle()
    assert (c.unsettled, pods(c)) == ("", [])


def test_pods_that_are_refused() -> None:
    spec = {"limits": [{"type": "Pod", "max": {"cpu": "1"}}]}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": "default"}, "spec": spec}
    c = cluster(limits, job(tag="run", parallelism=3, completions=3))
    c.settle()
    assert (counts(c), pods(c)) == ((0, 0, 0, 0, 0), [])
    assert set(events(c)) == {"FailedCreate"}
    c.delete("LimitRange", "l")
    c.settle()
    assert counts(c) == (3, 3, 0, 0, 0)


def test_ttl() -> None:
    c = cluster(job(ttlSecondsAfterFinished=600), job("stays"))
    c.settle()
    assert len(pods(c)) == 2
    rests = c.settle()
    assert "terminating job j finalizers=['foregroundDeletion']" in rests[-1].changes
    assert (pods(c), [j["metadata"]["name"] for j in c.objects("Job")]) == (["stays-<1>"], ["stays"])


DELETIONS = [(None, ["j-<1>"]), ("Orphan", ["j-<1>"]), ("Background", []), ("Foreground", [])]


@pytest.mark.parametrize(("propagation", "left"), DELETIONS)
def test_deletion(propagation: str | None, left: list[str]) -> None:
    """The API server orphans the pods of a batch/v1 Job where the call does not say; none stays held."""
    c = cluster(job(tag="run"))
    c.settle()
    c.delete("Job", "j", propagation=propagation)
    c.settle()
    assert (c.objects("Job"), pods(c)) == ([], left)
    assert not any(p["metadata"].get("finalizers") for p in c.objects("Pod"))


def test_an_orphan_is_adopted_and_counted() -> None:
    c = cluster(job(tag="run", suspend=True))
    c.settle()
    meta = {"name": "found", "namespace": "default", "labels": stored(c)["spec"]["selector"]["matchLabels"]}
    spec = {"restartPolicy": "Never", "containers": [{"name": "t", "image": f"{STORE}:exit0"}]}
    change(c, suspend=False)
    c.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    c.settle()
    assert (pods(c), counts(c)) == (["found"], (0, 0, 1, 0, 0))


def test_a_pod_that_is_relabelled_is_let_go() -> None:
    c = cluster(job(tag="run"))
    c.settle()
    pod = c.objects("Pod")[0]
    c.store.put({**pod, "metadata": {**pod["metadata"], "labels": {"mine": "now"}}})
    c.settle()
    first, second = c.objects("Pod")
    assert (second["metadata"]["name"], counts(c)) == ("j-<2>", (1, 1, 0, 0, 0))
    assert "ownerReferences" not in first["metadata"]
    assert "finalizers" not in first["metadata"]
