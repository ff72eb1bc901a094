"""Digests without OpenSSL: loading that library takes as long as checking a small file does.

The interpreter has these functions of its own; where it was built without them, the library's are taken. They tell
things apart and name them, and guard no secret.
"""

from __future__ import annotations


def sha1(data: bytes) -> bytes:
    """The SHA-1 digest: 20 bytes."""
    try:
        from _sha1 import sha1 as function
    except ImportError:
        from hashlib import sha1 as function
    return bytes(function(data, usedforsecurity=False).digest())


def sha256(data: bytes) -> str:
    """The SHA-256 digest in hexadecimal."""
    try:
        from _sha256 import sha256 as function
    except ImportError:
        from hashlib import sha256 as function
    return str(function(data).hexdigest())


def blake2b(data: bytes, size: int) -> str:
    """The BLAKE2b digest of `size` bytes in hexadecimal."""
    try:
        from _blake2 import blake2b as function
    except ImportError:
        from hashlib import blake2b as function
    return str(function(data, digest_size=size).hexdigest())
