"""The events of one YAML document: libyaml where its binding is installed, else ruamel's parser in Python.

go-yaml v2, which kubectl reads with, is a port of libyaml: the events, the errors and their words are nearly its own.
Only the first document of a text is read, as kubectl does: what follows `...` is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import ScannerError

from kplan.yamlio.problem import Problem

try:
    from _ruamel_yaml import CParser
except ImportError:  # pragma: no cover - depends on the installation
    CParser = None

Event = Any
NextEvent = Callable[[], Event]

# What go-yaml's reader lets through (readerc.go).
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def events(text: str, *, pure: bool = False) -> NextEvent:
    """A function that gives the next event of the text, which must pass `check_characters`.

    It raises what ruamel raises: see `problem_of`.
    """
    if CParser is not None and not pure:
        parser = CParser(text)
        return parser.get_event  # type: ignore[no-any-return]
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.1"  # type: ignore[assignment]  # typed as a tuple, documented as a text
    return iter(yaml.parse(text)).__next__


def check_characters(text: str) -> None:
    """Raise Problem for the first character that YAML does not allow."""
    if found := _NOT_ALLOWED.search(text):
        line = text.count("\n", 0, found.start()) + 1
        col = found.start() - text.rfind("\n", 0, found.start())
        raise Problem("control characters are not allowed", line, col)


def problem_of(error: Exception) -> Problem:
    """What the parser raised as one sentence at its place."""
    if not isinstance(error, MarkedYAMLError):
        return Problem(str(error) if isinstance(error, YAMLError) else "cannot be parsed")
    mark = error.problem_mark or error.context_mark
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(error.problem or "cannot be parsed", line, col, kubectl_line=_kubectl_line(error))


def _kubectl_line(error: MarkedYAMLError) -> int:
    """The line go-yaml would name: counted from 0 but for the scanner's errors; 0 stands for none."""
    problem, context = error.problem_mark, error.context_mark
    if problem and problem.line:
        return int(problem.line) + isinstance(error, ScannerError)
    return int(context.line) if context else 0


__all__ = ["ReaderError", "check_characters", "events", "problem_of"]
