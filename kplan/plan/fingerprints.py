"""Secret values as keyed fingerprints: two of them are equal when the values are, and nobody can tell the value.

What counts as secret is what a plan masks (kplan.plan.secrets). The key keeps others from trying passwords; where it is
known all the same, each try is slow (PBKDF2).
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from kplan.model import Placeholder
from kplan.plan.live import lasting
from kplan.plan.secrets import Masks, mask

Value = dict[str, Any]

_ROUNDS = 20_000
_LENGTH = 20  # bytes


class Fingerprints(Masks):
    """The fingerprints under one key, each computed once."""

    __slots__ = ("_key", "_known")

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key
        self._known: dict[bytes, Placeholder] = {}

    def of(self, secret: bytes) -> Placeholder:
        """The fingerprint of a secret value: one word that stands wherever the value did."""
        if secret not in self._known:
            digest = hashlib.pbkdf2_hmac("sha256", secret, self._key, _ROUNDS, _LENGTH)
            self._known[secret] = Placeholder(f"kplan-hmac-{digest.hex()}")
        return self._known[secret]


def sealed(value: Value, fingerprints: Fingerprints) -> Value:
    """The object with fingerprints for its secret values; the data of a Secret stays base64."""
    out = mask(lasting(value), fingerprints)
    data = out.get("data")
    if out.get("kind") == "Secret" and isinstance(data, dict):
        out = {**out, "data": {k: _encoded(v) if isinstance(v, Placeholder) else v for k, v in data.items()}}
    plain: Value = json.loads(json.dumps(out))  # a fingerprint is a text like others, to be masked where it is shown
    return plain


def _encoded(word: Placeholder) -> str:
    return base64.b64encode(word.encode()).decode()
