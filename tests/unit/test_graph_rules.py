"""The tables of references and of the apply order: every kind and every path in them exists in Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kplan.graph.rules import group_kind, table
from kplan.graph.world import pattern
from kplan.schema.catalog import catalog
from kplan.schema.definitions import read
from kplan.schema.node import Node

FACTS = read("facts/references")
ORDER = read("facts/order")["stages"]
KNOWN = {(group, kind) for group, kinds in read("facts/resources").items() for kind in kinds}
VERSIONS = ("1.37", "1.36", "1.35", "1.33", "1.29")
OPEN = {"annotations", "labels", "parameters"}
REMOVED = {"PodSecurityPolicy.policy"}
# Fields that no release since 1.29 has: manifests that were never brought up to date still do.
GONE = {
    "Ingress.networking.k8s.io spec.backend",
    "Ingress.networking.k8s.io spec.defaultBackend serviceName",
    "Ingress.networking.k8s.io spec.rules[].http.paths[].backend serviceName",
    "CustomResourceDefinition.apiextensions.k8s.io spec.conversion.webhookClientConfig.service",
}


def is_builtin(name: str) -> bool:
    group, _ = group_kind(name)
    return group in {g for g, _ in KNOWN}


def targets() -> Iterator[str]:
    for lines in (*FACTS["parts"].values(), *FACTS["kinds"].values(), *FACTS["made"].values()):
        for line in lines:
            to = line.get("select", line.get("to"))
            if isinstance(to, dict):
                to = to.get("else")
            if to:
                yield to


def names() -> list[str]:
    return sorted({*targets(), *FACTS["kinds"], *FACTS["made"], *(k for stage in ORDER for k in stage)} - {"*"})


@pytest.mark.parametrize("name", [n for n in names() if is_builtin(n) and n not in REMOVED])
def test_kinds_exist(name: str) -> None:
    assert group_kind(name) in KNOWN


def roots() -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, lines) for name, lines in FACTS["kinds"].items() if name != "*" and is_builtin(name)]


def nodes(name: str) -> list[Node]:
    group, kind = group_kind(name)
    infos = [i for v in VERSIONS for i in catalog(v).kinds() if (i.group, i.kind) == (group, kind)]
    return [i.node for i in infos]


def reached(found: list[Node], path: str) -> list[Node]:
    """The nodes at a path, in those releases that have it."""
    for step in path.split(".") if path else ():
        name = step.removesuffix("[]")
        found = [n.fields[name] for n in found if n.fields and name in n.fields]
        if name != step:
            found = [n.items for n in found if n.items is not None]
    return found


def lost(found: list[Node], lines: list[dict[str, Any]], place: str) -> Iterator[str]:
    for line in lines:
        here = reached(found, line["at"])
        at = f"{place} {line['at']}".strip()
        if not here:
            yield at
        elif "use" in line:
            yield from lost(here, FACTS["parts"][line["use"]], at)
        elif here[0].fields is not None and "form" not in line and not at.endswith(tuple(OPEN)):
            fields = {f for n in here for f in n.fields or ()}
            wanted = line.get("name", "name").split("|") + [line[f] for f in ("ns",) if f in line]
            yield from (f"{at} {n}" for n in wanted if n not in fields)


@pytest.mark.parametrize(("name", "lines"), roots(), ids=[n for n, _ in roots()])
def test_paths_exist(name: str, lines: list[dict[str, Any]]) -> None:
    found = nodes(name)
    assert found
    assert sorted(set(lost(found, lines, name)) - GONE) == []


def test_paths_of_pods_exist() -> None:
    specs = reached(nodes("Pod"), "spec")
    assert list(lost(specs, FACTS["parts"]["pod-spec"], "")) == []


def test_texts_are_well_formed() -> None:
    assert len([pattern(p) for p in table().always]) == len(FACTS["always"])
    assert all(table().kinds.get(group_kind(k)) for k in FACTS["kinds"])
    assert all(table().made.get(group_kind(k)) for k in FACTS["made"])
    forms = {
        line["form"]
        for lines in (*FACTS["parts"].values(), *FACTS["kinds"].values())
        for line in lines
        if "form" in line
    }
    assert forms == {"service", "selector", "term", "peer", "monitor"}
    kinds = [k for stage in ORDER for k in stage]
    assert len(kinds) == len(set(kinds))
    assert "*" in kinds


def test_client_side_kinds_need_no_definition() -> None:
    assert not table().needs_definition("kustomize.config.k8s.io", "Kustomization")
    assert not table().needs_definition("argoproj.io", "ConfigManagementPlugin")
    assert not table().needs_definition("apps", "Deployment")
    assert not table().needs_definition("networking.k8s.io", "Ingress")
    assert table().needs_definition("gateway.networking.k8s.io", "Gateway")
    assert table().needs_definition("argoproj.io", "Application")
