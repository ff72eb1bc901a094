"""Where the data folders `rules/` and `schemas/` are: inside the wheel, or beside the package in a checkout.

Their tables are JSON, which the interpreter's own scanner reads: to load the library around it takes longer.
"""

from __future__ import annotations

import os

from kplan.hints import TYPE_CHECKING, Any

try:
    from _json import make_scanner
except ImportError:  # not CPython
    make_scanner = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from pathlib import Path


def data_dir(name: str) -> Path:
    """The folder `rules` or `schemas`.

    A wheel carries them as `kplan/_data/<name>`; an editable install finds them at the top of the checkout,
    so an edited rule is seen at once.
    """
    from pathlib import Path  # slow to load

    return Path(data_path(name))


def data_path(name: str) -> str:
    """The same as a text."""
    package = os.path.dirname(__file__)
    packaged = os.path.join(package, "_data", name)
    return packaged if os.path.isdir(packaged) else os.path.join(os.path.dirname(package), name)


def read_table(text: str) -> dict[str, Any]:
    """The JSON object of a table, which begins with its brace. Raises ValueError for a text that is none."""
    if make_scanner is None:
        import json

        return json.loads(text)  # type: ignore[no-any-return]
    return make_scanner(_Settings)(text, 0)[0]  # type: ignore[no-any-return, arg-type]


class _Settings:
    """What the scanner asks of a decoder."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_int, parse_float, parse_constant = int, float, float
