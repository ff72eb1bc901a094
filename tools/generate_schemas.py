"""Turn the published OpenAPI of Kubernetes into the compact data under schemas/kubernetes/.

    python tools/generate_schemas.py            write the files
    python tools/generate_schemas.py --check    exit 1 if the files are not what this program would write

The OpenAPI definitions come from the package `kubernetes-validate` (development only). Prose is dropped; what stays
is the shape, which is a fact of the API. One file a Go package ("apps.v1.json") maps a definition to its fields, and
a field to one line of text, or to several when it differs between releases:

    [release range] type [words]          "33+ []Container map=name patch=name strategy=merge keep required"

The type is a word (string, boolean, int32, int64, double, bytes, time, micro-time, int-or-string, quantity, object,
json …), another definition (`Container` of the same file, `core.v1.Container` of another), `[]T` a list, or `{}T` a
map. The field "@" holds words about the definition itself. What OpenAPI does not say about the Go field comes from
schemas/facts/go-types.json: `go=` its type where the name is not the usual one, `in=` the embedded struct it sits in,
`pointer`, `keep` (no omitempty), `omitzero`. index.json lists the kinds: group/version, kind, definition, first and
last release. `kplan/schema/definitions.py` is the reader.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
OUT = SCHEMAS / "kubernetes"
FIRST, LAST = 29, 37

LEAVES = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "fields-v1",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw-extension",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "json",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "schema-or-array",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "schema-or-bool",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "schema-or-strings",
}
FORMATS = {"date-time": "time", "byte": "bytes"}
WORDS = {
    "x-kubernetes-list-map-keys": "map",
    "x-kubernetes-patch-merge-key": "patch",
    "x-kubernetes-patch-strategy": "strategy",
    "x-kubernetes-map-type": "map-type",
}
EXPECTED = {"$ref", "type", "format", "items", "additionalProperties", "description", "enum", "x-kubernetes-list-type"}


def shard_of(name: str) -> str:
    """The file of a definition: io.k8s.api.apps.v1.Deployment is in apps.v1."""
    return ".".join(name.split(".")[-3:-1])


def type_of(schema: Json, home: str) -> str:
    """The type word of a schema, as seen from the definitions of the file `home`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in LEAVES:
            return LEAVES[name]
        shard = shard_of(name)
        short = name.rpartition(".")[2]
        return short if shard == home else f"{shard}.{short}"
    types = schema.get("type", [])
    (kind,) = [t for t in ([types] if isinstance(types, str) else types) if t != "null"]
    if kind == "array":
        return "[]" + type_of(schema["items"], home)
    if kind == "object":
        return "{}" + type_of(schema["additionalProperties"], home) if "additionalProperties" in schema else "object"
    word = str(schema.get("format") or kind)
    return FORMATS.get(word, word)


def field_text(schema: Json, home: str, go: str, required: bool) -> str:
    """A field as one line: its type and what is said about it."""
    unknown = set(schema) - EXPECTED - set(WORDS)
    if unknown:
        raise SystemExit(f"unknown schema keywords {sorted(unknown)}: teach tools/generate_schemas.py about them")
    words = [type_of(schema, home)]
    list_type = schema.get("x-kubernetes-list-type")
    if list_type in ("atomic", "set"):
        words.append(list_type)
    for keyword, word in WORDS.items():
        value = schema.get(keyword)
        if value is not None:
            words.append(f"{word}={','.join(value) if isinstance(value, list) else value}")
    return " ".join(words + go.split() + ["required"] * required)


def definition(schema: Json, home: str, go: Mapping[str, str]) -> dict[str, str]:
    """The fields of one definition, each as one line."""
    required = schema.get("required", ())
    properties = sorted(schema.get("properties", {}).items())
    out = {n: field_text(s, home, go.get(n, ""), n in required) for n, s in properties}
    if schema.get("x-kubernetes-map-type"):
        out["@"] = f"map-type={schema['x-kubernetes-map-type']}"
    return out


def kinds(definitions: Json) -> Iterator[tuple[str, str, str]]:
    """(group/version, kind, definition) of every kind of one release, but for lists and the machinery of meta/v1."""
    for name, schema in definitions.items():
        gvks = schema.get("x-kubernetes-group-version-kind", ())
        if len(gvks) == 1 and ".meta.v1." not in name and not is_list(gvks[0]["kind"], schema):
            (gvk,) = gvks
            yield "/".join(filter(None, (gvk["group"], gvk["version"]))), gvk["kind"], name


def is_list(kind: str, schema: Json) -> bool:
    """Whether this is the list type of a kind."""
    return kind.endswith("List") and "items" in schema.get("properties", {})


def references(schema: object) -> Iterator[str]:
    """The definitions that a schema names."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for v in schema.values():
            yield from references(v)


def reachable(definitions: Json, roots: list[str]) -> set[str]:
    """The definitions that the roots need, without the leaves, which are words."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found and name not in LEAVES:
            found.add(name)
            todo.extend(references(definitions[name]))
    return found


def span(first: int, last: int, within: tuple[int, int]) -> str:
    """A release range as text, "" for the whole of `within`: "33+", "-32", "30-32"."""
    if (first, last) == within:
        return ""
    if last == within[1]:
        return f"{first}+ "
    return f"-{last} " if first == within[0] else f"{first}-{last} "


def runs(by_minor: Mapping[int, str]) -> Iterator[tuple[int, int, str]]:
    """Neighbouring releases with the same text, joined: (first, last, text)."""
    run: tuple[int, int, str] | None = None
    for minor in sorted(by_minor):
        text = by_minor[minor]
        if run and run[1] == minor - 1 and run[2] == text:
            run = (run[0], minor, text)
            continue
        if run:
            yield run
        run = (minor, minor, text)
    if run:
        yield run


def merge(by_minor: Mapping[int, dict[str, str]]) -> dict[str, str | list[str]]:
    """One definition over all releases in which it exists."""
    within = (min(by_minor), max(by_minor))
    fields: dict[str, dict[int, str]] = defaultdict(dict)
    for minor, texts in by_minor.items():
        for name, text in texts.items():
            fields[name][minor] = text
    out: dict[str, str | list[str]] = {}
    for name in sorted(fields):
        lines = [span(first, last, within) + text for first, last, text in runs(fields[name])]
        out[name] = lines[0] if len(lines) == 1 else lines
    return out


def published(minor: int) -> Json:
    """The definitions of one release."""
    folder = resources.files("kubernetes_validate").joinpath("kubernetes-json-schema", f"v1.{minor}.0-local")
    definitions: Json = json.loads(folder.joinpath("_definitions.json").read_text(encoding="utf-8"))["$defs"]
    return definitions


def generate() -> dict[str, str]:
    """All files: name to text."""
    shards: dict[str, dict[str, dict[int, dict[str, str]]]] = defaultdict(lambda: defaultdict(dict))
    index: dict[str, dict[str, tuple[str, list[int]]]] = defaultdict(dict)
    go_types = json.loads((SCHEMAS / "facts" / "go-types.json").read_text(encoding="utf-8"))
    for minor in range(FIRST, LAST + 1):
        definitions = published(minor)
        roots = list(kinds(definitions))
        for api_version, kind, name in roots:
            entry = index[api_version].setdefault(kind, (f"{shard_of(name)}.{name.rpartition('.')[2]}", []))
            entry[1].append(minor)
        for name in reachable(definitions, [name for _, _, name in roots]):
            shard, short = shard_of(name), name.rpartition(".")[2]
            go = go_types.get(f"{shard}.{short}", {})
            shards[shard][short][minor] = definition(definitions[name], shard, go)
    files = {f"{shard}.json": rows({n: merge(d) for n, d in sorted(defs.items())}) for shard, defs in shards.items()}
    table = {a: {k: [n, m[0], m[-1]] for k, (n, m) in sorted(ks.items())} for a, ks in sorted(index.items())}
    return files | {"index.json": rows(table)}


def rows(table: Mapping[str, object]) -> str:
    """JSON with one entry a line, so that a change of one definition is a change of one line."""
    lines = (f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(argv: list[str]) -> int:
    """Write the files, or with --check say which are not fresh; 1 if any is not."""
    files = generate()
    have = {p.name: p.read_text(encoding="utf-8") for p in OUT.glob("*.json")}
    stale = sorted(n for n in files.keys() | have.keys() if files.get(n) != have.get(n))
    if "--check" in argv:
        print("\n".join(f"not fresh: schemas/kubernetes/{n}" for n in stale) or "schemas/kubernetes is fresh")
        return 1 if stale else 0
    OUT.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in files:
            (OUT / name).write_text(files[name], encoding="utf-8")
        else:
            (OUT / name).unlink()
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes, {len(stale)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
