"""Known findings: a file of fingerprints that a run leaves out. No line stands in it, so moved text stays known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kplan.errors import KplanError
from kplan.model import Finding, format_path

FORMAT_VERSION = "1.0"


def dump(findings: Iterable[Finding]) -> str:
    """The baseline with these findings, sorted, one a line so that a change of it reads well."""
    import json  # slow to load

    rows = sorted(
        {
            "fingerprint": f.fingerprint,
            "rule": f.rule,
            "object": str(f.ref or f.span.file),
            "path": format_path(f.path),
        }.items()
        for f in findings
    )
    lines = ",\n".join("    " + json.dumps(dict(row), ensure_ascii=True) for row in rows)
    return f'{{\n  "format_version": "{FORMAT_VERSION}",\n  "findings": [\n{lines}\n  ]\n}}\n'


def parse(text: str, file: str) -> Counter[str]:
    """The fingerprints of a baseline. Raises KplanError for a file that is none or is of a newer kplan."""
    import json

    try:
        data = json.loads(text)
        version, rows = data["format_version"], data["findings"]
        known = Counter(str(row["fingerprint"]) for row in rows)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KplanError(f"{file} is no baseline", hint="write one with --write-baseline") from error
    if str(version).split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise KplanError(f"{file} has the format version {version}, this kplan reads {FORMAT_VERSION}")
    return known


def subtract(findings: Iterable[Finding], known: Counter[str]) -> tuple[list[Finding], int]:
    """The findings that are not known, and how many are."""
    left = Counter(known)
    new, count = [], 0
    for f in findings:
        if left[f.fingerprint] > 0:
            left[f.fingerprint] -= 1
            count += 1
        else:
            new.append(f)
    return new, count
