"""Where the data folders `rules/` and `schemas/` are: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

import os

from kplan.hints import TYPE_CHECKING

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
