"""When an API was introduced, deprecated and removed, and what replaces it.

The facts are in schemas/facts/lifecycle.json, by group/version and kind: the lifecycle methods of the Go types
(zz_generated.prerelease-lifecycle.go), cut short where a type vanished earlier, and the kinds that left before those
methods were invented.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan import release
from kplan.schema.definitions import read
from kplan.tuples import NamedTuple


class Lifecycle(NamedTuple):
    """Releases as text ("1.25"), "" where there is none; `replacement` as `apps/v1 Deployment`."""

    introduced: str = ""
    deprecated: str = ""
    removed: str = ""
    replacement: str = ""

    def is_deprecated(self, version: str) -> bool:
        """Whether a release warns about this API, or no longer has it."""
        return _reached(self.deprecated, version) or self.is_removed(version)

    def is_removed(self, version: str) -> bool:
        """Whether a release no longer has this API."""
        return _reached(self.removed, version)


def _reached(since: str, version: str) -> bool:
    return bool(since) and release.minor(since) <= release.minor(version)


def lifecycle(api_version: str, kind: str) -> Lifecycle | None:
    """The lifecycle of a kind; None for one that is neither deprecated nor alpha nor beta, or unknown."""
    facts = read("facts/lifecycle").get(api_version, {}).get(kind)
    return Lifecycle(**facts) if facts else None


def lifecycles() -> Iterator[tuple[str, str, Lifecycle]]:
    """All that is known: (group/version, kind, lifecycle)."""
    for api_version, kinds in read("facts/lifecycle").items():
        for kind, facts in kinds.items():
            yield api_version, kind, Lifecycle(**facts)
