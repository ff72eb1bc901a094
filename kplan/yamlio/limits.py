"""How much input the reader takes. Every number guards memory and time against hostile files."""

from __future__ import annotations

from kplan.record import record


@record
class Limits:
    """Bounds of one file; more than that is one located sentence, never a crash.

    `scalar_bytes` is the API server's limit on a request body (k8s.io/apiserver, MaxRequestBodyBytes): a larger text
    can never be stored. `depth` counts nested maps and lists, aliases expanded; `duplicates` the keys of one document
    that a map had already.
    """

    file_bytes: int = 10 * 1024 * 1024
    scalar_bytes: int = 3 * 1024 * 1024
    depth: int = 100
    documents: int = 10_000
    duplicates: int = 1_000
