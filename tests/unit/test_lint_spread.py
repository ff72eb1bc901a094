"""Processes that share the work of a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kplan.config import Config
from kplan.lint import judge
from kplan.lint.spread import spread
from kplan.source import load

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.mark.parametrize("processes", [0, 1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_answers_come_in_the_order_of_the_pieces(count: int, processes: int) -> None:
    assert spread(lambda i: (i, str(i)), count, processes) == [(i, str(i)) for i in range(count)]


@needs_fork
def test_the_pieces_are_worked_on_in_several_processes() -> None:
    assert len(set(spread(lambda _: os.getpid(), 6, 3))) == 3


@needs_fork
def test_long_answers_do_not_stop_anybody() -> None:
    assert [len(text) for text in spread(lambda _: "x" * 1_000_000, 4, 2)] == [1_000_000] * 4


@needs_fork
@pytest.mark.parametrize("fate", ["dies", "fails", "answers what cannot be sent"])
def test_what_another_process_cannot_answer_is_worked_out_here(fate: str) -> None:
    here = os.getpid()

    def work(i: int) -> object:
        if os.getpid() != here and i == 3:
            if fate == "dies":
                os.kill(os.getpid(), 9)
            if fate == "fails":
                raise ValueError(i)
            return lambda: i
        return i

    assert spread(work, 5, 2) == [0, 1, 2, 3, 4]


@needs_fork
def test_errors_are_raised() -> None:
    def work(i: int) -> int:
        return 1 // (i - 3)

    with pytest.raises(ZeroDivisionError):
        spread(work, 5, 2)


def test_reports_do_not_depend_on_the_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(30):
        keys = "".join(f"  key{k}: {k}\n" for k in range(i))  # no two are alike
        (tmp_path / f"{i:02}.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{i}}}\ndata:\n  n: {i}\n{keys}"
            f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: b{i}}}\n"
            f"spec: {{selector: {{app: a{i}}}, ports: [{{port: {i}}}]}}\n"
        )
    loaded = load([str(tmp_path)])
    alone = judge(loaded, Config())
    monkeypatch.setattr("kplan.lint.objects._FOR_ONE_PROCESS", 10)
    parts: list[int] = []
    monkeypatch.setattr("kplan.lint.spread.spread", lambda *a: parts.append(a[2]) or spread(*a))
    assert judge(loaded, Config(), processes=3) == alone
    assert parts == [3]
    assert len(alone.findings) > 60
