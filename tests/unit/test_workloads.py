"""Where pods are inside objects."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.workloads import containers, get, pod_template

SPEC = {"containers": [{"name": "a"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web", "odd": 1}}, "spec": SPEC}

PLACES: list[tuple[dict[str, Any], tuple[str, ...] | None]] = [
    ({"kind": "Pod", "spec": SPEC}, ()),
    ({"kind": "PodTemplate", "template": TEMPLATE}, ("template",)),
    ({"kind": "Deployment", "spec": {"template": TEMPLATE}}, ("spec", "template")),
    ({"kind": "Job", "spec": {"template": TEMPLATE}}, ("spec", "template")),
    (
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
        ("spec", "jobTemplate", "spec", "template"),
    ),
    ({"kind": "Rollout", "spec": {"template": TEMPLATE}}, ("spec", "template")),
    ({"kind": "Deployment", "spec": {"replicas": 2}}, None),
    ({"kind": "Deployment", "spec": "text"}, None),
    ({"kind": "ExternalSecret", "spec": {"template": {"spec": {"containers": "no"}}}}, None),
    ({"kind": "Certificate", "spec": {"template": {"type": "tls"}}}, None),
    ({"kind": "Service", "spec": {"ports": []}}, None),
    ({}, None),
]


@pytest.mark.parametrize(("obj", "path"), PLACES)
def test_place_of_the_template(obj: dict[str, Any], path: tuple[str, ...] | None) -> None:
    found = pod_template(obj)
    assert (found.path if found else None) == path


def test_parts_of_a_wrong_type_count_as_absent() -> None:
    template = pod_template({"kind": "Deployment", "spec": {"template": {"metadata": 1, "spec": []}}})
    assert template is not None
    assert template.labels == {}
    assert template.spec == {}
    assert pod_template({"kind": "Deployment", "spec": {"template": TEMPLATE}}).labels == {"app": "web"}  # type: ignore[union-attr]


def test_containers_in_order_with_path_and_role() -> None:
    pod = pod_template(
        {
            "kind": "Pod",
            "spec": {
                "containers": [{"name": "main"}, "no container"],
                "initContainers": [{"name": "init"}, {"name": "sidecar", "restartPolicy": "Always"}],
                "ephemeralContainers": [{"name": "debug"}],
            },
        }
    )
    assert pod is not None
    found = [(c.path, c.value["name"], c.runs_along) for c in containers(pod)]
    assert found == [
        (("spec", "initContainers", 0), "init", False),
        (("spec", "initContainers", 1), "sidecar", True),
        (("spec", "containers", 0), "main", True),
        (("spec", "ephemeralContainers", 0), "debug", False),
    ]


@pytest.mark.parametrize("wrong", [1, "text", {"a": 1}, None])
def test_containers_of_a_wrong_type(wrong: object) -> None:
    pod = pod_template({"kind": "Pod", "spec": {"containers": wrong}})
    assert pod is not None
    assert list(containers(pod)) == []


def test_get() -> None:
    value = {"a": [{"b": 1}]}
    assert get(value, "a", 0, "b") == 1
    assert get(value) == value
    assert get(value, "a", 1, "b") is None
    assert get(value, "a", "b") is None
    assert get(None, "a") is None
