"""Digests without OpenSSL: loading that library takes as long as checking a small file does.

The interpreter has these functions of its own; where it was built without them, the library's are taken. They tell
things apart and name them, and guard no secret.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType


@cache
def _module(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError:
        return __import__("hashlib")


def sha1(data: bytes) -> bytes:
    """The SHA-1 digest: 20 bytes."""
    return bytes(_module("_sha1").sha1(data, usedforsecurity=False).digest())


def sha256(data: bytes) -> str:
    """The SHA-256 digest in hexadecimal."""
    return str(_module("_sha256").sha256(data).hexdigest())


def blake2b(data: bytes, size: int) -> str:
    """The BLAKE2b digest of `size` bytes in hexadecimal."""
    return str(_module("_blake2").blake2b(data, digest_size=size).hexdigest())
