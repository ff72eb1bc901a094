"""Pods of one template are judged once; what can tell them apart is asked for each."""

from __future__ import annotations

from typing import Any

import kplan

Value = dict[str, Any]

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "status": {"allocatable": {"pods": "110"}}}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def replica_set(replicas: int) -> Value:
    spec = {"containers": [{"name": "c", "image": "registry.example/app:run"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    given = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": given}


def policy(expression: str) -> list[Value]:
    """A policy that pods must keep, and its binding."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}]}
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "p"}}
    bound = {"policyName": "p", "validationActions": ["Deny"]}
    return [
        {**about, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**about, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    ]


def pods(c: kplan.Cluster) -> list[Value]:
    return c.objects("Pod")


def made(*others: Value, replicas: int = 5) -> kplan.Cluster:
    c = kplan.Cluster([NODE, NAMESPACE])
    for answer in c.apply([*others, replica_set(replicas)], mode="replace"):
        assert answer.accepted, answer.message
    c.settle()
    return c


def test_each_has_its_own_name_and_uid_and_all_else_in_common() -> None:
    found = pods(made())
    assert [p["metadata"]["name"] for p in found] == [f"web-<{i}>" for i in range(1, 6)]
    assert len({p["metadata"]["uid"] for p in found}) == 5
    assert all(p["spec"] == found[0]["spec"] for p in found)
    assert all(p["metadata"]["labels"] == {"app": "web"} for p in found)


def test_a_quota_is_asked_for_each() -> None:
    meta = {"name": "q", "namespace": "default"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "3"}}}
    assert len(pods(made(quota))) == 3


def test_a_policy_is_asked_for_each() -> None:
    names = made(*policy("!object.metadata.name.endsWith('x')"), replicas=1)
    assert len(pods(names)) == 1
    refused = made(*policy("size(object.spec.containers) > 1"))
    assert pods(refused) == []


def test_what_changes_in_between_counts() -> None:
    c = made(replicas=2)
    limits = {"type": "Container", "default": {"memory": "64Mi"}}
    about = {"metadata": {"name": "l", "namespace": "default"}, "spec": {"limits": [limits]}}
    c.apply([{"apiVersion": "v1", "kind": "LimitRange", **about}, replica_set(4)], mode="replace")
    c.settle()
    memory = [p["spec"]["containers"][0].get("resources", {}).get("limits") for p in pods(c)]
    assert memory == [None, None, {"memory": "64Mi"}, {"memory": "64Mi"}]
