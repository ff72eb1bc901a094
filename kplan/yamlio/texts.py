"""The texts of the documents of one file: of few documents something is said, so the file is read again for those."""

from __future__ import annotations

from collections.abc import Callable

from kplan.hints import Any, Final
from kplan.yamlio.fast import tree
from kplan.yamlio.positions import Positions
from kplan.yamlio.split import Chunk, chunks, decode

_OWN_NAME: Final = "kplan"


class Texts:
    """What is known of the text of a file; `again` reads its bytes once more, None if the documents keep their texts.

    Those of a file that has a word for kplan are kept: its comments count, whatever becomes of the file.
    """

    __slots__ = ("_again", "_digest", "file", "mentions_kplan")

    def __init__(self, file: str, data: bytes, text: str, again: Callable[[], bytes] | None) -> None:
        named = _OWN_NAME in text
        self.file = file
        self.mentions_kplan = named or "\\" in text  # with an escape the name may stand there in other letters
        self._again = None if named else again
        self._digest = hash(data)

    @property
    def kept(self) -> bool:
        """Whether the documents keep their texts."""
        return self._again is None

    def text(self, line: int) -> str:
        """The text of the document that starts on a line; "" if the file is no more what it was."""
        if self not in _LAST:
            _LAST.clear()
            _LAST[self] = self._read()
        return _LAST[self].get(line, "")

    def places(self, document: Any) -> Positions:
        """The places of a document that the fast parser has read."""
        return Positions(self.file, document.text, document.text_line, start=document.line, by_lines=tree)

    def _read(self) -> dict[int, str]:
        try:
            data = self._again() if self._again else b""
        except OSError:
            return {}
        if hash(data) != self._digest:
            return {}
        return {c.line: c.text for c in chunks(decode(data)) if isinstance(c, Chunk)}


_LAST: Final[dict[Texts, dict[int, str]]] = {}  # of the file that was last read again
