"""Runs of programs side by side: CPU, wall time and peak memory of each, the ratios pair by pair."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """One run: user and system time of the process and its children, wall time, both in seconds, and peak MiB."""

    cpu: float
    wall: float
    peak: float


class Row(NamedTuple):
    """The medians of one program in one case, and how many times the CPU and wall time of the first program it took."""

    tool: str
    run: Run
    cpu_ratio: float
    wall_ratio: float


def measured(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Run:
    """Run a program to its end; what it prints is thrown away, and so is its exit code (findings are no failure)."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode < 0 or process.returncode > 100:
        raise RuntimeError(f"{' '.join(command[:3])} … ended with {process.returncode}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def side_by_side(
    commands: Mapping[str, Sequence[str]], folder: Path, env: Mapping[str, str], repeats: int
) -> list[Row]:
    """Each program `repeats` times, in turns, so that what else the machine does hits all alike; one run before that
    to fill the caches of the file system."""
    runs: dict[str, list[Run]] = {tool: [] for tool in commands}
    for command in commands.values():
        measured(command, folder, env)
    for _ in range(repeats):
        for tool, command in commands.items():
            runs[tool].append(measured(command, folder, env))
    first = runs[next(iter(runs))]
    return [Row(tool, _median(found), *_ratios(found, first)) for tool, found in runs.items()]


def _median(runs: Sequence[Run]) -> Run:
    return Run(*(statistics.median(values) for values in zip(*runs, strict=True)))


def _ratios(runs: Sequence[Run], first: Sequence[Run]) -> tuple[float, float]:
    pairs = list(zip(runs, first, strict=True))
    return statistics.median(a.cpu / b.cpu for a, b in pairs), statistics.median(a.wall / b.wall for a, b in pairs)
