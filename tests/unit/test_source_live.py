"""Reading a live cluster: what kubectl is asked, and what becomes of each of its answers."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from fakekubectl import Fake

from kplan.errors import KplanError
from kplan.source import live
from kplan.source.live import Asked, namespace_of, read

Value = dict[str, Any]

CONFIG = Asked("", "v1", "ConfigMap", "shop")
SECRET = Asked("", "v1", "Secret", "shop")
WEB = Asked("apps", "v1", "Deployment", "shop")
NODE = Asked("", "v1", "Node")
WIDGET = Asked("example.com", "v1", "Widget", "shop")
FORBIDDEN = 'Error from server (Forbidden): secrets is forbidden: User "u" cannot list resource "secrets"'
REFUSED = "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
LOG = 'E1127 17:07:24.690662   17356 memcache.go:287] "Unhandled Error" err="{}"\n'
FLAGS = ["-o", "json", "--ignore-not-found", "--show-managed-fields"]


def made(kind: str, name: str, namespace: str = "shop", api: str = "v1") -> Value:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": name}}


A, B = made("ConfigMap", "a"), made("Deployment", "b", api="apps/v1")


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("KUBECONFIG", "as it was")
    return Fake(tmp_path / "bin", monkeypatch)


def test_one_call_a_namespace(kubectl: Fake) -> None:
    other = made("ConfigMap", "c", "other")
    kubectl.answers({"ConfigMap.v1.": [A, other], "Deployment.v1.apps": [B], "Node.v1.": []})
    answer = read([NODE, CONFIG, WEB, CONFIG._replace(namespace="other"), CONFIG], "prod")
    assert answer == live.Answer((A, B, other))
    first = ["--context=prod", "get", "Node.v1.,ConfigMap.v1.,Deployment.v1.apps", "-n", "shop", *FLAGS]
    second = ["--context=prod", "get", "ConfigMap.v1.", "-n", "other", *FLAGS]
    assert kubectl.calls == [[*first, "as it was", ""], [*second, "as it was", ""]]


def test_kinds_without_a_namespace_need_none(kubectl: Fake) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    kubectl.answers({"Node.v1.": [node]})
    assert read([NODE]).objects == (node,)
    assert kubectl.calls == [["get", "Node.v1.", *FLAGS, "as it was", ""]]


def test_nothing_asked_nothing_called(kubectl: Fake) -> None:
    assert read([]) == live.Answer()
    assert kubectl.calls == []


@pytest.mark.parametrize(
    ("kinds", "asked", "objects", "failures", "absent"),
    [
        ({"ConfigMap.v1.": [A]}, [CONFIG, WIDGET], (A,), {}, {WIDGET}),
        ({"ConfigMap.v1.": [A], "Widget.example.com": []}, [WIDGET, CONFIG], (A,), {}, set()),
        ({"Deployment.apps": [B]}, [WEB._replace(version="v1beta1")], (B,), {}, set()),
        ({"ConfigMap.v1.": [A], "Secret.v1.": FORBIDDEN}, [SECRET, CONFIG], (A,), {SECRET: FORBIDDEN}, set()),
        ({"Secret.v1.": FORBIDDEN}, [SECRET], (), {SECRET: FORBIDDEN}, set()),
        ({"Widget.example.com": FORBIDDEN}, [WIDGET], (), {WIDGET: FORBIDDEN}, set()),
        (
            {"ConfigMap.v1.": [A], "Secret.v1.": FORBIDDEN, "Deployment.v1.apps": [B]},
            [CONFIG, WIDGET, SECRET, WEB],
            (A, B),
            {SECRET: FORBIDDEN},
            {WIDGET},
        ),
    ],
)
def test_one_kind_that_fails(
    kinds: Any, asked: list[Asked], objects: Any, failures: Any, absent: set[Asked], kubectl: Fake
) -> None:
    kubectl.answers(kinds)
    assert read(asked) == live.Answer(objects, failures, frozenset(absent))


def test_a_group_without_an_answer_is_not_absent(kubectl: Fake) -> None:
    kubectl.answers(log=LOG.format("couldn't get resource list for example.com/v1: the server is unable to answer"))
    answer = read([WIDGET])
    assert answer.failures == {WIDGET: "the server does not answer for the API group example.com"}
    assert not answer.absent


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (REFUSED, REFUSED.strip()),
        (
            LOG.format("dial tcp") * 3 + "Unable to connect to the server: x509\n",
            "Unable to connect to the server: x509",
        ),
        ("error: You must be logged in to the server (Unauthorized)\n", "You must be logged in"),
        ("Error: unknown flag: --show-managed-fields\nSee 'kubectl get --help'\n", "unknown flag"),
        (LOG.format("killed"), "killed"),
        ("", "it failed and said nothing"),
    ],
)
def test_no_answer_at_all(error: str, said: str, kubectl: Fake) -> None:
    kubectl.fails(error)
    with pytest.raises(KplanError, match="^kubectl cannot read the cluster: .*" + re.escape(said)) as caught:
        read([CONFIG, WEB])
    assert caught.value.hint
    assert len(kubectl.calls) == 1


def test_the_context_is_named(kubectl: Fake) -> None:
    kubectl.fails('error: context "prod" does not exist\n', context="prod")
    with pytest.raises(KplanError, match='the cluster of context prod: error: context "prod" does not exist'):
        read([CONFIG], "prod")


@pytest.mark.parametrize(
    "output",
    [
        "{",
        "[]",
        "1",
        "No resources found",
        '{"kind": "List"}',
        '{"kind": "List", "items": [1]}',
        '{"kind": "List", "items": [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}]}',
        '{"kind": "List", "items": [{"kind": "ConfigMap", "metadata": {"name": "a"}}]}',
        "[" * 100_000,
    ],
)
def test_an_answer_that_is_none(output: str, kubectl: Fake) -> None:
    kubectl.fails("", code=0, output=output)
    answer = read([CONFIG, WEB])
    assert answer.objects == ()
    assert set(answer.failures) == {CONFIG, WEB}


def test_nested_lists(kubectl: Fake) -> None:
    kubectl.fails("Warning: old\n", code=0, output='{"kind": "List", "items": [{"kind": "XList", "items": []}]}')
    assert read([CONFIG]) == live.Answer()


@pytest.mark.parametrize(
    "hostile",
    [
        CONFIG._replace(kind="--raw=/x"),
        CONFIG._replace(kind="a,b"),
        CONFIG._replace(kind=""),
        CONFIG._replace(group="x/y"),
        CONFIG._replace(group="-x"),
        CONFIG._replace(version="v1 --all"),
        CONFIG._replace(namespace="--all-namespaces"),
        CONFIG._replace(namespace="a b"),
        CONFIG._replace(namespace="a\n"),
    ],
)
def test_what_no_server_has_is_no_argument(hostile: Asked, kubectl: Fake) -> None:
    assert read([hostile]).absent == {hostile}
    assert kubectl.calls == []


def test_long_lists_are_several_calls(kubectl: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_ARGUMENT", 30)
    names = [f"Kind{i}" for i in range(6)]
    kubectl.answers({f"{name}.v1.": [made(name, name)] for name in names})
    answer = read(CONFIG._replace(kind=name) for name in names)
    assert [o["kind"] for o in answer.objects] == names
    assert [call[1] for call in kubectl.calls] == [
        "Kind0.v1.,Kind1.v1.,Kind2.v1.",
        "Kind3.v1.,Kind4.v1.,Kind5.v1.",
    ]


def test_a_slow_answer(kubectl: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    (kubectl.folder / "kubectl").write_text("#!/bin/sh\n/bin/sleep 20\n", encoding="utf-8")
    monkeypatch.setattr(live, "_TIMEOUT", 0.2)
    before = time.monotonic()
    with pytest.raises(KplanError, match="kubectl gave no answer within"):
        read([CONFIG])
    assert time.monotonic() - before < 10  # although its child still holds the pipes


def test_no_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KplanError, match="kubectl is not installed"):
        read([CONFIG])
    broken = tmp_path / "kubectl"
    broken.write_text("#!/no/such/program\n", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(KplanError, match="kubectl cannot be run"):
        read([CONFIG])


def test_the_namespace_of_a_context(kubectl: Fake) -> None:
    kubectl.answers(namespace="team")
    assert namespace_of("prod") == "team"
    kubectl.answers()
    assert namespace_of() == "default"
    assert [call[:-2] for call in kubectl.calls] == [
        ["--context=prod", "config", "view", "--minify", "-o", "jsonpath={..namespace}"],
        ["config", "view", "--minify", "-o", "jsonpath={..namespace}"],
    ]
    kubectl.fails("error: current-context must exist in order to minify\n", command="config")
    with pytest.raises(KplanError, match="current-context must exist") as caught:
        namespace_of()
    assert "-n" in caught.value.hint
