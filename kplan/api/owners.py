"""Owners that an object names twice: the API server keeps the first of equal references and warns.

Follows k8s.io/apiserver/pkg/endpoints/handlers/rest.go (kubernetes/kubernetes#96185): only references that are equal
in all of their fields count as the same.
"""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

_REPEATED = (
    "metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
    "such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
)


def without_repeated_owners(obj: Value, warnings: list[str]) -> None:
    """Keep one of equal owner references of a decoded object, in place; `warnings` grows if there were more."""
    references = obj["metadata"].get("ownerReferences")
    if not references:
        return
    kept: list[Value] = []
    repeated = []
    for reference in references:
        if reference in kept:
            repeated.append(reference.get("uid") or "")
        else:
            kept.append(reference)
    if repeated:
        obj["metadata"]["ownerReferences"] = kept
        warnings.append(_REPEATED + ", ".join(repeated))
