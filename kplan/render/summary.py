"""The closing lines that every human format ends with: what was found, and what was read, skipped and unreadable."""

from __future__ import annotations

from kplan.model import Report
from kplan.render.sanitise import one_line

SEVERITIES = ("error", "warning", "info")
_SKIPPED = "skipped: "


def found(report: Report) -> str:
    """`2 errors, 1 warning, 0 info`, and what was held back."""
    counts = report.counts
    out = f"{many(counts.get('error', 0), 'error')}, {many(counts.get('warning', 0), 'warning')}"
    out += f", {counts.get('info', 0)} info"
    held = [f"{report.suppressed} suppressed"] if report.suppressed else []
    held += [f"{counts['baselined']} in the baseline"] if counts.get("baselined") else []
    return out + (f" ({', '.join(held)})" if held else "")


def read(report: Report) -> str:
    """`12 files, 31 resources, 2 skipped (Helm template), 1 unreadable`; kinds without a schema are counted, too."""
    out = [many(report.files, "file"), many(report.objects, "resource")]
    if report.skipped:
        reasons = ", ".join(one_line(reason) for reason, _ in skip_reasons(report))
        out.append(f"{len(report.skipped)} skipped ({reasons})")
    if report.counts.get("unknown kinds"):
        out.append(f"{report.counts['unknown kinds']} of unknown kinds")
    if report.unreadable:
        out.append(f"{len(report.unreadable)} unreadable")
    return ", ".join(out)


def skip_reasons(report: Report) -> list[tuple[str, int]]:
    """(reason, count) of what was skipped."""
    return [(k.removeprefix(_SKIPPED), n) for k, n in report.counts.items() if k.startswith(_SKIPPED)]


def many(count: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
