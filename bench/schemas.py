"""JSON Schemas for kubeconform, without references: one file a kind, made from the package `kubernetes-validate`.

kubeconform fetches its schemas from the network; this gives it the same ones from disk. The package's own files refer
to a common file of definitions by an address that only a server has.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

REF = "#/$defs/"


def write(folder: Path, version: str) -> int:
    """Write the strict schemas of a release ("1.36") as `<kind>-<group>-<version>.json`; how many there are.

    Raises FileNotFoundError where the package or the release is missing. Descriptions are left out, and what holds
    itself (the schema inside a CustomResourceDefinition) allows anything below its first level.
    """
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package kubernetes-validate is not installed")
    home = Path(spec.origin).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    definitions = json.loads((home / "_definitions.json").read_text(encoding="utf-8"))
    definitions = definitions.get("$defs", definitions.get("definitions"))
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in sorted(home.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(schema, dict) and "x-kubernetes-group-version-kind" in schema:
            text = json.dumps(_inlined(schema, definitions, ()), separators=(",", ":"))
            (folder / path.name).write_text(text, encoding="utf-8")
            count += 1
    return count


def _inlined(node: Any, definitions: dict[str, Any], above: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(n, definitions, above) for n in node]
    if not isinstance(node, dict):
        return node
    ref = node.get("$ref")
    if isinstance(ref, str):
        name = ref.rpartition(REF)[2]
        return {} if name in above else _inlined(definitions[name], definitions, (*above, name))
    kept = (k for k in node if k not in ("$id", "$schema") and not (k == "description" and isinstance(node[k], str)))
    return {k: _inlined(node[k], definitions, above) for k in kept}
