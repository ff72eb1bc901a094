"""What is no change: defaults, spellings, what servers and controllers write, order without meaning."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.cluster import Cluster
from kplan.model import Action, Plan
from kplan.plan import IgnoreRule, Settings, plan
from kplan.plan.patterns import covers, leads_to, matches, parse
from kplan.store import ref_of

Value = dict[str, Any]


def obj(api: str, kind: str, meta: Value | None = None, **rest: Any) -> Value:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "a", **(meta or {})}, **rest}


def compare(before: Value, after: Value, settings: Settings | None = None, *, written: bool = True) -> Plan:
    sides = ({ref_of(before).key: before}, {ref_of(after).key: after}) if written else ({}, {})
    return plan(Cluster([before]), Cluster([after]), settings=settings or Settings(), written=sides)


def only(result: Plan) -> Action:
    (action,) = result.actions
    return action


def deployment(replicas: int | None = None, meta: Value | None = None, **container: Any) -> Value:
    labels = {"app": "a"}
    web = {"name": "web", "image": "web:1", **container}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [web]}},
    }
    return obj("apps/v1", "Deployment", meta, spec={**spec, **({"replicas": replicas} if replicas is not None else {})})


def role(*verbs: str, resources: str = "pods") -> Value:
    rules = [{"apiGroups": [""], "resources": [resources], "verbs": list(verbs)}]
    return obj("rbac.authorization.k8s.io/v1", "Role", rules=rules)


def quota(**hard: str) -> Value:
    return obj("v1", "ResourceQuota", spec={"hard": hard})


LIVE = {"uid": "1", "resourceVersion": "5"}
CASES = [
    ("defaults", deployment(), deployment(1), "default"),
    (
        "quantity",
        deployment(resources={"limits": {"cpu": "1000m"}}),
        deployment(resources={"limits": {"cpu": 1}}),
        "normalised",
    ),
    ("status", deployment(), {**deployment(), "status": {"replicas": 1}}, "status"),
    ("metadata", deployment(meta={"uid": "1", "generation": 3}), deployment(), "server"),
    (
        "annotation",
        deployment(meta={"annotations": {"deployment.kubernetes.io/revision": "4"}}),
        deployment(),
        "controller",
    ),
    ("label map", deployment(meta={"labels": {}}), deployment(), "empty"),
    ("env", deployment(env=[{"name": "A"}]), deployment(env=[{"name": "A", "value": ""}]), "empty"),
    ("zero", deployment(stdin=False), deployment(), "default"),
    ("verbs", role("get", "list"), role("list", "get"), "order"),
    (
        "clusterIP",
        obj("v1", "Service", spec={"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30000}]}),
        obj("v1", "Service", spec={"ports": [{"port": 80}]}),
        "allocated",
    ),
    (
        "aggregated",
        obj("rbac.authorization.k8s.io/v1", "ClusterRole", aggregationRule={}, rules=[{"verbs": ["get"]}]),
        obj("rbac.authorization.k8s.io/v1", "ClusterRole", aggregationRule={}, rules=[]),
        "controller",
    ),
    (
        "claim",
        obj(
            "v1",
            "PersistentVolumeClaim",
            {**LIVE, "finalizers": ["kubernetes.io/pvc-protection"]},
            spec={"volumeName": "pv"},
        ),
        obj("v1", "PersistentVolumeClaim", spec={}),
        "allocated",
    ),
    (
        "token",
        obj("v1", "ServiceAccount", LIVE, secrets=[{"name": "a-token-x"}]),
        obj("v1", "ServiceAccount"),
        "controller",
    ),
    (
        "caBundle",
        obj("apiregistration.k8s.io/v1", "APIService", spec={"caBundle": "eA==", "groupPriorityMinimum": 1}),
        obj("apiregistration.k8s.io/v1", "APIService", spec={"groupPriorityMinimum": 1}),
        "controller",
    ),
    (
        "api version",
        obj("policy/v1beta1", "PodDisruptionBudget"),
        obj("policy/v1", "PodDisruptionBudget"),
        "api version",
    ),
    (
        "duration",
        obj("example.com/v1", "Timer", spec={"interval": "60s"}),
        obj("example.com/v1", "Timer", spec={"interval": "1m0s"}),
        "normalised",
    ),
]


@pytest.mark.parametrize(("before", "after", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_noise(before: Value, after: Value, reason: str) -> None:
    result = compare(before, after)
    assert only(result).verb == "keep"
    assert reason in dict(result.noise)
    assert result.counts.unchanged == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (deployment(1), deployment(2)),
        (deployment(env=[{"name": "A"}, {"name": "B"}]), deployment(env=[{"name": "B"}, {"name": "A"}])),
        (deployment(args=["a", "b"]), deployment(args=["b", "a"])),
        (
            deployment(securityContext={"capabilities": {"add": ["A", "B"]}}),
            deployment(securityContext={"capabilities": {"add": ["B", "A"]}}),
        ),
        (deployment(livenessProbe={"exec": {"command": ["x"]}}), deployment()),
        (
            obj("v1", "ConfigMap", {"annotations": {"checksum": "1"}}),
            obj("v1", "ConfigMap", {"annotations": {"checksum": "2"}}),
        ),
        (role("get"), role("get", "list")),
        (quota(pods="1"), quota(pods="1k")),
        (obj("v1", "ServiceAccount", secrets=[{"name": "mine"}]), obj("v1", "ServiceAccount")),
        (obj("v1", "ConfigMap", data={"a": "1"}), obj("v1", "ConfigMap", data={})),
        (obj("example.com/v1", "Issuer", spec={"selfSigned": {}}), obj("example.com/v1", "Issuer", spec={})),
        (obj("example.com/v1", "Issuer", spec={"n": 0}), obj("example.com/v1", "Issuer", spec={})),
    ],
)
def test_no_noise(before: Value, after: Value) -> None:
    assert only(compare(before, after)).verb == "update"


def test_parts_of_what_is_gone_may_be_noise() -> None:
    notes = {"deployment.kubernetes.io/revision": "1", "mine": "x"}
    action = only(compare(deployment(meta={"annotations": notes}), deployment()))
    assert action.verb == "update"
    assert action.change is not None
    (meta,) = action.change.children
    assert [(c.label, c.op, c.before) for c in meta.children] == [("annotations", "delete", {"mine": "x"})]
    assert [(i.path, i.reason) for i in action.ignored] == [
        ("metadata.annotations[deployment.kubernetes.io/revision]", "controller")
    ]


def test_order_is_noise_and_a_new_item_is_not() -> None:
    action = only(compare(role("get", "list"), role("watch", "list", "get")))
    assert action.change is not None
    (rules,) = action.change.children
    verbs = rules.children[0].children[0]
    assert [(c.op, c.after) for c in verbs.children] == [("create", "watch")]
    assert [i.reason for i in action.ignored] == ["order"]


def test_reordered_rules_are_noise_as_a_whole() -> None:
    one, other = role("get"), role("list", resources="nodes")
    both = [*one["rules"], *other["rules"]]
    before, after = ({**one, "rules": rules} for rules in (both, both[::-1]))
    assert only(compare(before, after)).verb == "keep"


def test_spellings_are_kept_in_what_changes() -> None:
    before = deployment(resources={"limits": {"cpu": "1000m", "memory": "1024Mi"}})
    after = deployment(resources={"limits": {"cpu": 1, "memory": "1.5Gi"}})
    action = only(compare(before, after))
    assert action.before is not None
    assert action.after is not None
    limits = [
        v["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] for v in (action.before, action.after)
    ]
    assert limits == [{"cpu": "1000m", "memory": "1024Mi"}, {"cpu": 1, "memory": "1.5Gi"}]
    assert [(i.path, i.reason) for i in action.ignored] == [
        ("spec.template.spec.containers.web.resources.limits.cpu", "normalised")
    ]


def test_without_the_written_forms_only_the_stored_ones_count() -> None:
    assert compare(deployment(), deployment(1), written=False).noise == ()


@pytest.mark.parametrize(
    ("rule", "verb", "warns"),
    [
        ("Deployment:spec.replicas", "keep", False),
        ("deployment:spec", "keep", False),
        ("*:spec.replicas", "keep", False),
        ("Deployment/a:spec.replicas", "keep", False),
        ("Deployment/b:spec.replicas", "update", True),
        ("Deployment:spec.paused", "update", True),
    ],
)
def test_ignore_rules(rule: str, verb: str, warns: bool) -> None:
    result = compare(deployment(1), deployment(5), Settings(ignores=(IgnoreRule.parse(rule),)))
    assert only(result).verb == verb
    assert result.noise == (() if warns else (("ignore rule", 1),))
    assert result.warnings == ((f"the ignore rule {rule} matches no difference",) if warns else ())


def test_a_printed_path_is_an_ignore_rule() -> None:
    rule = IgnoreRule.parse('Deployment:spec.template.spec.containers["web"].image')
    assert only(compare(deployment(), deployment(image="web:2"), Settings(ignores=(rule,)))).verb == "keep"


@pytest.mark.parametrize("text", ["", "Deployment", "Deployment:", ":spec", "Deployment:spec..x", "Deployment:[x"])
def test_broken_ignore_rules(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        IgnoreRule.parse(text)


@pytest.mark.parametrize(
    ("pattern", "names", "exact", "above"),
    [
        ("a.b", ("a", "b"), True, True),
        ("a.b", ("a", "b", "c"), False, True),
        ("a.*.c", ("a", "x", "c"), True, True),
        ("**.c", ("a", "b", "c"), True, True),
        ("**.c", ("c",), True, True),
        ("labels[a.b/c]", ("labels", "a.b/c"), True, True),
        ('ports["http"]', ("ports", "http"), True, True),
        ("ports[80/TCP].x", ("ports", "80/TCP", "x"), True, True),
        ("a.b", ("a",), False, False),
    ],
)
def test_patterns(pattern: str, names: tuple[str, ...], exact: bool, above: bool) -> None:
    assert (matches(parse(pattern), names), covers(parse(pattern), names)) == (exact, above)


def test_patterns_that_lead_below() -> None:
    assert leads_to(parse("a.b.c"), ("a",))
    assert not leads_to(parse("a.b.c"), ("b",))
    assert not leads_to(parse("a"), ("a",))
