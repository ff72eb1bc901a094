"""Digests without OpenSSL: loading that library takes as long as checking a small file does.

The interpreter has these functions of its own; where it was built without them, the library's are taken. They tell
things apart and name them, and guard no secret.
"""

from __future__ import annotations

from functools import cache

from kplan.hints import Any


@cache
def _function(module: str, name: str) -> Any:
    try:
        return getattr(__import__(module), name)
    except ImportError:
        return getattr(__import__("hashlib"), name)


def sha1(data: bytes) -> bytes:
    """The SHA-1 digest: 20 bytes."""
    return bytes(_function("_sha1", "sha1")(data, usedforsecurity=False).digest())


def sha256(data: bytes) -> str:
    """The SHA-256 digest in hexadecimal."""
    return str(_function("_sha256", "sha256")(data).hexdigest())


def blake2b(data: bytes, size: int) -> str:
    """The BLAKE2b digest of `size` bytes in hexadecimal."""
    return str(_function("_blake2", "blake2b")(data, digest_size=size).hexdigest())
