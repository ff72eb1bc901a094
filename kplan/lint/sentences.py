"""Where a sentence of the API server belongs in the object: its field, or what it is about if it names none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from re import Match
from typing import Any

from kplan.lint import fieldpath
from kplan.model import Path
from kplan.patterns import lazy
from kplan.workloads import get, pod_template

Value = dict[str, Any]


def place(sentence: str, obj: Value) -> Path:
    """The path of what a warning or refusal is about; () for the object as a whole."""
    field, _ = fieldpath.leading(sentence)
    if field:
        return fieldpath.parse(field, obj)
    for pattern, find in _PLACES:
        found = pattern.match(sentence)
        if found is not None:
            return find(found, obj)
    return ()


def _volume(found: Match[str], obj: Value) -> Path:
    pod = pod_template(obj)
    volumes = get(pod.value, "spec", "volumes") if pod is not None else None
    for i, volume in enumerate(volumes if isinstance(volumes, list) else ()):
        if pod is not None and get(volume, "name") == found[1]:
            return (*pod.path, "spec", "volumes", i)
    return ()


def _format(found: Match[str], obj: Value) -> Path:
    return next(_settings(obj.get("spec"), "format", found[1], ("spec",)), ())


def _settings(value: Any, name: str, wanted: str, at: Path) -> Iterator[Path]:
    """Everywhere that a field of this name has this value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if key == name and inner == wanted:
            yield (*at, key)
        yield from _settings(inner, name, wanted, (*at, key))


_PLACES: tuple[tuple[Any, Callable[[Match[str], Value], Path]], ...] = (
    (lazy(r"(spec\.\w+) is "), lambda found, obj: fieldpath.parse(found[1], obj)),
    (lazy(r'volume "([^"]*)" \('), _volume),
    (lazy(r'unrecognized format "([^"]*)"'), _format),
    (lazy(r"ResourceQuota (\S+) \("), lambda found, _: ("spec", "hard", found[1])),
    (lazy(r"tls: .* certificate input"), lambda *_: ("data", "tls.crt")),
    (lazy(r"tls: .* key input"), lambda *_: ("data", "tls.key")),
    (lazy(r".* the integer value of priority \("), lambda *_: ("spec", "priority")),
    (lazy(r".* the string value of PreemptionPolicy \("), lambda *_: ("spec", "preemptionPolicy")),
)
