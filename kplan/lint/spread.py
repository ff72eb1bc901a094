"""Work on many pieces, spread over processes: each is a fork of this one and answers through a pipe."""

from __future__ import annotations

import os
from collections.abc import Callable

from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def spread(work: Callable[[int], T], count: int, processes: int) -> list[T]:
    """`work(i)` for each of `count` pieces, in their order; each process takes every n-th.

    What another process cannot answer, because it died or failed, is worked out here, its error included. Where the
    system has no fork there is one process.
    """
    processes = min(processes, count) if hasattr(os, "fork") else 1
    if processes < 2:
        return [work(i) for i in range(count)]
    answers: list[Any] = [None] * count
    shares = [range(k, count, processes) for k in range(processes)]
    others = [(share, *_start(work, share)) for share in shares[1:]]
    answers[shares[0].start :: processes] = [work(i) for i in shares[0]]
    for share, process, pipe in others:
        answer = _end(process, pipe)
        answers[share.start :: processes] = [work(i) for i in share] if answer is None else answer
    return answers


def _start(work: Callable[[int], T], share: range) -> tuple[int, int]:
    """A process that works on a share: its id, and where its answer is read."""
    source, target = os.pipe()
    process = os.fork()
    if process:
        os.close(target)
        return process, source
    code = 1
    try:
        import pickle

        os.close(source)
        with os.fdopen(target, "wb") as pipe:
            pickle.dump([work(i) for i in share], pipe, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)  # what the other process has begun is neither cleaned up nor printed here


def _end(process: int, source: int) -> list[Any] | None:
    """The answer of a process, None if it has none."""
    import pickle

    with os.fdopen(source, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(process, 0)
    return pickle.loads(answer) if status == 0 else None  # noqa: S301 - it comes from our own process
