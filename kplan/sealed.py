"""Files that kplan writes for itself to read again: one JSON object with its format, who wrote it, and a digest of all.

The digest tells what is damaged or was edited by hand; it is no guard against anybody who can compute it. A later minor
version of a format only adds fields, so it can be read; a later major one cannot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kplan.errors import KplanError
from kplan.tuples import NamedTuple


class Format(NamedTuple):
    """A kind of sealed file: `name` stands in the file, and `what` is what people call it."""

    name: str
    what: str
    major: int = 1
    minor: int = 0

    def seal(self, content: Mapping[str, Any], tool: str) -> str:
        """The text of a file with this content; `tool` is the version of kplan that writes it."""
        version = f"{self.major}.{self.minor}"
        whole = {"format": self.name, "format_version": version, "kplan_version": tool, **content}
        return json.dumps({**whole, "digest": digest(whole)}) + "\n"

    def unseal(self, text: str | bytes, file: str, again: str) -> dict[str, Any]:
        """What is in the text of a file that is whole, and of a version that this kplan reads. Raises KplanError.

        `again` says how people come by a good one.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise KplanError(f"{file} is not a saved {self.what}") from error
        if not isinstance(content, dict) or content.get("format") != self.name:
            raise KplanError(f"{file} is not a saved {self.what}")
        version = str(content.get("format_version"))
        if version.partition(".")[0] != str(self.major):
            raise KplanError(
                f"{file} has the {self.what} format {version}, which this kplan does not know",
                hint=f"it was written by kplan {content.get('kplan_version')}: use that release, or {again}",
            )
        if content.pop("digest", None) != digest(content):
            raise damaged(file, again)
        return content


def damaged(file: str, again: str) -> KplanError:
    """The error of a file that is not as it was written."""
    return KplanError(f"{file} is damaged", hint=again)


def canonical(value: Any) -> str:
    """The text of a JSON value, the same whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of a content."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()
