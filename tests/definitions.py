"""A CustomResourceDefinition for tests that are about what stands in its schema."""

from __future__ import annotations

from typing import Any


def definition(spec: dict[str, Any]) -> dict[str, Any]:
    """The definition of a cluster-scoped kind Tool of example.org/v1, whose `spec` has this schema."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tools.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Cluster",
            "names": {"kind": "Tool", "plural": "tools"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
