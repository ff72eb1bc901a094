"""What is said of input that holds nothing, or that was not read: the same words in every command."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from kplan.errors import KplanError
from kplan.model import Loaded, Skipped, Unreadable

ALLOW_EMPTY = "--allow-empty if that is how it should be"


def nothing(loaded: Loaded, paths: Iterable[str], hint: str = "") -> KplanError:
    """The error that there are no manifests below these paths, and why not."""
    if loaded.unreadable:
        return unread(loaded.unreadable)
    why = f" (skipped: {reasons(loaded.skipped)})" if loaded.skipped else ""
    return KplanError(f"no manifests in {' '.join(paths)}{why}", hint=hint)


def unread(unreadable: Sequence[Unreadable], so: str = "") -> KplanError:
    """The error that documents could not be read, with the place of the first; `so` is what follows from that."""
    first, count = unreadable[0], len(unreadable)
    what = f"{count} document{'s' * (count > 1)} could not be read"
    return KplanError(f"{what}, so {so}" if so else what, hint=f"first: {first.span}: {first.message}")


def reasons(skipped: Iterable[Skipped]) -> str:
    """Why documents were left out, with their numbers."""
    counts = Counter(s.reason for s in skipped)
    return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))


def say_skipped(skipped: Iterable[Skipped]) -> None:
    """Name on stderr what was left out."""
    from kplan.render.sanitise import one_line

    for one in skipped:
        sys.stderr.write(f"skipped {one_line(one.file)}: {one_line(one.reason)}\n")
