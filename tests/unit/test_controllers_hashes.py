"""Hashes of pod templates: those that real controllers gave, the dump and the patch behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kplan import quantity, release
from kplan.controllers import hashes
from kplan.controllers.hashes_dump import dump
from kplan.controllers.hashes_structs import GoField, go_fields
from kplan.errors import KplanError
from kplan.schema.definitions import Definitions
from kplan.schema.node import Node

Value = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "controllers"
# Seen in clusters: the documentation's examples, CoreDNS of kubeadm, the provisioner of kind, metrics-server.
KNOWN = json.loads((DATA / "known-hashes.json").read_text(encoding="utf-8"))
# All that the recordings of a 1.36 controller manager hold.
RECORDED = json.loads((DATA / "hashes.json").read_text(encoding="utf-8"))
HASH = {
    "Deployment": hashes.pod_template_hash,
    "DaemonSet": hashes.daemon_set_revision_hash,
    "StatefulSet": hashes.stateful_set_revision_hash,
}
MINORS = range(release.OLDEST, release.NEWEST + 1)


def text_of(template: Value, minor: int = 36) -> str:
    return b"".join(p if isinstance(p, bytes) else p.encode() for p in dump(template, minor)).decode()


def in_container(**fields: Any) -> Value:
    return {"spec": {"containers": [fields]}}


@pytest.mark.parametrize("case", KNOWN, ids=lambda c: c["what"])
def test_known_hashes(case: Value) -> None:
    hash_of = HASH[case["kind"]]
    assert {minor: hash_of(case["template"], int(minor)) for minor in case["hashes"]} == case["hashes"]


def test_recorded_hashes() -> None:
    assert [HASH[c["kind"]](c["template"], 36) for c in RECORDED] == [c["hash"] for c in RECORDED]
    assert len({c["hash"] for c in RECORDED}) > 90
    assert {c["kind"] for c in RECORDED} == set(HASH)


def test_safe_encode() -> None:
    assert hashes.safe_encode("0123456789") == "456789bcdf"
    assert hashes.safe_encode("") == ""


def test_a_collision_adds_eight_bytes() -> None:
    template = KNOWN[0]["template"]
    for count in (0, 1, 2**31 - 1):
        state = 0x811C9DC5
        for byte in text_of(template).encode() + count.to_bytes(8, "little"):
            state = ((state ^ byte) * 0x01000193) % 2**32
        assert hashes.pod_template_hash(template, 36, count) == hashes.safe_encode(str(state))
    assert hashes.pod_template_hash(template, 36, 0) != hashes.pod_template_hash(template, 36)
    sets = [hashes.stateful_set_revision_hash(template, 36, n) for n in (0, 1)]
    assert sets[0] == hashes.stateful_set_revision_hash(template, 36) != sets[1]


def quantity_text(value: int, scale: int, text: str, notation: str, dec: str = "<nil>") -> str:
    return (
        f"{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec){dec}}} s:(string){text} Format:(resource.Format){notation}}}"
    )


def dec_text(*words: int) -> str:
    numbers = " ".join(map(str, words))
    return f"{{unscaled:(big.Int){{neg:(bool)false abs:(big.nat)[{numbers}]}} scale:(inf.Scale)9}}"


QUANTITIES = {
    "0": quantity_text(0, 0, "0", ""),
    "1": quantity_text(1, 0, "1", "DecimalSI"),
    "100m": quantity_text(100, -3, "100m", "DecimalSI"),
    "2k": quantity_text(2, 3, "2k", "DecimalSI"),
    "3e3": quantity_text(3, 3, "3e3", "DecimalExponent"),
    "100Mi": quantity_text(104857600, 0, "100Mi", "BinarySI"),
    # 128 ends in three binary zeros, so the parser does not take the text for canonical.
    "128Mi": quantity_text(134217728, 0, "", "BinarySI"),
    "1Gi": quantity_text(1073741824, 0, "1Gi", "BinarySI"),
    # Written otherwise than it is stored.
    "0.5": quantity_text(500, -3, "500m", "DecimalSI"),
    "1024Mi": quantity_text(1073741824, 0, "1Gi", "BinarySI"),
    "1.5Gi": quantity_text(1610612736, 0, "", "BinarySI"),
    "0Gi": quantity_text(0, 0, "0", ""),
    # Fractions that the server keeps as they are.
    "1.500": quantity_text(1500, -3, "1.500", "DecimalSI"),
    # Too large for the fast way: nano-units in words of 64 bits.
    "1Pi": quantity_text(0, 0, "", "BinarySI", dec_text(2**50 * 10**9 % 2**64, 2**50 * 10**9 >> 64)),
    "1000000000000000001": quantity_text(
        0, 0, "", "DecimalSI", dec_text((10**18 + 1) * 10**9 % 2**64, (10**18 + 1) * 10**9 >> 64)
    ),
}


@pytest.mark.parametrize(("text", "expected"), QUANTITIES.items())
def test_quantities(text: str, expected: str) -> None:
    template = in_container(resources={"limits": {"memory": text, "a.example/x": "1"}})
    assert f"Limits:(v1.ResourceList)map[a.example/x:{QUANTITIES['1']} memory:{expected}] " in text_of(template)
    assert quantity.normalise(text) is not None


def volume(**source: Any) -> Value:
    return {"spec": {"volumes": [{"name": "v", **source}]}}


FRAGMENTS = [
    (
        "number as port",
        in_container(livenessProbe={"tcpSocket": {"port": 80}}),
        36,
        (
            "TCPSocket:(*v1.TCPSocketAction){Port:(intstr.IntOrString){Type:(intstr.Type)0 IntVal:(int32)80 "
            "StrVal:(string)} Host:(string)} GRPC:(*v1.GRPCAction)<nil>} InitialDelaySeconds:(int32)0"
        ),
    ),
    (
        "name as port",
        in_container(livenessProbe={"httpGet": {"path": "/", "port": "web", "scheme": "HTTP"}}),
        36,
        (
            "HTTPGet:(*v1.HTTPGetAction){Path:(string)/ Port:(intstr.IntOrString){Type:(intstr.Type)1 IntVal:(int32)0 "
            "StrVal:(string)web} Host:(string) Scheme:(v1.URIScheme)HTTP HTTPHeaders:([]v1.HTTPHeader)<nil>}"
        ),
    ),
    (
        "embedded handler",
        in_container(startupProbe={"exec": {"command": ["a", "b c"]}}),
        36,
        "StartupProbe:(*v1.Probe){ProbeHandler:(v1.ProbeHandler){Exec:(*v1.ExecAction){Command:([]string)[a b c]} ",
    ),
    (
        "pointer to a zero",
        {"spec": {"terminationGracePeriodSeconds": 0, "priority": 0, "enableServiceLinks": False}},
        36,
        "TerminationGracePeriodSeconds:(*int64)0 ",
    ),
    ("pointer to false", {"spec": {"enableServiceLinks": False}}, 36, "EnableServiceLinks:(*bool)false "),
    (
        "pointer to an empty string",
        in_container(readinessProbe={"grpc": {"port": 1, "service": ""}}),
        36,
        "GRPC:(*v1.GRPCAction){Port:(int32)1 Service:(*string)}",
    ),
    (
        "named strings",
        in_container(ports=[{"containerPort": 53, "protocol": "UDP"}]),
        36,
        (
            "Ports:([]v1.ContainerPort)[{Name:(string) HostPort:(int32)0 ContainerPort:(int32)53 "
            "Protocol:(v1.Protocol)UDP HostIP:(string)}]"
        ),
    ),
    (
        "slices of named strings",
        in_container(securityContext={"capabilities": {"add": ["A", "B"]}}),
        36,
        "Capabilities:(*v1.Capabilities){Add:([]v1.Capability)[A B] Drop:([]v1.Capability)<nil>}",
    ),
    (
        "sorted maps",
        {"metadata": {"labels": {"b": "2", "a": "", "B": "é"}}},
        36,
        "Labels:(map[string]string)map[B:é a: b:2] Annotations:(map[string]string)<nil>",
    ),
    (
        "pointer to a named string",
        in_container(volumeMounts=[{"name": "v", "mountPropagation": "None"}]),
        36,
        "MountPropagation:(*v1.MountPropagationMode)None SubPathExpr:(string)}",
    ),
    (
        "embedded source of a volume",
        volume(emptyDir={}),
        36,
        (
            "EmptyDir:(*v1.EmptyDirVolumeSource){Medium:"
            "(v1.StorageMedium) SizeLimit:(*resource.Quantity)<nil>} GCEPersistentDisk:(*v1.GCEPersistentDisk"
        ),
    ),
    (
        "pointer to a quantity",
        volume(emptyDir={"sizeLimit": "1Gi"}),
        36,
        f"SizeLimit:(*resource.Quantity){QUANTITIES['1Gi']}}}",
    ),
    (
        "embedded reference",
        volume(configMap={"name": "c", "defaultMode": 420}),
        36,
        (
            "ConfigMap:(*v1.ConfigMapVolumeSource){LocalObjectReference:(v1.LocalObjectReference){Name:(string)c} "
            "Items:([]v1.KeyToPath)<nil> DefaultMode:(*int32)420 Optional:(*bool)<nil>}"
        ),
    ),
    (
        "divisor that is not set",
        in_container(env=[{"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "r"}}}]),
        36,
        f"Resource:(string)r Divisor:(resource.Quantity){QUANTITIES['0']}}}",
    ),
    (
        "claim template",
        volume(ephemeral={"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}),
        36,
        (
            "ManagedFields:([]v1.ManagedFieldsEntry)<nil>} Spec:(v1.PersistentVolumeClaimSpec){AccessModes:"
            "([]v1.PersistentVolumeAccessMode)[ReadWriteOnce] Selector:(*v1.LabelSelector)<nil> "
            "Resources:(v1.VolumeResourceRequirements){Limits:(v1.ResourceList)<nil> Requests:(v1.ResourceList)<nil>}"
        ),
    ),
    (
        "no time",
        {},
        36,
        (
            "CreationTimestamp:(v1.Time){Time:(time.Time){wall:(uint64)0 ext:(int64)0 "
            "loc:(*time.Location)<nil>}} DeletionTimestamp:(*v1.Time)<nil>"
        ),
    ),
    (
        "a time",
        {"metadata": {"creationTimestamp": "1970-01-01T01:00:01+01:00"}},
        36,
        "wall:(uint64)0 ext:(int64)62135596801 loc:(*time.Location){name:(string)UTC ",
    ),
    (
        "bytes",
        {"metadata": {"managedFields": [{"fieldsV1": {}}]}},
        36,
        "FieldsV1:(*v1.FieldsV1){Raw:([]uint8)[123 125]}",
    ),
    (
        "claims of 1.30",
        {"spec": {"resourceClaims": [{"name": "c", "source": {"resourceClaimName": "r"}}]}},
        30,
        "Source:(v1.ClaimSource){ResourceClaimName:(*string)r ResourceClaimTemplateName:(*string)<nil>}}]",
    ),
    (
        "claims of 1.31",
        {"spec": {"resourceClaims": [{"name": "c", "resourceClaimName": "r"}]}},
        31,
        "[{Name:(string)c ResourceClaimName:(*string)r ResourceClaimTemplateName:(*string)<nil>}]",
    ),
    ("workload of 1.35", {}, 35, "HostnameOverride:(*string)<nil> WorkloadRef:(*v1.WorkloadReference)<nil>}"),
    ("group of 1.36", {}, 36, "HostnameOverride:(*string)<nil> SchedulingGroup:(*v1.PodSchedulingGroup)<nil>}"),
    ("responders of 1.37", {}, 37, "EvictionResponders:([]v1.EvictionResponder)<nil>}"),
]


@pytest.mark.parametrize(("template", "minor", "expected"), [f[1:] for f in FRAGMENTS], ids=[f[0] for f in FRAGMENTS])
def test_dump(template: Value, minor: int, expected: str) -> None:
    assert expected in text_of(template, minor)


SAME = [
    ({}, {"metadata": {"labels": {}, "finalizers": [], "creationTimestamp": None}, "spec": {"containers": None}}),
    (in_container(tty=False, command=[], resources={"limits": {}}), in_container()),
    ({"spec": {"nodeSelector": {"a": "1", "b": "2"}}}, {"spec": {"nodeSelector": {"b": "2", "a": "1"}}}),
    (in_container(resources={"limits": {"cpu": 1}}), in_container(resources={"limits": {"cpu": "1"}})),
]


@pytest.mark.parametrize(("a", "b"), SAME)
@pytest.mark.parametrize("minor", MINORS)
def test_what_storage_does_not_tell_apart(a: Value, b: Value, minor: int) -> None:
    assert text_of(a, minor) == text_of(b, minor)
    assert hashes.revision_patch(a, minor) == hashes.revision_patch(b, minor)


SAMPLES = {"string": "x", "integer": 7, "boolean": True}


def fillings(node: Node) -> Iterator[Any]:
    """Values of a type that each fill one field."""
    if node.fields:
        for name, field in node.fields.items():
            yield from ({name: v} for v in fillings(field))
    elif node.items:
        yield from ([v] for v in fillings(node.items))
    elif node.values:
        yield from ({"k": v} for v in fillings(node.values))
    elif node.format in ("date-time", "quantity", "int-or-string"):
        yield {"date-time": "2026-01-01T00:00:00Z", "quantity": "3"}.get(node.format, 7)
    else:
        yield SAMPLES.get(node.type, {"f:x": {}})


@pytest.mark.parametrize("minor", [release.OLDEST, 36, release.NEWEST])
def test_every_field_counts(minor: int) -> None:
    template = Definitions(minor).node("core.v1.PodTemplateSpec")
    filled = list(fillings(template))
    assert len(filled) > 750
    assert len({text_of(f, minor) for f in filled}) == len(filled)
    assert text_of({}, minor) not in {text_of(f, minor) for f in filled}


def structs(node: Node, found: dict[str, Node]) -> dict[str, Node]:
    """The structs below a node: Go type to node."""
    if node.fields and node.go_type not in found:
        found[node.go_type] = node
        for field in node.fields.values():
            structs(field, found)
    for inner in (node.items, node.values):
        if inner:
            structs(inner, found)
    return found


def flat(struct: str, minor: int) -> dict[str, GoField]:
    """The fields of a struct with those of its embedded structs, by JSON name."""
    out: dict[str, GoField] = {}
    for field in go_fields(struct, minor):
        out |= flat(field.type.text, minor) if not field.json else {field.json: field}
    return out


# Fields of which schemas/facts/go-types.json does not say what they are in Go. That of 1.35 is proved by its hashes;
# those of 1.37 are taken to be pointers as optional fields are, with the name that KEP-4939 gives to the mode.
UNTOLD = {
    35: {"*v1.WorkloadReference": ("workloadRef",)},
    37: {"*int64": ("defaultUser", "user"), "*int32": ("mode",), "*v1.GRPCProbeMode": ("mode",)},
}


@pytest.mark.parametrize("minor", MINORS)
def test_structs_are_those_of_the_published_api(minor: int) -> None:
    found = structs(Definitions(minor).node("core.v1.PodTemplateSpec"), {})
    assert len(found) > 100
    for name, node in found.items():
        table = flat(name, minor)
        assert table.keys() == node.fields.keys(), name
        for json_name, field in table.items():
            go = node.go_field(json_name)
            told = ("*" if go.pointer else "") + node.fields[json_name].go_type
            if field.type.text != told:
                assert json_name in UNTOLD.get(minor, {}).get(field.type.text, ()), (name, json_name)
            assert field.keep == (not go.omitempty), (name, json_name)


def test_patch_of_each_release() -> None:
    template = {"metadata": {"labels": {"b": "<&>", "a": "x"}}, "spec": {"containers": [{"name": "c", "tty": False}]}}
    rest = r'"labels":{"a":"x","b":"\u003c\u0026\u003e"}},"spec":{"containers":[{"name":"c","resources":{}}]}}}}'
    start = '{"spec":{"template":{"$patch":"replace","metadata":{'
    assert hashes.revision_patch(template, 33) == start + '"creationTimestamp":null,' + rest
    assert hashes.revision_patch(template, 34) == start + rest
    assert json.loads(hashes.revision_patch(template, 34)) == hashes.revision_data(template, 34)


PATCHES = [
    (volume(projected={"sources": []}), '"projected":{"sources":null}'),
    (
        volume(ephemeral={"volumeClaimTemplate": {}}),
        '"ephemeral":{"volumeClaimTemplate":{"metadata":{},"spec":{"resources":{}}}}',
    ),
    (in_container(readinessProbe={"grpc": {"port": 1}}), '"grpc":{"port":1,"service":null}'),
    (
        in_container(env=[{"valueFrom": {"resourceFieldRef": {}}}]),
        '"env":[{"name":"","valueFrom":{"resourceFieldRef":{"divisor":"0","resource":""}}}]',
    ),
    (
        in_container(securityContext={"privileged": False, "runAsUser": 0}),
        '"securityContext":{"privileged":false,"runAsUser":0}',
    ),
    ({"spec": {"securityContext": {}, "hostNetwork": False}}, '"spec":{"containers":null,"securityContext":{}}'),
    # Numbers go through float64.
    ({"spec": {"activeDeadlineSeconds": 9007199254740993}}, '"activeDeadlineSeconds":9007199254740992,'),
    ({"spec": {"activeDeadlineSeconds": 9223372036854775807}}, '"activeDeadlineSeconds":9223372036854776000,'),
    (
        in_container(args=["\u2028\u2029 \u00e9\n\x01\x7f\\b\b"]),
        '"args":["\\u2028\\u2029 \u00e9\\n\\u0001\x7f\\\\b\\b"]',
    ),
]


@pytest.mark.parametrize(("template", "expected"), PATCHES)
def test_patch(template: Value, expected: str) -> None:
    assert expected in hashes.revision_patch(template, 36)


def test_control_characters_before_go_1_22() -> None:
    template = in_container(args=["\\b\b\f"])
    assert r'"args":["\\b\u0008\u000c"]' in hashes.revision_patch(template, 29)
    assert r'"args":["\\b\b\f"]' in hashes.revision_patch(template, 30)


WRONG = [
    (in_container(ports=[{"containerPort": "x"}]), "spec.containers.ports.containerPort"),
    ({"spec": {"containers": "c"}}, "spec.containers"),
    ({"spec": {"containers": ["c"]}}, "spec.containers"),
    ({"spec": {"hostNetwork": "yes"}}, "spec.hostNetwork"),
    ({"spec": {"volumes": [{"secret": []}]}}, "spec.volumes.secret"),
    (in_container(resources={"limits": {"cpu": "much"}}), "spec.containers.resources.limits"),
    ({"metadata": {"labels": {"a": 1}}}, "metadata.labels"),
    ({"metadata": {"labels": ["a"]}}, "metadata.labels"),
    ({"spec": {"priority": float("inf")}}, "spec.priority"),
    ([], "all of it"),
]


@pytest.mark.parametrize(("template", "path"), WRONG)
@pytest.mark.parametrize("hash_of", HASH.values())
def test_a_wrong_type_is_named(template: Any, path: str, hash_of: Any) -> None:
    with pytest.raises(KplanError, match=f"^pod template: {path} is not of the type"):
        hash_of(template, 36)
