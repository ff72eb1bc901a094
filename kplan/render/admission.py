"""What the API server answered to each object, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kplan import __version__
from kplan.model import Applied, Cause, Ref, Span
from kplan.render.json import dump
from kplan.render.sanitise import one_line

FORMAT_VERSION = "1.0"


class Answered(NamedTuple):
    """An object of the input and its answer; `places` are those of the answer's causes, `note` what was not checked."""

    span: Span
    ref: Ref
    answer: Applied
    places: tuple[Span, ...] = ()
    note: str = ""


def text(answers: Iterable[Answered]) -> str:
    """A line an object, below it a line for each cause and warning."""
    return "".join(f"{line}\n" for a in answers for line in _lines(a))


def _lines(answered: Answered) -> list[str]:
    answer = answered.answer
    head = f"{one_line(answered.span.file)}:{answered.span.line}: {one_line(str(answered.ref))}"
    if answer.accepted:
        lines = [f"{head}: accepted" + (f" ({answered.note})" if answered.note else "")]
    else:
        lines = [f"{head}: refused ({answer.status}): {one_line(_summary(answer))}"]
    lines += [f"  {one_line(str(place))}: {_cause(c)}" for c, place in zip(answer.causes, answered.places, strict=True)]
    return lines + [f"  warning: {one_line(w)}" for w in answer.warnings]


def _summary(answer: Applied) -> str:
    """The message without the causes, which have lines of their own."""
    return answer.message.partition(" is invalid")[0] + " is invalid" if answer.causes else answer.message


def _cause(cause: Cause) -> str:
    return one_line(f"{cause.field}: {cause.message}" if cause.field else cause.message)


def json(answers: Iterable[Answered], version: str) -> str:
    """All answers with the stored objects as one JSON object."""
    listed = [as_json(a) for a in answers]
    accepted = sum(bool(a["accepted"]) for a in listed)
    return dump(
        {
            "format_version": FORMAT_VERSION,
            "tool": {"name": "kplan", "version": __version__},
            "kubernetes_version": version,
            "summary": {"accepted": accepted, "refused": len(listed) - accepted},
            "answers": listed,
        }
    )


def as_json(answered: Answered, *, stored: bool = True) -> dict[str, Any]:
    """An answer as plain values, with the stored object if it is wanted."""
    answer, span, ref = answered.answer, answered.span, answered.ref
    return {
        "file": span.file,
        "line": span.line,
        "object": {"api_version": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name},
        "accepted": answer.accepted,
        "status": answer.status,
        "message": answer.message,
        "causes": [
            {**cause._asdict(), "file": place.file, "line": place.line, "column": place.col}
            for cause, place in zip(answer.causes, answered.places, strict=True)
        ],
        "warnings": list(answer.warnings),
        "note": answered.note,
        **({"stored": answer.object} if stored else {}),
    }
