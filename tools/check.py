"""Everything that must hold before a change lands: format, lint, types, import contracts, generated files, tests.

Runs each check even if an earlier one failed, so one run shows all that is wrong; exits 1 if any failed.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "tests": ["pytest", "-n", "2"],
}


def run(name: str, argv: list[str]) -> bool:
    """Run one check from the environment of this Python; True if it passed."""
    program = Path(sysconfig.get_path("scripts")) / argv[0]
    print(f"==> {name}: {' '.join(argv)}", flush=True)
    started = time.monotonic()
    passed = subprocess.run([str(program), *argv[1:]], cwd=ROOT, check=False).returncode == 0
    print(f"    {name} {'ok' if passed else 'FAILED'} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed


def main() -> int:
    """0 if all checks pass, else 1."""
    failed = [name for name, argv in CHECKS.items() if not run(name, argv)]
    if failed:
        print("failed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
