"""No secret value reaches a plan, in whatever disguise it comes."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from kplan.model import Placeholder
from kplan.plan.secrets import LAST_APPLIED, Masks, as_stored, looks_secret, mask

CANARY = "c4nary-Value"
ENCODED = base64.b64encode(CANARY.encode()).decode()


def secret(**parts: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **parts}


def pod(**container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize(
    "value",
    [
        secret(data={"k": ENCODED}),
        secret(stringData={"k": CANARY}),
        secret(data=CANARY),
        secret(data={"k": [CANARY]}),
        {**secret(data={"k": ENCODED}), "metadata": {"name": "s", "annotations": {"copy": f"is {CANARY}!"}}},
        {**secret(data={"k": ENCODED}), "metadata": {"name": "s", "annotations": {"copy": ENCODED}}},
        {"kind": "ConfigMap", "metadata": {"annotations": {LAST_APPLIED: json.dumps({"x": CANARY})}}},
        {"kind": "ConfigMap", "metadata": {"managedFields": [{"x": CANARY}]}},
        {"kind": "ConfigMap", "data": {"DB_PASSWORD": CANARY}},
        {"kind": "ConfigMap", "data": {"app.json": json.dumps({"password": CANARY, "port": 1})}},
        {"kind": "ConfigMap", "data": {"app.yaml": f"db:\n  password: {CANARY}\n"}},
        {"kind": "ConfigMap", "data": {"app.ini": f"client_secret = {CANARY}\n"}},
        {"kind": "ConfigMap", "data": {"url": f"postgres://app:{CANARY}@db:5432/x"}},
        pod(env=[{"name": "API_TOKEN", "value": CANARY}]),
        pod(env=[{"name": "DATABASE_URL", "value": f"https://u:{CANARY}@h"}]),
        pod(args=[f"--password={CANARY}"]),
        pod(command=["sh", "-c", f"export SECRET_KEY={CANARY}; run"]),
        {"apiVersion": "example.com/v1", "kind": "Database", "spec": {"auth": {"password": CANARY}}},
    ],
    ids=lambda v: json.dumps(v)[:60],
)
def test_no_trace_is_left(value: dict[str, Any]) -> None:
    shown = json.dumps(mask(as_stored(value), Masks()))
    assert CANARY not in shown
    assert ENCODED not in shown


@pytest.mark.parametrize(
    "value",
    [
        pod(env=[{"name": "API_TOKEN", "value": "$(OTHER)"}]),
        pod(env=[{"name": "TOKEN_FILE", "value": "/run/token"}, {"name": "SECRET_NAME", "value": "db"}]),
        pod(env=[{"name": "PASSWORD_MIN_LENGTH", "value": "8"}]),
        pod(args=["--token-file=/run/x", "--secret-name", "db", "--v=2"]),
        {"kind": "ConfigMap", "data": {"url": "http://catalog:8080/x", "git": "ssh://git@host/x"}},
        {"kind": "ServiceAccount", "automountServiceAccountToken": True, "secrets": [{"name": "t"}]},
        {"kind": "CustomResourceDefinition", "spec": {"description": "password: the word that opens the door"}},
        secret(type="Opaque"),
    ],
    ids=lambda v: json.dumps(v)[:60],
)
def test_what_is_no_secret_stays(value: dict[str, Any]) -> None:
    assert mask(value, Masks()) == value


def test_equal_values_get_equal_numbers_in_one_run() -> None:
    masks = Masks()
    first = mask(secret(data={"a": ENCODED, "b": base64.b64encode(b"other").decode()}), masks)
    second = mask(pod(env=[{"name": "X_TOKEN", "value": CANARY}]), masks)
    assert first["data"] == {"a": "(sensitive #1)", "b": "(sensitive #2)"}
    assert second["spec"]["containers"][0]["env"][0]["value"] == "(sensitive #1)"
    assert isinstance(first["data"]["a"], Placeholder)


def test_string_data_wins_over_data_and_moves_into_it() -> None:
    value = secret(data={"a": "eA==", "b": "eQ=="}, stringData={"a": "z"})
    assert as_stored(value) == secret(data={"a": "eg==", "b": "eQ=="})
    other = {**value, "kind": "ConfigMap"}
    assert as_stored(other) is other


def test_the_argument_is_not_changed() -> None:
    value = secret(data={"k": ENCODED})
    before = json.dumps(value)
    mask(value, Masks())
    assert json.dumps(value) == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("password", True),
        ("DB_PASSWORD", True),
        ("DB_PASSWORD_2", True),
        ("PGPASSWORD_PROD", True),
        ("db_pwd", True),
        ("PWD", False),
        ("secret", True),
        ("secretName", False),
        ("apiKey", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("key", False),
        ("token", True),
        ("TOKEN_URL", False),
        ("password_policy", False),
        ("passwordSecretRef", False),
    ],
)
def test_names(name: str, expected: bool) -> None:
    assert looks_secret(name) is expected


@pytest.mark.parametrize("text", ["a" * 300_000, "password" * 40_000, "://" * 100_000, "x=" * 150_000, "-" * 300_000])
def test_hostile_texts_take_no_time(text: str) -> None:
    started = time.process_time()
    mask({"kind": "ConfigMap", "data": {"password x": text, "k": text}}, Masks())
    assert time.process_time() - started < 2
