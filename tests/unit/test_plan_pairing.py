"""Which object is which: identity, moved API groups, unnamed namespaces, hashed names; what is pruned; the order."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.labels import parse
from kplan.model import Action, Document, Span
from kplan.plan.inputs import chosen
from kplan.plan.order import arrange
from kplan.plan.pairing import pair
from kplan.plan.prune import why_kept
from kplan.plan.secrets import LAST_APPLIED
from kplan.store import ref_of

Value = dict[str, Any]


def obj(kind: str, name: str, api: str = "v1", ns: str = "", **rest: Any) -> Value:
    meta = {"name": name, **({"namespace": ns} if ns else {}), **rest.pop("meta", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **rest}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([obj("Service", "a", ns="x")], [obj("Service", "a", ns="x")], ["Service x/a = Service x/a"]),
        ([obj("Service", "a", ns="x")], [obj("Service", "a", ns="y")], ["Service x/a = -", "- = Service y/a"]),
        ([obj("Service", "a", ns="x")], [obj("Service", "a")], ["Service x/a = Service a"]),
        (
            [obj("Service", "a", ns="x"), obj("Service", "a", ns="y")],
            [obj("Service", "a")],
            ["- = Service a", "Service x/a = -", "Service y/a = -"],
        ),
        (
            [obj("Deployment", "a", "extensions/v1beta1")],
            [obj("Deployment", "a", "apps/v1")],
            ["Deployment a = Deployment a"],
        ),
        ([obj("HorizontalPodAutoscaler", "a", "autoscaling/v1")],) * 2
        + (["HorizontalPodAutoscaler a = HorizontalPodAutoscaler a"],),
        (
            [obj("ConfigMap", "app-7g4t7m57mg")],
            [obj("ConfigMap", "app-dc5dg9m84f")],
            ["ConfigMap app-7g4t7m57mg ~ ConfigMap app-dc5dg9m84f"],
        ),
        (
            [obj("ConfigMap", "app-7g4t7m57mg"), obj("ConfigMap", "app-dc5dg9m84f")],
            [obj("ConfigMap", "app-mmmmmmmmmm")],
            ["ConfigMap app-7g4t7m57mg = -", "ConfigMap app-dc5dg9m84f = -", "- = ConfigMap app-mmmmmmmmmm"],
        ),
        (
            [obj("Deployment", "a", "example.com/v1")],
            [obj("Deployment", "a", "apps/v1")],
            ["- = Deployment a", "Deployment a = -"],
        ),
    ],
)
def test_pairs(before: list[Value], after: list[Value], expected: list[str]) -> None:
    def name(side: Any) -> str:
        return str(side.ref).partition(" ")[2] if side else "-"

    got = [f"{name(p.before)} {'~' if p.renamed else '='} {name(p.after)}" for p in pair(before, after)]
    assert got == expected


LIVE = {"uid": "1"}


@pytest.mark.parametrize(
    ("meta", "prune", "expected"),
    [
        ({}, True, ""),
        ({}, False, "because pruning is off"),
        (
            {"annotations": {"helm.sh/resource-policy": "keep"}},
            True,
            "because it is annotated helm.sh/resource-policy: keep",
        ),
        (
            {"annotations": {"argocd.argoproj.io/sync-options": "Validate=false, Prune=false"}},
            True,
            "because it is annotated argocd.argoproj.io/sync-options: Prune=false",
        ),
        ({"annotations": {"kustomize.toolkit.fluxcd.io/prune": "enabled"}}, True, ""),
        (
            {"annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}},
            True,
            "because it is annotated kustomize.toolkit.fluxcd.io/prune: disabled",
        ),
        (
            {"annotations": {"kapp.k14s.io/delete-strategy": "orphan"}},
            True,
            "because it is annotated kapp.k14s.io/delete-strategy: orphan",
        ),
        ({"ownerReferences": [{"kind": "Job", "name": "j"}]}, True, "because it belongs to Job j"),
        (LIVE, True, "because nothing says that it was applied from manifests"),
        ({**LIVE, "annotations": {LAST_APPLIED: "{}"}}, True, ""),
        ({**LIVE, "managedFields": [{"operation": "Apply"}]}, True, ""),
        (
            {**LIVE, "managedFields": [{"operation": "Update"}]},
            True,
            "because nothing says that it was applied from manifests",
        ),
    ],
)
def test_what_is_kept(meta: Value, prune: bool, expected: str) -> None:
    assert why_kept(obj("ConfigMap", "a", meta=meta), prune=prune) == expected


def actions(*spec: tuple[str, Value]) -> list[Action]:
    return [Action(ref_of(v), verb) for verb, v in spec]


def test_the_order_follows_references_and_ends_with_what_goes() -> None:
    pod_spec = {"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "cm"}}]}]}
    web = obj("Deployment", "web", "apps/v1", "shop", spec={"template": {"spec": pod_spec}})
    values = [web, obj("ConfigMap", "cm", ns="shop"), obj("Namespace", "shop"), obj("Service", "old", ns="shop")]
    gone_ns, kept = obj("Namespace", "old"), obj("Secret", "s")
    gone = obj("ConfigMap", "x", ns="old")
    got = arrange(
        actions(("delete", gone_ns), ("delete", gone), ("keep", kept), *(("create", v) for v in values)),
        {ref_of(v).key: v for v in [*values, gone_ns, gone, kept]},
    )
    names = [f"{a.verb} {a.ref.kind} {a.ref.name}" for a in got]
    place = {name: i for i, name in enumerate(names)}
    assert place["create Namespace shop"] < place["create ConfigMap cm"] < place["create Deployment web"]
    assert place["create Deployment web"] < place["delete ConfigMap x"] < place["delete Namespace old"]
    assert names[-1] == "keep Secret s"
    waves = [a.wave for a in got[:-1]]
    assert waves == sorted(waves)
    assert waves[0] == 1
    assert got[-1].wave == 0
    (needs,) = [a.needs for a in got if a.ref.name == "web"]
    assert {r.name for r in needs} == {"cm", "shop"}


def document(file: str, value: Value, index: int = 0) -> Document:
    return Document(file, index, None, value, 1, lambda _: Span(file, 1, 1, 1, 1))


def test_the_last_of_several_documents_counts_in_any_order_of_the_files() -> None:
    a = document("a.yaml", obj("ConfigMap", "x", data={"k": "1"}))
    b = document("b.yaml", obj("ConfigMap", "x", data={"k": "2"}))
    for order in ((a, b), (b, a)):
        found, skipped, warnings = chosen(order)
        assert [d.value["data"]["k"] for d in found] == ["2"]
        assert skipped == ()
        assert warnings == ("duplicate object v1 ConfigMap x: a.yaml:1 and b.yaml:1; the last one counts",)


def test_objects_without_a_name_are_left_out_and_counted() -> None:
    nameless = document("a.yaml", {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-"}})
    worse = document("b.yaml", {"apiVersion": "v1", "kind": "Pod"})
    found, skipped, _ = chosen([nameless, worse])
    assert found == ()
    assert [s.reason.split(":")[0] for s in skipped] == [
        "it has only a generateName",
        "it has no name, so nobody can tell which object it is",
    ]


def test_the_given_namespace_is_for_objects_that_can_have_one() -> None:
    docs = [
        document(f"{i}.yaml", v)
        for i, v in enumerate(
            (
                obj("ConfigMap", "a"),
                obj("ConfigMap", "b", ns="mine"),
                obj("Namespace", "n"),
                obj("Thing", "t", "example.com/v1"),
            )
        )
    ]
    found, _, _ = chosen(docs, namespace="shop")
    assert [ref_of(d.value).namespace for d in found] == ["shop", "mine", "", ""]


def test_a_selector_chooses_by_label() -> None:
    docs = [document(f"{i}.yaml", obj("ConfigMap", f"c{i}", meta={"labels": {"tier": t}})) for i, t in enumerate("ab")]
    found, _, _ = chosen(docs, selector=parse("tier=a"))
    assert [d.value["metadata"]["name"] for d in found] == ["c0"]
