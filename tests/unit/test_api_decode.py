"""Decoding: the server's words for what it refuses, and the form in which it writes what it takes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.api import gotime
from kplan.api.decode import Mismatch, Mode, converter
from kplan.api.decode_errors import Verdict, base64_error, explain
from kplan.api.encode import fill_nulls
from kplan.schema import catalog
from kplan.schema.compile import is_valid

DATA = Path(__file__).parents[1] / "data" / "api"
RECORDED = [json.loads(line) for line in (DATA / "refused.jsonl").read_text().splitlines()]
CREATED = [json.loads(line) for line in (DATA.parent / "validation" / "objects.jsonl").read_text().splitlines()]
META = {"name": "x"}


def node(api_version: str, kind: str, version: str = "1.36") -> Any:
    info = catalog(version).kind(api_version, kind)
    assert info is not None
    return info.node


def decode(obj: dict[str, Any], mode: Mode | None = None) -> Any:
    return converter(node(obj["apiVersion"], obj["kind"]), mode or Mode())(obj)


def config_map(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": META, **fields}


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": spec}


@pytest.mark.parametrize("case", RECORDED, ids=lambda c: c["message"].partition(": ")[2][:60])
def test_refusals_recorded_from_a_kubernetes_1_36_api_server(case: dict[str, Any]) -> None:
    answer = kplan.admit(case["object"])
    assert (answer.status, answer.message) == (400, case["message"])


ODD = [
    None,
    "",
    "x",
    "1Gi",
    "2026-01-31T12:00:00Z",
    0,
    -1,
    1.0,
    1.5,
    2**31,
    2**63,
    True,
    [],
    [None],
    ["x"],
    {},
    {"x": 1},
]


def changed(value: Any) -> Iterator[Any]:
    """A value with each of its parts, and itself, replaced by odd ones."""
    yield from ODD
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in list(pairs):
        for other in changed(part):
            copied = value.copy()
            copied[step] = other
            yield copied


def decodes(obj: dict[str, Any]) -> bool:
    try:
        decode(obj)
    except Mismatch:
        return False
    return True


@pytest.mark.parametrize("obj", [c["object"] for c in (*RECORDED[::3], *CREATED[::3])], ids=lambda o: o["kind"])
def test_what_the_decoder_takes_is_what_fits_the_schema(obj: dict[str, Any]) -> None:
    """Lint asks only one of the two."""
    schema = node(obj["apiVersion"], obj["kind"])
    for field in obj.keys() - {"apiVersion", "kind"}:
        for value in changed(obj[field]):
            one = {**obj, field: value}
            assert decodes(one) == is_valid(schema, one), one


def test_a_wrong_type_hides_unknown_fields_and_a_decoder_of_its_own_hides_all() -> None:
    quantity = {"name": "c", "resources": {"requests": {"cpu": "x"}}, "image": 1, "bogus": 1}
    assert explain(node("v1", "Pod"), pod(containers=[quantity])).error.startswith("quantities must match")
    wrong = {"name": "c", "image": 1, "bogus": 1, "tty": "no"}
    verdict = explain(node("v1", "Pod"), pod(containers=[wrong]))
    assert verdict.error == (
        "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string"
    )


def test_unknown_fields_are_sorted_and_told_once_up_to_a_hundred() -> None:
    obj = pod(containers=[{"name": "c", "zeta": 1, "Image": "x"}], Containers=[]) | {"Data": {}}
    assert explain(node("v1", "Pod"), obj) == Verdict(
        "", ("Data", "spec.Containers", "spec.containers[0].Image", "spec.containers[0].zeta")
    )
    many = explain(node("v1", "ConfigMap"), config_map(**{f"f{i:03}": 1 for i in range(150)}))
    assert len(many.unknown) == 100


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (pod(containers=None), {}),
        (pod(nodeName="", hostNetwork=False, tolerations=[], nodeSelector={}), {}),
        (pod(securityContext={}, activeDeadlineSeconds=0), {"securityContext": {}, "activeDeadlineSeconds": 0}),
        (pod(volumes=[None]), {"volumes": [{"name": ""}]}),
        (
            pod(containers=[{"name": "c", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x": None}}}]),
            {"containers": [{"name": "c", "resources": {"limits": {"cpu": "500m", "memory": "1Gi", "x": "0"}}}]},
        ),
        (
            pod(containers=[{"ports": [{"containerPort": 80.0, "hostPort": 0}]}]),
            {"containers": [{"name": "", "ports": [{"containerPort": 80}], "resources": {}}]},
        ),
        (pod(volumes=[{"emptyDir": {"sizeLimit": None}}]), {"volumes": [{"emptyDir": {}, "name": ""}]}),
    ],
)
def test_stored_form_of_pod_specs(given: dict[str, Any], stored: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    assert decode(given) == {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": stored, "status": {}}
    assert given == before


def test_maps_of_text_and_bytes() -> None:
    data = {"a": None, "b": "x"}
    assert decode(config_map(data=data, binaryData={"k": "YQ=\n=", "l": [1, None], "n": None})) == config_map(
        data={"a": "", "b": "x"}, binaryData={"k": "YQ==", "l": "AQA=", "n": ""}
    )


def test_times_are_written_in_utc() -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}}
    spec = {"acquireTime": "2024-01-02T03:04:05.000006+02:00"}
    assert decode(lease | {"spec": spec})["spec"] == {"acquireTime": "2024-01-02T01:04:05.000006Z"}


def test_any_json_is_kept_as_it_is() -> None:
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": META, "revision": 1}
    data = {"a": None, "b": [None, {}], "c": 1.5}
    assert decode(revision | {"data": data})["data"] == data


def test_schemas_inside_a_definition_lose_unknown_fields_without_a_word() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string", "bogus": 1}, "items": [{"x": 1}]}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": META,
        "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]},
    }
    stored = decode(crd)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert stored == {"type": "object", "additionalProperties": {"type": "string"}, "items": [{}]}


def test_unknown_fields_can_be_kept_or_dropped() -> None:
    obj = config_map(data={"a": "b"}, bogus={"x": 1})
    assert decode(obj, Mode("keep")) == obj
    assert decode(obj, Mode("drop")) == config_map(data={"a": "b"})
    with pytest.raises(Mismatch):
        decode(obj)


def test_nulls_are_written_where_go_writes_them() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}, "rules": []}
    for given in (role, {k: v for k, v in role.items() if k != "rules"}):
        stored = decode(given)
        fill_nulls(node(role["apiVersion"], "Role"), stored)
        assert stored["rules"] is None
    filled = decode(pod(volumes=[{"name": "v", "projected": {}}]))
    fill_nulls(node("v1", "Pod"), filled)
    assert filled["spec"] == {"containers": None, "volumes": [{"name": "v", "projected": {"sources": None}}]}


@pytest.mark.parametrize(
    ("text", "offset"),
    [("", None), ("YQ==", None), ("Y\nQ\r=\n=\n", None), ("YQ", 0), ("YQ=", 3), ("YQ=x", 2), ("YQ==x", 4), ("a b", 1)],
)
def test_where_base64_ends(text: str, offset: int | None) -> None:
    assert base64_error(text.encode()) == offset


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T3:04:05.75-07:00", "2024-01-02T10:04:05Z"),
        ("0000-12-31T23:59:59-01:00", "0001-01-01T00:59:59Z"),
        ("0001-01-01T00:00:00Z", None),
        ("2024-02-30T00:00:00Z", 'parsing time "2024-02-30T00:00:00Z": day out of range'),
        ("2024-13-01T00:00:00Z", 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2024-01-02T03:04:05+25:00", 'parsing time "2024-01-02T03:04:05+25:00": time zone offset hour out of range'),
        ("2024-01-02T03:04:05Zz", 'parsing time "2024-01-02T03:04:05Zz": extra text: "z"'),
        (
            "2024é",
            'parsing time "2024\\xc3\\xa9" as "2006-01-02T15:04:05Z07:00": cannot parse "\\xc3\\xa9" as "-"',
        ),
    ],
)
def test_times_as_go_parses_them(text: str, answer: str | None) -> None:
    assert _canonical(text) == answer


def _canonical(text: str) -> str | None:
    try:
        return gotime.canonical(text, gotime.SECONDS)
    except gotime.TimeError as error:
        return str(error)


def test_a_bottomless_object_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"properties": {"a": deep}}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": META}
    spec = {"versions": [{"schema": {"openAPIV3Schema": deep}}]}
    answer = kplan.admit(crd | {"spec": spec})
    assert (answer.status, answer.message) == (400, "json: exceeded max depth")
