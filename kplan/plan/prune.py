"""What becomes of an object that only the current side has: destroyed, unless it says otherwise or was not applied.

`kubectl apply --prune` deletes what carries last-applied; helm, argo-cd, flux and kapp each know a mark that keeps an
object; what has an owner goes and comes with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.hints import Any
from kplan.plan.noise import is_live
from kplan.plan.secrets import LAST_APPLIED
from kplan.plan.values import items, submap

Value = dict[str, Any]

# Annotation -> the word in it that keeps the object.
_KEEPS: Mapping[str, str] = {
    "helm.sh/resource-policy": "keep",
    "argocd.argoproj.io/sync-options": "Prune=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "kapp.k14s.io/delete-strategy": "orphan",
}
# The label of an ApplySet member (KEP-3659), and of what helm, flux and kapp applied.
_APPLIED_LABELS = (
    "applyset.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "kustomize.toolkit.fluxcd.io/name",
    "kapp.k14s.io/app",
)


def why_kept(value: Value, *, prune: bool) -> str:
    """Why this object stays; "" if it is destroyed."""
    if not prune:
        return "because pruning is off"
    meta = submap(value, "metadata")
    notes = submap(meta, "annotations")
    for name, word in _KEEPS.items():
        if word in [part.strip() for part in str(notes.get(name, "")).split(",")]:
            return f"because it is annotated {name}: {word}"
    owners = items(meta, "ownerReferences")
    if owners:
        return f"because it belongs to {owners[0].get('kind')} {owners[0].get('name')}"
    if is_live(value) and not _applied(meta):
        return "because nothing says that it was applied from manifests"
    return ""


def _applied(meta: Value) -> bool:
    if LAST_APPLIED in submap(meta, "annotations"):
        return True
    if any(label in submap(meta, "labels") for label in _APPLIED_LABELS):
        return True
    return any(m.get("operation") == "Apply" for m in items(meta, "managedFields"))
