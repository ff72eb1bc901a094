"""How older releases said it: the sentences of this package, which are those of 1.36, in the words of the past.

A table of (first minor that speaks as we do, pattern, older words). Values inside messages are not reworded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kplan.model import Cause
from kplan.patterns import lazy

_TABLE: tuple[tuple[int, re.Pattern[str], str], ...] = (
    (32, lazy(r"\AToo long: may not be more than (\d+) bytes\Z"), r"Too long: must have at most \1 bytes"),
    (32, lazy(r"(terminationGracePeriodSeconds \(-?\d+\))\. Enable .*\Z"), r"\1"),
    (34, lazy(r"\AForbidden: when `hostUsers` is false\Z"), "Forbidden: when `pod.Spec.HostUsers` is false"),
    (36, lazy(r"(must be 'NotRequired' when) pod (`restartPolicy` is 'Never')\Z"), r"\1 \2"),
    (34, lazy(r"\b((?:name|prefix) part must be no more than \d+) bytes\Z"), r"\1 characters"),
    (34, lazy(r'(": must be no more than \d+) bytes\Z'), r"\1 characters"),
    (34, lazy(r"\ba valid label key (must consist of .* with an optional DNS)"), r"a qualified name \1"),
)


def in_release(causes: Iterable[Cause], minor: int) -> list[Cause]:
    """The causes as a server of that minor puts them."""
    rules = [(pattern, older) for since, pattern, older in _TABLE if minor < since]
    return [Cause(c.field, c.reason, _reword(c.message, rules)) for c in causes] if rules else list(causes)


def _reword(message: str, rules: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, older in rules:
        message = pattern.sub(older, message)
    return message
