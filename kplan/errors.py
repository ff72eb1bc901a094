"""The one exception that means "could not run". A finding is never an exception."""

from __future__ import annotations


class KplanError(Exception):
    """kplan could not do what was asked: bad usage, bad configuration or unreadable input.

    `hint`, when given, is one line that tells the user what to do about it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
