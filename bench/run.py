"""Measure kplan beside other programs on the same work, and write docs/performance.md.

    bench/run.py [--repeats N] [--bin FOLDER] [--corpus FOLDER] [--objects N] [--write FILE]

`make bench` runs it. Programs that are not on the PATH or in `--bin` are left out, and so are cases whose data is not
there. kubeconform and kube-score come from `make bench-peers`; yamllint and checkov from pip.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import generate
from measure import Row, side_by_side

import schemas

RELEASE = "1.36"
SLOW = ("yamllint", "checkov")  # on a tenth of the objects
CRD_BYTES = 100_000


def tools(folder: Path, schema_folder: Path, *, slow: bool) -> dict[str, list[str]]:
    """The command lines, kplan first: each looks at every manifest below the current folder."""
    names = ("kubeconform", "kube-linter", "kube-score", *(SLOW if slow else ()))
    search = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    found = {name: path for name in names if (path := shutil.which(name, path=search))}
    kubeconform = ["-strict", "-summary", "-ignore-missing-schemas", "-schema-location"]
    arguments = {
        "kubeconform": [*kubeconform, f"{schema_folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", "."],
        "kube-linter": ["lint", "."],
        "kube-score": ["score", "--exit-one-on-warning=false"],
        "yamllint": ["-d", "relaxed", "."],
        "checkov": ["--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "-d", "."],
    }
    kplan = [sys.executable, "-c", "from kplan.cli import run; run()", "lint"]
    return {"kplan": [*kplan, "--no-cache", "."]} | {name: [path, *arguments[name]] for name, path in found.items()}


def with_files(commands: Mapping[str, list[str]], folder: Path) -> dict[str, list[str]]:
    """kube-score takes files, not folders."""
    files = [str(p.relative_to(folder)) for p in sorted(folder.rglob("*.y*ml"))]
    return {tool: [*c, *files] if tool == "kube-score" else list(c) for tool, c in commands.items()}


class Bench:
    """The cases, one after the other; each yields lines of Markdown."""

    def __init__(self, given: argparse.Namespace, work: Path) -> None:
        self.given = given
        self.work = work
        self.schemas = work / "schemas"
        schemas.write(self.schemas, RELEASE)
        root = str(Path(__file__).resolve().parents[1])
        # Compiled modules and the result cache stay in the working folder, and are written once before it counts.
        drop = {"PYTHONDONTWRITEBYTECODE", "GITHUB_ACTIONS"}
        self.env = {k: v for k, v in os.environ.items() if k not in drop and not k.startswith("KPLAN_")} | {
            "PYTHONPATH": root,
            "PYTHONPYCACHEPREFIX": str(work / "pyc"),
            "XDG_CACHE_HOME": str(work / "cache"),
        }

    def tree(self, services: int, **options: float) -> Path:
        """A generated tree, made once."""
        folder = self.work / f"tree-{services}{'-changed' if options else ''}"
        if not folder.exists():
            generate.tree(folder, services, **options)
            for path in folder.rglob("*"):  # old enough for the result cache
                os.utime(path, (1e9, 1e9))
        return folder

    def compare(self, title: str, folder: Path, *, slow: bool = False, repeats: int = 0) -> Iterator[str]:
        """All programs on one folder."""
        print(f"{title} …", file=sys.stderr)
        commands = with_files(tools(self.given.bin, self.schemas, slow=slow), folder)
        yield from table(title, side_by_side(commands, folder, self.env, repeats or self.given.repeats))

    def cold(self) -> Iterator[str]:
        """The generated objects, once, twice and four times as many."""
        services = self.given.objects // 5
        yield from self.compare(f"{services * 5:,} generated objects in {services:,} files, cold", self.tree(services))
        tenth = max(services // 20, 1)
        yield from self.compare(
            f"{tenth * 5:,} of them, with the slower programs", self.tree(tenth), slow=True, repeats=1
        )
        rows = []
        for factor in (1, 2, 4):
            folder = self.tree(services * factor)
            command = tools(self.given.bin, self.schemas, slow=False)["kplan"]
            rows.append((services * factor * 5, side_by_side({"kplan": command}, folder, self.env, 2)[0].run))
        yield "\n## Growth\n"
        yield "| objects | CPU s | µs an object | peak MiB |\n|---|---|---|---|"
        for count, run in rows:
            yield f"| {count:,} | {run.cpu:.2f} | {run.cpu / count * 1e6:.0f} | {run.peak:.0f} |"

    def warm(self) -> Iterator[str]:
        """The same tree again, nothing changed."""
        folder = self.tree(self.given.objects // 5)
        commands = tools(self.given.bin, self.schemas, slow=False)
        commands["kplan"] = [part for part in commands["kplan"] if part != "--no-cache"]
        commands.pop("kube-score", None)
        yield from table(
            "The same again, nothing changed", side_by_side(commands, folder, self.env, self.given.repeats)
        )

    def small(self) -> Iterator[str]:
        """One small file, and what the shortest commands take."""
        folder = self.tree(1)
        yield from self.compare("One file of five objects, cold", folder, slow=True, repeats=self.given.repeats * 2)
        kplan = [sys.executable, "-c", "from kplan.cli import run; run()"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kplan --version": [*kplan, "--version"],
            "kplan --help": [*kplan, "--help"],
        }
        rows = side_by_side(commands, folder, self.env, self.given.repeats * 4)
        yield from table("Start", rows, base="python")

    def corpus(self) -> Iterator[str]:
        """Manifests of public projects, without and with definitions of custom resources."""
        if self.given.corpus is None or not self.given.corpus.is_dir():
            return
        for title, heavy in (("Public manifests without definitions", False), ("Files with definitions", True)):
            folder = self.work / ("definitions" if heavy else "manifests")
            count = size = 0
            for path in sorted(self.given.corpus.rglob("*.y*ml")):
                data = path.read_bytes()
                if (b"kind: CustomResourceDefinition" in data or len(data) > CRD_BYTES) == heavy:
                    target = folder / path.relative_to(self.given.corpus)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                    count, size = count + 1, size + len(data)
            if count:
                yield from self.compare(f"{title}: {count:,} files, {size / 1e6:.1f} MB", folder)

    def plan(self) -> Iterator[str]:
        """Two generated trees that differ in one service of five hundred."""
        services = self.given.objects // 5
        old, new = self.tree(services), self.tree(services, change=0.002)
        command = [sys.executable, "-c", "from kplan.cli import run; run()", "plan", str(new), "--against", str(old)]
        commands = {
            "kplan": command,
            "kplan, nothing known": ["env", "XDG_CACHE_HOME=none", *command],  # no absolute path, so no cache
        }
        rows = side_by_side(commands, self.work, self.env, self.given.repeats)
        yield from table(f"Plan between two trees of {services * 5:,} objects, 0.2 % changed", rows)

    def scheduling(self) -> Iterator[str]:
        """10,000 pods on 1,000 nodes (bench/scheduler.py)."""
        done = subprocess.run(
            [sys.executable, str(Path(__file__).parent / "scheduler.py")],
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        yield f"\n## Scheduling\n\n```\n{done.stdout.strip()}\n```"


def table(title: str, rows: list[Row], base: str = "kplan") -> Iterator[str]:
    """The rows of one case."""
    yield f"\n## {title}\n"
    yield f"| program | CPU s | wall s | peak MiB | CPU, {base} = 1 | wall, {base} = 1 |\n|---|---|---|---|---|---|"
    for tool, run, cpu, wall in rows:
        yield f"| {tool} | {run.cpu:.3f} | {run.wall:.3f} | {run.peak:.0f} | {cpu:.2f} | {wall:.2f} |"


def machine(folder: Path) -> Iterator[str]:
    """What the numbers were measured on."""
    model = next((row.partition(":")[2].strip() for row in _lines("/proc/cpuinfo") if row.startswith("model name")), "")
    go = shutil.which("go")
    version = (
        subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout.split()[2:3] if go else []
    )
    yield f"Machine: {os.cpu_count()} cores of {model or platform.machine()}, {platform.system()}; CPython "
    yield f"{platform.python_version()}" + (
        f", {version[0].replace('go', 'Go ')} for the programs in Go." if version else "."
    )
    pins = folder.parent / "peers.txt"
    if pins.is_file():
        yield (
            "\nVersions: "
            + ", ".join(line.rpartition("/")[2] for line in pins.read_text().split() if "@" in line)
            + "."
        )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


INTRODUCTION = """\
# Performance

Written by `make bench` (bench/run.py). Every number is the median of runs that take turns, the ratios are medians pair
by pair; CPU is user and system time of all threads. kplan checks schemas, API server and its default rules;
kubeconform schemas only, kube-linter and kube-score rules only. A program that is not named was not there. kube-score
stops at the first file that it cannot read, so it does little of the public manifests. A peak of 25 MiB is that of the
measuring program.
"""
CASES = ("cold", "warm", "small", "corpus", "plan", "scheduling")


def main() -> None:
    """Run the cases that are asked for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--bin", type=Path, default=Path(__file__).parent / ".bin")
    options.add_argument("--corpus", type=Path)
    options.add_argument("--objects", type=int, default=10_000)
    options.add_argument("--case", choices=CASES, action="append")
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(given, Path(work))
        parts = [INTRODUCTION, "".join(machine(given.bin))]
        for case in given.case or CASES:
            for line in getattr(bench, case)():
                parts.append(line)
                print(line, flush=True)
    if given.write:
        given.write.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
