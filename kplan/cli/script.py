"""The file of `--script`: how the containers of pods fare, by the name of a pod, a workload or an image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from kplan.errors import KplanError
from kplan.kubelet.outcomes import Outcome
from kplan.kubelet.scripted import matches, names_of
from kplan.store import Store

Value = dict[str, Any]

FORM = "a map from pod, workload or image to {ready: false}, {crashes: true} or {exitCode: N}"
_FIELDS = ("ready", "crashes", "exitCode")


def read(file: str) -> dict[str, Outcome]:
    """The script in a file. Raises KplanError with the place of what is wrong."""
    from kplan.yamlio import load_value

    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KplanError(f"cannot read {file}: {error}") from error
    value = load_value(text, file)
    if not isinstance(value, dict) or not value:
        raise KplanError(f"{file}:1: a script is {FORM}")
    return {name: _outcome(file, text, name, given) for name, given in value.items()}


def _outcome(file: str, text: str, name: str, given: object) -> Outcome:
    if not isinstance(given, dict) or not given:
        _wrong(file, text, (name,), f"{name!r} needs one of {', '.join(_FIELDS)}")
    for key, value in given.items():
        if key not in _FIELDS:
            _wrong(file, text, (name, key), f"there is no {key!r}: one of {', '.join(_FIELDS)}")
        if key == "exitCode" and not (type(value) is int and 0 <= value <= 255):
            _wrong(file, text, (name, key), f"exitCode is a number from 0 to 255, not {value!r}")
        if key != "exitCode" and not isinstance(value, bool):
            _wrong(file, text, (name, key), f"{key} is true or false, not {value!r}")
    crashes = given.get("crashes", False)
    if crashes and (given.get("ready") or "exitCode" in given):
        _wrong(file, text, (name,), f"{name!r} cannot crash and be ready or end with a code")
    return Outcome(not crashes and given.get("ready", True), crashes, given.get("exitCode"))


def _wrong(file: str, text: str, path: tuple[str, ...], message: str) -> NoReturn:
    from kplan.yamlio.positions import Positions

    span = Positions(file, text, 1)(path, key=True)
    raise KplanError(f"{file}:{span.line}:{span.col}: {message}", hint=f"a script is {FORM}")


def unused(script: Iterable[str], store: Store) -> list[str]:
    """The names of a script that no pod of a cluster has."""
    names = {n for pod in store.all("Pod") for n in names_of(pod, store)}
    return [name for name in script if not any(matches(name, n) for n in names)]
