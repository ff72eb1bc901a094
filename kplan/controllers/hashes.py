"""The hashes that kube-controller-manager gives to pod templates: names of ReplicaSets and ControllerRevisions.

They name what is made anew. Whether something that is there has the current template is a question of equality, not
of hashes: a live hash may come from an older server, whose structs had other fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kplan.controllers.hashes_dump import dump
from kplan.controllers.hashes_patch import patch_data, patch_text

__all__ = [
    "daemon_set_revision_hash",
    "pod_template_hash",
    "revision_data",
    "revision_patch",
    "safe_encode",
    "stateful_set_revision_hash",
]

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET = 0x811C9DC5
_PRIME = 0x01000193
_MASK = 0xFFFFFFFF


def safe_encode(text: str) -> str:
    """A text in an alphabet without vowels and look-alikes (apimachinery/pkg/util/rand, SafeEncodeString)."""
    return "".join(_ALPHABET[ord(c) % len(_ALPHABET)] for c in text)


def pod_template_hash(template: dict[str, Any], minor: int, collision_count: int | None = None) -> str:
    """The pod-template-hash of a stored (so: defaulted) v1.PodTemplateSpec (pkg/controller, ComputeHash).

    `collision_count` is the Deployment's `status.collisionCount`, None where it is not set. Raises KplanError for a
    template with a value that no API server would have stored.
    """
    state = _OFFSET
    for piece in dump(template, minor):
        if isinstance(piece, bytes):
            state = _fnv1a(state, piece)
        else:
            factor, summand = _step(piece, state & 0xFF)
            state = (state * factor + summand) & _MASK
    if collision_count is not None:
        state = _fnv1a(state, (collision_count & _MASK).to_bytes(8, "little"))
    return safe_encode(str(state))


def daemon_set_revision_hash(template: dict[str, Any], minor: int, collision_count: int | None = None) -> str:
    """The controller-revision-hash of a DaemonSet's template: the same as the pod-template-hash of a Deployment."""
    return pod_template_hash(template, minor, collision_count)


def stateful_set_revision_hash(template: dict[str, Any], minor: int, collision_count: int = 0) -> str:
    """The hash in the name of a StatefulSet's ControllerRevision (pkg/controller/history, HashControllerRevision).

    It is FNV-1, not FNV-1a, over the text of the patch and the number of collisions so far.
    """
    state = _OFFSET
    for byte in (revision_patch(template, minor) + str(collision_count)).encode("utf-8", "surrogatepass"):
        state = (state * _PRIME & _MASK) ^ byte
    return safe_encode(str(state))


def revision_data(template: dict[str, Any], minor: int) -> dict[str, Any]:
    """The `data` of a ControllerRevision of a StatefulSet or DaemonSet with this (stored) template.

    Raises KplanError for a template with a value that no API server would have stored.
    """
    return patch_data(template, minor)


def revision_patch(template: dict[str, Any], minor: int) -> str:
    """`revision_data` as the JSON text that the controller writes."""
    return patch_text(template, minor)


def _fnv1a(state: int, data: bytes) -> int:
    """FNV-1a, 32 bits, from a state on."""
    for byte in data:
        state = (state ^ byte) * _PRIME & _MASK
    return state


@lru_cache(maxsize=1 << 16)
def _step(text: str, low: int) -> tuple[int, int]:
    """(factor, summand): a text takes every state that ends in the byte `low` to state * factor + summand.

    A byte changes only the low byte of the state before the multiplication, and what the low byte becomes depends on
    the low byte alone. So two states with the same low byte stay apart by their distance times a power of the prime.
    """
    data = text.encode()
    factor = pow(_PRIME, len(data), 1 << 32)
    return factor, (_fnv1a(low, data) - low * factor) & _MASK
