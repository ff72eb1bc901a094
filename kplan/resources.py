"""Where the data folders `rules/` and `schemas/` are: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path


def data_dir(name: str) -> Path:
    """The folder `rules` or `schemas`.

    A wheel carries them as `kplan/_data/<name>`; an editable install finds them at the top of the checkout,
    so an edited rule is seen at once.
    """
    package = Path(__file__).parent
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parent / name
