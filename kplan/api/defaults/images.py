"""Image references, as far as the default of imagePullPolicy needs them.

Follows github.com/distribution/reference (ParseNormalizedNamed) and pkg/util/parsers.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kplan.patterns import lazy

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])"
_DOMAIN = lazy(rf"{_HOST}(?::[0-9]+)?\Z")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REST = lazy(rf"(?P<name>{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>[^@]+))?\Z", re.ASCII)
_DIGESTS = lazy(r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}")
_LONGEST_NAME = 255


@lru_cache(maxsize=1024)
def pull_policy(image: str) -> str:
    """The default imagePullPolicy: Always for the tag `latest` and for no tag, IfNotPresent for everything else.

    What is no image reference has no tag `latest` either.
    """
    name, colon, tag = image.rpartition("/")[2].rpartition(":")
    if colon and name and "@" not in image and tag != "latest":
        return "IfNotPresent"
    return "Always" if _tag(image) == "latest" else "IfNotPresent"


def _tag(image: str) -> str:
    """The tag of an image, `latest` if it names neither tag nor digest, "" for a digest alone or no reference."""
    domain, rest = _split_domain(image)
    m = _REST.match(rest)
    if m is None or (domain and not _DOMAIN.match(domain)) or re.fullmatch(r"[a-f0-9]{64}", image):
        return ""
    digest = m["digest"] or ""
    if len(f"{domain or 'docker.io/library'}/{m['name']}") > _LONGEST_NAME or (
        digest and not _DIGESTS.fullmatch(digest)
    ):
        return ""
    return m["tag"] or ("" if digest else "latest")


def _split_domain(image: str) -> tuple[str, str]:
    """(registry, rest); the registry is "" for Docker's own."""
    first, slash, rest = image.partition("/")
    is_domain = "." in first or ":" in first or first == "localhost" or first.lower() != first
    return (first, rest) if slash and is_domain else ("", image)
