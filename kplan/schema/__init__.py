"""Kinds and their schemas by Kubernetes release, compiled validators, and CustomResourceDefinitions of the input."""

from __future__ import annotations

from kplan.schema.catalog import Catalog, KindInfo, Node, catalog

__all__ = ["Catalog", "KindInfo", "Node", "catalog"]
