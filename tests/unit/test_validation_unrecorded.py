"""Rules that no recording of a server has met: what is refused, and how. The sources are the public documentation."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan

Value = dict[str, Any]
Found = list[tuple[str, str, str]]

NAMESPACE: Value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
INLINE = "in the context of inline volumes"


def obj(api_version: str, kind: str, /, **rest: Any) -> Value:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **rest}


def found(sent: Value, version: str = "1.36") -> Found:
    answer = kplan.admit(sent, version=version)
    return [(c.field, c.reason.removeprefix("FieldValue"), c.message) for c in answer.causes]


def changed(old: Value, **change: Any) -> Found:
    """What the server has against a stored object with these fields changed; None removes one."""
    cluster = kplan.Cluster([NAMESPACE])
    assert cluster.apply([old], mode="replace")[0].accepted
    new = copy.deepcopy(cluster.get(old))
    assert new is not None
    for path, value in change.items():
        *parents, last = path.split("__")
        place: Any = new
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    answer = cluster.apply([new], mode="replace", dry_run=True)[0]
    return [(c.field, c.reason.removeprefix("FieldValue"), c.message) for c in answer.causes]


OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1-2", "controller": True}
REPEATED = (
    "metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
    "such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: 1-2"
)


def test_an_owner_named_twice_is_kept_once() -> None:
    sent = obj("v1", "ConfigMap")
    sent["metadata"]["ownerReferences"] = [OWNER, dict(OWNER)]
    answer = kplan.admit(sent)
    assert answer.object is not None
    assert answer.object["metadata"]["ownerReferences"] == [OWNER]
    assert answer.warnings == (REPEATED,)
    cluster = kplan.Cluster([NAMESPACE])
    cluster.apply([obj("v1", "ConfigMap")], mode="replace")
    assert cluster.apply([sent], mode="replace")[0].warnings == (REPEATED,)


def test_two_owners_of_one_uid_are_two() -> None:
    sent = obj("v1", "ConfigMap")
    sent["metadata"]["ownerReferences"] = [OWNER, {**OWNER, "name": "other"}]
    assert [(field, reason) for field, reason, _ in found(sent)] == [("metadata.ownerReferences", "Invalid")]


def test_backends_of_an_ingress_are_named_as_services_are() -> None:
    sent = obj("networking.k8s.io/v1", "Ingress")
    sent["spec"] = {"defaultBackend": {"service": {"name": "1st", "port": {"number": 80}}}}
    assert found(sent) == []
    [(field, reason, message)] = found(sent, "1.35")
    assert (field, reason) == ("spec.defaultBackend.service.name", "Invalid")
    assert message.startswith('Invalid value: "1st": a DNS-1035 label must')


def test_the_class_of_a_balancer_is_judged_for_balancers_only() -> None:
    sent = obj("v1", "Service", spec={"ports": [{"port": 80}], "loadBalancerClass": "a b"})
    only = "Forbidden: may only be used when `type` is 'LoadBalancer'"
    assert found(sent) == [("spec.loadBalancerClass", "Forbidden", only)]


def attachment(**source: Any) -> Value:
    spec = {"attacher": "csi.example.com", "nodeName": "n", "source": source}
    return obj("storage.k8s.io/v1", "VolumeAttachment", spec=spec)


CSI = {"accessModes": ["ReadWriteOnce"], "csi": {"driver": "csi.example.com", "volumeHandle": "h"}}
AT = "spec.source.inlineVolumeSpec"


@pytest.mark.parametrize(
    ("sent", "causes"),
    [
        (attachment(persistentVolumeName="pv"), []),
        (attachment(inlineVolumeSpec=CSI), []),
        (
            attachment(inlineVolumeSpec={**CSI, "capacity": {"storage": "1Gi"}}),
            [(f"{AT}.capacity", "Forbidden", f"Forbidden: may not be specified {INLINE}")],
        ),
        (
            attachment(inlineVolumeSpec={**CSI, "persistentVolumeReclaimPolicy": "Delete"}),
            [(f"{AT}.persistentVolumeReclaimPolicy", "Forbidden", f"Forbidden: may only be Retain {INLINE}")],
        ),
        (
            attachment(inlineVolumeSpec={**CSI, "storageClassName": "s"}),
            [(f"{AT}.storageClassName", "Forbidden", f"Forbidden: may not be specified {INLINE}")],
        ),
        (
            attachment(inlineVolumeSpec={**CSI, "volumeMode": "Block"}),
            [
                (
                    f"{AT}.volumeMode",
                    "Forbidden",
                    f"Forbidden: may not specify volumeMode other than Filesystem {INLINE}",
                )
            ],
        ),
        (
            attachment(inlineVolumeSpec={"accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}),
            [(f"{AT}.csi", "Required", f"Required value: has to be specified {INLINE}")],
        ),
    ],
)
def test_volume_attachments(sent: Value, causes: Found) -> None:
    assert found(sent) == causes


def zone(key: str, *values: str) -> Value:
    expression = {"key": key, "operator": "In", "values": list(values)}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


OLD_ZONE, ZONE = "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"


@pytest.mark.parametrize(("key", "value", "refused"), [(ZONE, "z", False), (ZONE, "y", True), ("zone", "z", True)])
def test_a_stored_volume_may_take_the_new_names_of_labels(key: str, value: str, refused: bool) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "nodeAffinity": zone(OLD_ZONE, "z"), **CSI}
    causes = changed(obj("v1", "PersistentVolume", spec=spec), spec__nodeAffinity=zone(key, value))
    assert [(field, reason) for field, reason, _ in causes] == [("nodeAffinity", "Invalid")] * refused


EVENT = obj(
    "events.k8s.io/v1",
    "Event",
    eventTime="2020-01-01T00:00:00.000000Z",
    reportingController="example.com/c",
    reportingInstance="i",
    action="a",
    reason="r",
    type="Normal",
    note="n",
    regarding={"kind": "Pod", "namespace": "default", "name": "p"},
)
SERIES = {"count": 2, "lastObservedTime": "2020-01-01T00:00:00.000000Z"}


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        ({"series": SERIES}, []),
        ({"series": {**SERIES, "count": 1}}, [("series.count", 'Invalid value: "": should be at least 2')]),
        ({"note": "m"}, [("message", 'Invalid value: "m": field is immutable')]),
        ({"note": None}, [("message", 'Invalid value: "": field is immutable')]),
        ({"type": "Other"}, [("type", 'Invalid value: "Other": field is immutable')]),
        ({"deprecatedCount": 3}, [("count", "Invalid value: 3: field is immutable")]),
    ],
)
def test_stored_events_keep_all_but_their_series(change: Value, causes: list[tuple[str, str]]) -> None:
    assert [(field, message) for field, _, message in changed(EVENT, **change)] == causes


NODE = obj("v1", "Node", spec={"podCIDRs": ["10.0.0.0/24"], "podCIDR": "10.0.0.0/24", "externalID": "x"})
TAINT = {"key": "a b", "effect": "NoSchedule"}
LATE = 'Forbidden: node updates may not change podCIDR except from "" to valid'


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        ({"spec__unschedulable": True}, []),
        ({"spec__externalID": "y"}, [("spec.externalID", "Forbidden: may not be updated")]),
        (
            {"spec__podCIDRs": ["10.0.1.0/24"], "spec__podCIDR": "10.0.1.0/24"},
            [("spec.podCIDRs", LATE)],
        ),
    ],
)
def test_stored_nodes(change: Value, causes: list[tuple[str, str]]) -> None:
    assert [(field, message) for field, _, message in changed(NODE, **change)] == causes


def test_taints_of_a_stored_node_are_judged_twice() -> None:
    assert [field for field, *_ in changed(NODE, spec__taints=[TAINT])] == ["metadata.taints[0].key"] * 2


LABELS = ["metadata.labels"]


@pytest.mark.parametrize(
    ("old", "times"),
    [
        (obj("v1", "Namespace"), 4),
        (obj("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[]), 3),
        (obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[]), 3),
        (obj("apps/v1", "ControllerRevision", revision=1, data={}), 4),
        (obj("v1", "ServiceAccount"), 4),
        (obj("v1", "LimitRange", spec={"limits": []}), 3),
    ],
)
def test_how_often_labels_of_a_stored_object_are_judged(old: Value, times: int) -> None:
    """Twice by the registry of every kind, and as often as the rules of the kind do so."""
    assert [field for field, *_ in changed(old, metadata__labels={"a": "b c"})] == LABELS * times


@pytest.mark.parametrize(
    ("cidrs", "fields"),
    [
        (["10.0.0.0/24"], []),
        (["10.0.0.0/24", "2001:db8::/64"], []),
        (["10.0.0.0/24", "10.0.1.0/24"], ["spec.cidrs"]),
        (["10.0.0.0/24", "2001:db8::1/64"], ["spec.cidrs[1]"]),
        (["10.0.1.0/24"], ["spec.cidrs[0]"]),
    ],
)
def test_stored_service_ranges(cidrs: list[str], fields: list[str]) -> None:
    old = obj("networking.k8s.io/v1", "ServiceCIDR", spec={"cidrs": ["10.0.0.0/24"]})
    assert [field for field, *_ in changed(old, spec__cidrs=cidrs)] == fields


CLASS = "volume.beta.kubernetes.io/storage-class"
FIXED = ("metadata.annotations." + CLASS, "Invalid")


@pytest.mark.parametrize(
    ("annotations", "class_", "causes"),
    [
        ({CLASS: "fast"}, None, []),
        ({CLASS: "fast"}, "fast", []),
        ({}, "fast", []),
        ({}, None, [FIXED]),
        ({CLASS: "slow"}, None, [FIXED]),
        ({CLASS: "fast"}, "slow", [("spec", "Forbidden")]),
    ],
)
def test_the_class_of_a_stored_claim_in_its_annotation(annotations: Value, class_: str | None, causes: Value) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    old = obj("v1", "PersistentVolumeClaim", spec=spec)
    old["metadata"]["annotations"] = {CLASS: "fast"}
    change: Value = {"metadata__annotations": annotations} | ({"spec__storageClassName": class_} if class_ else {})
    assert [(field, reason) for field, reason, _ in changed(old, **change)] == causes


RESOURCE = {"resourceAttributes": {"resource": "pods", "verb": "get", "namespace": "a"}}
ACCESS, AUTHENTICATION = "authorization.k8s.io/v1", "authentication.k8s.io/v1"


def question(api_version: str, kind: str, **spec: Any) -> Value:
    return {"apiVersion": api_version, "kind": kind, "spec": spec}


@pytest.mark.parametrize(
    ("sent", "status", "fields"),
    [
        (question(ACCESS, "SelfSubjectAccessReview", **RESOURCE), 201, []),
        (question(ACCESS, "SelfSubjectAccessReview"), 422, ["spec.resourceAttributes"]),
        ({**question(ACCESS, "SelfSubjectAccessReview", **RESOURCE), "metadata": {"name": "a"}}, 422, ["metadata"]),
        (question(ACCESS, "SubjectAccessReview", user="u", **RESOURCE), 201, []),
        (question(ACCESS, "SubjectAccessReview", **RESOURCE), 422, ["spec.user"]),
        (
            question(ACCESS, "SubjectAccessReview", user="u", nonResourceAttributes={"path": "/"}, **RESOURCE),
            422,
            ["spec.nonResourceAttributes"],
        ),
        (
            {**question(ACCESS, "LocalSubjectAccessReview", user="u", **RESOURCE), "metadata": {"namespace": "b"}},
            422,
            ["spec.resourceAttributes.namespace"],
        ),
        (question(ACCESS, "SelfSubjectRulesReview", namespace="a"), 201, []),
        (question(ACCESS, "SelfSubjectRulesReview"), 400, []),
        (question(AUTHENTICATION, "TokenReview", token="t"), 201, []),
        (question(AUTHENTICATION, "TokenReview"), 400, []),
    ],
)
def test_questions_have_no_names(sent: Value, status: int, fields: list[str]) -> None:
    answer = kplan.admit(sent)
    assert (answer.status, [c.field for c in answer.causes]) == (status, fields)
    if answer.object is not None:
        assert "uid" not in answer.object["metadata"]


def claim(selector: str, **constraint: str) -> Value:
    exactly = {"deviceClassName": "gpu", "selectors": [{"cel": {"expression": selector}}]}
    devices = {"requests": [{"name": "r", "exactly": exactly}], "constraints": [constraint]}
    return obj("resource.k8s.io/v1", "ResourceClaim", spec={"devices": devices})


MATCH, DRIVER = "example.com/model", 'device.driver == "d"'


@pytest.mark.parametrize(
    ("sent", "older", "newer"),
    [
        (claim(DRIVER, matchAttribute=MATCH), [], []),
        (claim(DRIVER, distinctAttribute=MATCH), ["spec.devices.constraints[0].matchAttribute"], []),
        (claim(DRIVER), ["spec.devices.constraints[0].matchAttribute"], ["spec.devices.constraints[0]"]),
        (
            claim("device.allowMultipleAllocations", matchAttribute=MATCH),
            ["spec.devices.requests[0].exactly.selectors[0].cel.expression"],
            [],
        ),
    ],
)
def test_shared_devices_by_release(sent: Value, older: list[str], newer: list[str]) -> None:
    """Recorded of 1.34 and 1.36 servers, but not in the rows of the tests of recordings."""
    assert [field for field, *_ in found(sent, "1.35")] == older
    assert [field for field, *_ in found(sent)] == newer


@pytest.mark.parametrize(
    ("status", "causes"),
    [
        ({"capacity": {"cpu": "4", "pods": "110"}}, []),
        (
            {"capacity": {"cpu": "4"}, "allocatable": {"pods": "1.5"}},
            [("status.allocatable.pods", "must be an integer")],
        ),
        (
            {"capacity": {"cpu": "-4"}},
            [(f"status.{part}.cpu", "must be greater than or equal to 0") for part in ("capacity", "allocatable")],
        ),
    ],
)
def test_what_a_node_has(status: Value, causes: list[tuple[str, str]]) -> None:
    """The amounts that can be had are those of the whole node unless others are given, and judged as well."""
    seen = [(field, message.rpartition(": ")[2]) for field, _, message in found(obj("v1", "Node", status=status))]
    assert seen == causes


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("a.example.org.", ""),
        ("", "Required value"),
        ("a", 'Invalid value: "a": should be a domain with at least two segments separated by dots'),
        ("x" * 64 + ".org", f'Invalid value: "{"x" * 64}": must be no more than 63 characters'),
    ],
)
def test_domain_names_of_endpoints(address: str, message: str) -> None:
    sent = obj("discovery.k8s.io/v1", "EndpointSlice", addressType="FQDN", endpoints=[{"addresses": [address]}])
    assert [text for _, _, text in found(sent)] == [message] * bool(message)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ({"nfs": {"server": "s", "path": "/p"}}, []),
        ({"hostPath": {"path": "/p"}}, ["metadata.annotations.volume.beta.kubernetes.io/mount-options"]),
    ],
)
def test_volumes_that_are_mounted_without_options(source: Value, fields: list[str]) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **source}
    sent = obj("v1", "PersistentVolume", spec=spec)
    sent["metadata"]["annotations"] = {"volume.beta.kubernetes.io/mount-options": "ro"}
    assert [field for field, *_ in found(sent)] == fields
