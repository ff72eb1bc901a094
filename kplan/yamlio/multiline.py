"""Scalars of several lines, for the fast parser: plain, in quotes, literal and folded; and flow collections.

The rules of folding are those of yaml_parser_scan_plain_scalar, _flow_scalar and _block_scalar (scannerc.go). Each
function takes the lines of the document and the number of the next one, and gives the value and the line after it.
"""

from __future__ import annotations

from kplan.hints import Final
from kplan.patterns import lazy
from kplan.yamlio.flow import Unusual, open_brackets, unescape
from kplan.yamlio.lines import EMPTY, ITEM, Block, Line, Lines, has_special

_MOST_PARTS: Final = 10_000  # of what may have no end: a scalar in quotes, a flow collection
_MOST_BRACKETS: Final = 1_000  # on one line that does not end with one
# The rest of a scalar in quotes on its last line, and a line of it that is not the last (2: a backslash at the end).
_LAST: Final = {
    '"': lazy(r'([^"\\]*(?:\\.[^"\\]*)*)"(?: +#.*)?'),
    "'": lazy(r"([^']*(?:''[^']*)*)'(?: +#.*)?"),
}
_MORE: Final = {
    '"': lazy(r'([^"\\]*(?:\\.[^"\\]*)*)(\\)?'),
    "'": lazy(r"([^']*(?:''[^']*)*)()"),
}


def plain(lines: list[str], known: Lines, n: int, taken: int, indent: int) -> tuple[str, int]:
    """A plain scalar that goes on in the n-th line, and the line after it."""
    before = n - 1
    while before >= taken and known[lines[before]][0] == EMPTY:
        before -= 1
    line: Line | None = known[lines[before]] if before >= taken else None
    while line is not None and line[0] == ITEM:
        line = line[3]
    if line is None or line[4] is None:
        raise Unusual
    text, breaks = line[4], n - 1 - before
    while n < len(lines):
        more = lines[n].strip(" ")
        if not more:
            breaks += 1
        elif len(lines[n]) - len(lines[n].lstrip(" ")) <= indent or more[0] == "#":
            break
        elif ": " in more or " #" in more or more[-1] == ":" or not more.isprintable():
            raise Unusual
        else:
            text += ("\n" * breaks or " ") + more
            breaks = 0
        n += 1
    return text, n


def quoted(lines: list[str], n: int, start: str) -> tuple[str, int]:
    """A scalar in quotes whose first line is `start`: breaks are folded, and dropped after a backslash."""
    quote, text = start[0], start[1:]
    parts: list[str] = []
    while True:
        if len(parts) > _MOST_PARTS or (text.endswith("\\") and lines[n - 1].endswith(" ")):
            raise Unusual  # it may have no end; or there is an escaped space at the end of the line
        last = _LAST[quote].fullmatch(text)
        found = last or _MORE[quote].fullmatch(text)
        if found is None:
            raise Unusual
        parts.append(unescape(found[1], quote))
        if last:
            return "".join(parts), n
        before = n
        text = ""
        while not text:
            if n == len(lines) or lines[n].startswith("...") or not lines[n].isprintable():
                raise Unusual
            text = lines[n].strip(" ")
            n += 1
        parts.append("\n" * (n - 1 - before) or ("" if found[2] else " "))


def collection(lines: list[str], n: int, start: str) -> tuple[str, int]:
    """The text of a flow collection whose first line is `start`. A line of nothing but a comment counts as empty."""
    if start.count("[") + start.count("{") > _MOST_BRACKETS:
        raise Unusual
    parts = [start]
    still_open = open_brackets(start)
    while still_open > 0 and n < len(lines) and not lines[n].startswith("..."):
        if len(parts) > _MOST_PARTS or not lines[n].isprintable():
            raise Unusual
        parts.append("" if lines[n].lstrip(" ")[:1] == "#" else lines[n])
        still_open += open_brackets(parts[-1])
        n += 1
    return "\n".join(parts), n


def block(lines: list[str], n: int, header: Block, parent: int) -> tuple[str, int]:
    """A block scalar; `parent` is the column of the map or list that it is in."""
    if parent < 0:
        raise Unusual
    indent = parent + header.indent if header.indent else _indentation(lines, n, parent)
    prefix = " " * indent
    content = []
    while n < len(lines):
        line = lines[n]
        if line.startswith(prefix):
            content.append(line[indent:])
        elif not line.strip(" "):
            content.append("")
        elif "\t" in line[:indent]:
            raise Unusual
        else:
            break
        n += 1
    breaks = 0
    while content and not content[-1]:
        content.pop()
        breaks += 1
    if not content:
        if header.chomp == "+":
            raise Unusual
        return "", n
    text = _folded(content) if header.folded else "\n".join(content)
    if has_special(text):
        raise Unusual
    end = {"-": 0, "": 1, "+": 1 + breaks}[header.chomp]
    return text + "\n" * end, n


def _indentation(lines: list[str], n: int, parent: int) -> int:
    """The column of a block scalar: that of its first line that is not blank."""
    longest = 0
    while n < len(lines):
        line = lines[n]
        text = line.lstrip(" ")
        if text:
            indent = len(line) - len(text)
            if text[0] == "\t" or longest > max(indent, parent + 1):
                raise Unusual
            return max(indent, parent + 1)
        longest = max(longest, len(line))
        n += 1
    if longest > parent + 1:
        raise Unusual
    return parent + 1


def _folded(content: list[str]) -> str:
    """The lines of a folded scalar joined; breaks beside lines that start with white space stay as they are."""
    parts: list[str] = []
    breaks, spaced = 0, True
    for line in content:
        if not line:
            breaks += 1
            continue
        was_spaced, spaced = spaced, line[0] in " \t"
        if parts and not was_spaced and not spaced:
            parts.append("\n" * breaks or " ")
        else:
            parts.append("\n" * (breaks + bool(parts)))
        parts.append(line)
        breaks = 0
    return "".join(parts)
