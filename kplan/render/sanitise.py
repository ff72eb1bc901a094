"""The one place where text from manifests becomes safe to print.

Control characters, bidirectional marks, invisible characters and lone surrogates become visible escapes, so that a
name can neither move the cursor nor reorder a line (the classes of CVE-2021-25743 and of "Trojan Source"). What build
servers would read as a command of theirs (`::error::`, `##[group]`, `##vso[...]`, `##teamcity[...]`) is broken up.
"""

from __future__ import annotations

import re

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff"
)
_HIDDEN = f"{_BIDI}{_INVISIBLE}\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
# Compiled when first used: most runs of the program print nothing that is not its own.
_UNSAFE = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}]"
_UNSAFE_IN_LINE = f"[\x00-\x1f\x7f-\x9f{_HIDDEN}]"
_COMMAND = r"(?m)#(?=#\w*\[)|^(\s*):(?=:)"
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}


def clean(text: str) -> str:
    """The text with every unsafe character as a visible escape; newlines and tabs stay."""
    return defuse(text if _is_plain(text.replace("\n", "")) else re.sub(_UNSAFE, _escape, text))


def one_line(text: str) -> str:
    """As `clean`, and newlines and tabs become `\\n` and `\\t`: what is printed stays on its line."""
    return defuse(text if _is_plain(text) else re.sub(_UNSAFE_IN_LINE, _escape, text))


def defuse(text: str) -> str:
    """The text with commands of build servers broken up; everything else stays."""
    if "#" not in text and "::" not in text:
        return text
    return re.sub(_COMMAND, lambda m: "\\x23" if m[0] == "#" else f"{m[1]}\\x3a", text)


def _is_plain(text: str) -> bool:
    """Whether there is nothing but printable ASCII: nothing of that is unsafe, and to ask costs less than to search."""
    return text.isascii() and text.isprintable()


def _escape(m: re.Match[str]) -> str:
    char = m[0]
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
