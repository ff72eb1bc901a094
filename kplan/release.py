"""Kubernetes releases: which minors kplan knows, and how a version is spelled.

A version travels through the program as text, "1.36"; `minor` gives the number that rules compare.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kplan.errors import KplanError

DEFAULT = "1.36"
OLDEST, NEWEST = 29, 37


@lru_cache(maxsize=64)
def minor(version: str) -> int:
    """The minor of "1.36", "v1.36" or "1.36.2", without asking whether kplan knows it."""
    return int(version.split(".")[1])


def parse(text: str) -> str:
    """A version as the user wrote it in its one spelling, "1.36".

    Raises KplanError for a text that is no version or a release that kplan has no data for.
    """
    if text == DEFAULT:
        return DEFAULT
    m = re.fullmatch(r"v?1\.(\d{1,3})(\.\d+)?", text.strip())
    if not m:
        raise KplanError(f"{text!r} is not a Kubernetes version", hint=f"write it as {DEFAULT}")
    if not OLDEST <= int(m[1]) <= NEWEST:
        raise KplanError(f"Kubernetes 1.{m[1]} is not supported", hint=f"known releases are 1.{OLDEST} to 1.{NEWEST}")
    return f"1.{m[1]}"
