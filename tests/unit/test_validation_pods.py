"""Pod specs by release, what a stored object may keep, and hostile sizes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan
from kplan.api.validation import Context, validate
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.podspec import pod_spec

CONTAINER = {"name": "app", "image": "i", "imagePullPolicy": "Always", "terminationMessagePolicy": "File"}
SPEC = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}


def spec(container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A defaulted pod spec of one container."""
    return SPEC | {"containers": [CONTAINER | (container or {})]} | more


def faults(value: dict[str, Any], options: PodOptions) -> list[str]:
    errors = Errors()
    pod_spec(errors, "spec", value, options)
    return [c.field.removeprefix("spec.containers[0].") for c in errors.causes]


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}
ZERO_SLEEP = {"lifecycle": {"preStop": {"sleep": {"seconds": 0}}}}
SPREAD = {
    "maxSkew": 1,
    "topologyKey": "a",
    "whenUnsatisfiable": "ScheduleAnyway",
    "labelSelector": {"matchLabels": {"b": "c"}},
}
SIDECAR = CONTAINER | {"name": "s", "restartPolicy": "Always"}

RESTART_ALL = {"restartPolicy": "Never", "restartPolicyRules": [RULE | {"action": "RestartAllContainers"}]}
RESIZED = [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]
BLOCK = {"volumeDevices": [{"name": "a", "devicePath": "/b"}]}
CLAIM = {"name": "a", "persistentVolumeClaim": {"claimName": "b"}}

# A spec, the last minor that refuses it, and where; None: every release does.
BY_RELEASE: list[tuple[dict[str, Any], int | None, list[str]]] = [
    (spec({"env": [{"name": "a b"}]}), 31, ["env[0].name"]),
    (spec({"restartPolicy": "Never"}), 34, ["restartPolicy"]),
    (spec(ZERO_SLEEP), 32, ["lifecycle.preStop.sleep"]),
    (spec(dnsConfig={"searches": ["_a.b"]}), 32, ["spec.dnsConfig.searches[0]"]),
    (spec(initContainers=[SIDECAR | {"resizePolicy": RESIZED}]), 32, ["spec.initContainers[0].resizePolicy"]),
    (spec(initContainers=[SIDECAR | {"restartPolicy": "Never"}]), 34, ["spec.initContainers[0].restartPolicy"]),
    (spec(topologySpreadConstraints=[SPREAD | {"matchLabelKeys": ["b"]}]), 33,
     ["spec.topologySpreadConstraints[0].matchLabelKeys[0]"]),
    (spec(tolerations=[{"key": "a", "operator": "Gt", "value": "1"}]), None, ["spec.tolerations[0].operator"]),
    (spec(securityContext={"seLinuxChangePolicy": "MountOption"}), None, ["spec.securityContext.seLinuxChangePolicy"]),
    (spec(hostUsers=False, hostNetwork=True), None, ["spec.hostNetwork"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "last", "fields"), BY_RELEASE)
def test_by_release(value: dict[str, Any], last: int | None, fields: list[str]) -> None:
    got = {minor: faults(value, PodOptions(minor)) for minor in range(29, 38)}
    assert got == {minor: fields if last is None or minor <= last else [] for minor in got}


@pytest.mark.parametrize(
    ("minor", "fields"),
    [(34, ["restartPolicy"]), (35, ["restartPolicyRules[0].action"]), (36, [])],
)
def test_restart_rules_came_in_two_steps(minor: int, fields: list[str]) -> None:
    assert faults(spec(RESTART_ALL), PodOptions(minor)) == fields


def test_resources_of_the_pod_are_new() -> None:
    value = spec({"resources": {"limits": {"cpu": "2"}}}, resources={"limits": {"cpu": "1"}})
    assert faults(value, PodOptions(33)) == []
    assert faults(value, PodOptions(34)) == ["spec.resources.containers[0][cpu].limits"]


OUTSIDE = {"serviceAccountToken": {"path": "/a", "expirationSeconds": 600}}
TOKEN = {"name": "a", "projected": {"sources": [OUTSIDE]}}

# A stored object that breaks a rule may go on breaking it: a spec, a minor, where a new one is refused.
KEPT: list[tuple[dict[str, Any], int, list[str]]] = [
    (spec({"env": [{"name": "a b"}]}), 31, ["env[0].name"]),
    (spec({"restartPolicy": "Never"}), 34, ["restartPolicy"]),
    (spec(ZERO_SLEEP), 32, ["lifecycle.preStop.sleep"]),
    (spec(RESTART_ALL), 35, ["restartPolicyRules[0].action"]),
    (spec(dnsConfig={"searches": ["_a.b"]}), 32, ["spec.dnsConfig.searches[0]"]),
    (spec({"resources": {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}}}), 36, ["resources.limits[hugepages-2Mi]"]),
    (spec(tolerations=[{"key": "a", "operator": "Gt", "value": "1"}]), 36, ["spec.tolerations[0].operator"]),
    (spec(securityContext={"seLinuxChangePolicy": "MountOption"}), 36, ["spec.securityContext.seLinuxChangePolicy"]),
    (spec(hostUsers=False, hostNetwork=True), 36, ["spec.hostNetwork"]),
    (spec(BLOCK, hostUsers=False, volumes=[CLAIM]), 36, ["volumeDevices"]),
    (spec(topologySpreadConstraints=[SPREAD | {"labelSelector": {"matchLabels": {"a": "-"}}}]), 36,
     ["spec.topologySpreadConstraints[0].labelSelector.matchLabels"]),
    (spec(securityContext={"sysctls": [{"name": "net.a"}]}, hostNetwork=True), 36,
     ["spec.securityContext.sysctls[0].name"]),
    (spec(volumes=[TOKEN]), 36, ["spec.volumes[0].projected.path"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "minor", "fields"), KEPT)
def test_kept(value: dict[str, Any], minor: int, fields: list[str]) -> None:
    assert faults(value, PodOptions(minor)) == fields
    assert faults(value, PodOptions(minor, old=spec())) == fields
    assert faults(value, PodOptions(minor, old=copy.deepcopy(value))) == []


def admitted(version: str, obj: dict[str, Any]) -> list[str]:
    return [f"{c.field}: {c.message}" for c in kplan.admit(obj, version=version).causes]


def pod(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec(**more)}


@pytest.mark.parametrize(
    ("version", "word"),
    [("1.33", "`pod.Spec.HostUsers`"), ("1.36", "`hostUsers`")],
)
def test_older_words(version: str, word: str) -> None:
    found = admitted(version, pod(hostUsers=False, hostPID=True))
    assert found == [f"spec.HostPID: Forbidden: when {word} is false"]


def test_a_message_may_show_a_whole_list_but_not_for_each_of_many_items() -> None:
    count = 20_000
    owner = {"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c", "controller": True}
    huge = pod() | {"metadata": {"name": "a", "namespace": "b", "ownerReferences": [owner] * count}}
    causes = validate(huge, group="", context=Context(36))
    assert 0 < len(causes) < 20
    assert {c.field for c in causes} == {"metadata.ownerReferences"}


@pytest.mark.parametrize(
    ("places", "limit"),
    [
        ({"topologySpreadConstraints": [SPREAD | {"topologyKey": f"a{i}"} for i in range(20_000)]}, 0),
        ({"resourceClaims": [{"name": f"a{i}", "resourceClaimName": "b"} for i in range(20_000)]}, 0),
        ({"tolerations": [{"key": f"a{i}", "operator": "Exists"} for i in range(20_000)]}, 0),
    ],
    ids=["spread", "claims", "tolerations"],
)
def test_long_lists(places: dict[str, Any], limit: int) -> None:
    old = pod(serviceAccountName="a", **places)
    old["metadata"]["namespace"] = "b"
    assert len(validate(copy.deepcopy(old), group="", context=Context(36), old=old)) == limit


def test_a_negative_grace_period_of_a_pod_becomes_a_second() -> None:
    answer = kplan.admit(pod(terminationGracePeriodSeconds=-5))
    assert answer.object is not None
    assert answer.object["spec"]["terminationGracePeriodSeconds"] == 1
