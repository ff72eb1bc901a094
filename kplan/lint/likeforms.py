"""Forms of values: what a value must be like so that nothing but its form, and what it is equal to, matters."""

from __future__ import annotations

import re
from collections.abc import Callable

from kplan import quantity
from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.tuples import NamedTuple

_MOST_KEPT: Final = 20_000


class Form(NamedTuple):
    """A form. `has` says whether a value has it; with `compared` it matters which values of the object are equal."""

    has: Callable[[Any], bool]
    compared: bool = True


class _Texts(dict[Any, bool]):
    """Whether a text matches a pattern: remembered for each."""

    def __init__(self, pattern: str, longest: int) -> None:
        super().__init__()
        self._pattern = lazy(pattern, re.ASCII)
        self._longest = longest

    def __missing__(self, text: Any) -> bool:
        if len(self) >= _MOST_KEPT:
            self.clear()
        found = isinstance(text, str) and len(text) <= self._longest and self._pattern.fullmatch(text) is not None
        self[text] = found
        return found


def _of_text(pattern: str, longest: int) -> Form:
    return Form(_Texts(pattern, longest).__getitem__)


# Words that mean something: namespaces and accounts of the system, defaults, classes, levels of Pod Security.
_MEANT = r"(?!kube|system|default|cluster|baseline|restricted|privileged|node|all\Z|any\Z|none\Z|true|false|null)"
_WORD = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
NAME: Final = _of_text(_MEANT + _WORD, 40)
PORT_NAME: Final = _of_text(_MEANT + _WORD, 15)
LABEL: Final = _of_text(_MEANT + r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", 63)
KEY: Final = _of_text(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*", 60)
HOST: Final = _of_text(rf"{_MEANT}{_WORD}(?:\.{_WORD})+", 200)
ROUTE: Final = _of_text(r"(?!.*secrets)(?:/[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)+", 100)
IMAGE: Final = _of_text(
    r"(?!k8s\.gcr\.io/)(?:[a-z0-9][a-z0-9._-]*(?::[0-9]+)?/)?[a-z0-9][a-z0-9._/-]*:(?!latest)[\w.-]+", 200
)
# Variables that are no secrets by their name: what a secret has as its value matters to a rule.
VARIABLE: Final = _of_text(r"(?!.*(?:PASS|SECRET|TOKEN|KEY|CRED))[A-Z][A-Z0-9_]*", 100)


def _is_port(value: Any) -> bool:
    return type(value) is int and 1 < value <= 65_535


def _is_text(longest: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and 0 < len(value) <= longest


def _is_from(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= 2_147_483_647


PORT: Final = Form(lambda value: _is_port(value) or PORT_NAME.has(value))
COUNT, SECONDS, USER = (Form(_is_from(least), compared=False) for least in (2, 1, 10_000))
TEXT: Final = Form(_is_text(5_000), compared=False)
# Far from the limits on the sizes of all values together, which count MOST_TEXTS at the most.
DATA, ANNOTATION = (Form(_is_text(longest), compared=False) for longest in (2_000, 500))
MOST_TEXTS: Final = 100

# Keys of labels and annotations whose values Kubernetes reads.
_OWN_KEY: Final = lazy(
    r"(?!app\.kubernetes\.io/)(?:[^/]*\.)?(?:kubernetes|k8s|kplan)\.(?:io|dev)/|(?:job-name|controller-uid)\Z"
)
# Keys that hold the name of a container, which counts then.
_NAMED_IN_KEY: Final = lazy(r"[^/]*(?:apparmor|seccomp)\.security\.")


def is_own_key(key: str) -> bool:
    """Whether Kubernetes (or kplan) reads the label or annotation with this key."""
    return _OWN_KEY.match(key) is not None


def names_container(key: str) -> bool:
    """Whether a container is named by the key of an annotation."""
    return _NAMED_IN_KEY.match(key) is not None


class _Within(dict[tuple[Any, ...], bool]):
    """Of (names, how many of them are requests, amounts), the rest limits: whether all are small plain amounts of
    usual resources, each request within its limit."""

    def __missing__(self, key: tuple[Any, ...]) -> bool:
        if len(self) >= _MOST_KEPT:
            self.clear()
        names, split, amounts = key
        requests = dict(zip(names[:split], amounts[:split], strict=True))
        limits = dict(zip(names[split:], amounts[split:], strict=True))
        found = self[key] = all(map(_is_plain, names, amounts)) and all(
            quantity.parse(str(requests[n])).nanos <= quantity.parse(str(limits[n])).nanos
            for n in requests
            if n in limits
        )
        return found


WITHIN: Final = _Within()
_SMALL: Final = lazy(r"[1-9][0-9]{0,5}(?:m|Ki|Mi|Gi|k|M|G)?", re.ASCII)


def _is_plain(name: str, amount: Any) -> bool:
    text = str(amount)
    if isinstance(amount, (bool, float)) or not _SMALL.fullmatch(text):
        return False
    return name == "cpu" or (name in ("memory", "ephemeral-storage") and not text.endswith("m"))
