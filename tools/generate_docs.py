"""Generate what is written twice: docs/rules/ and the compiled rule index, both from rules/.

`python tools/generate_docs.py` writes; with `--check` nothing is written, and the exit code is 1 if anything is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kplan.lint import ruleindex, ruleset
from kplan.lint.page import index, page
from kplan.yamlio import load_value

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "rules"


def generated() -> dict[Path, str]:
    """Every generated file with its text."""
    rules = ruleset.load(load_value, compiled=False)
    out = {PAGES / f"{r.id}-{r.name}.md": page(r) for r in rules}
    out[PAGES / "README.md"] = index(rules)
    out[Path(ruleindex.FILE)] = ruleindex.dump(load_value)
    return out


def main(argv: list[str]) -> int:
    """0 if all is fresh (or was written), 1 if `--check` found something stale."""
    wanted = generated()
    stale = [p for p, text in wanted.items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
    left = [p for p in PAGES.glob("*.md") if p not in wanted]
    if "--check" in argv:
        for path in (*stale, *left):
            print(f"stale: {path.relative_to(ROOT)} (run python tools/generate_docs.py)")
        return 1 if stale or left else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in left:
        path.unlink()
    print(f"{len(stale)} written, {len(left)} removed, {len(wanted) - len(stale)} were fresh")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
