"""File paths inside volumes: relative, and never out of the volume.

Follows pkg/apis/core/validation/validation.go (validateLocalDescendingPath and around).
"""

from __future__ import annotations

from kplan.api.validation.field import Errors


def no_backsteps(errors: Errors, field: str, path: str) -> None:
    """A path without `..` among its parts."""
    if ".." in path and ".." in path.split("/"):
        errors.invalid(field, path, "must not contain '..'")


def local_descending(errors: Errors, field: str, path: str) -> None:
    """A relative path without `..` among its parts."""
    if path.startswith("/"):
        errors.invalid(field, path, "must be a relative path")
    no_backsteps(errors, field, path)


def local_non_reserved(errors: Errors, field: str, path: str) -> None:
    """A relative path that does not begin like the hidden directories which the kubelet makes."""
    local_descending(errors, field, path)
    if path.startswith("..") and not path.startswith("../"):
        errors.invalid(field, path, "must not start with '..'")
