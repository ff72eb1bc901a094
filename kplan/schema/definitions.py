"""The built-in definitions of one Kubernetes release, read from schemas/kubernetes/ as Node trees.

The text form of a field is described in tools/generate_schemas.py, which writes the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from kplan.hints import Any
from kplan.resources import data_path, read_table
from kplan.schema.node import GoField, Node, Shape
from kplan.tuples import NamedTuple

# The type words that are no definition: (type, format, how Go prints the type).
_WORDS: dict[str, tuple[str, str, str]] = {
    "string": ("string", "", "string"),
    "boolean": ("boolean", "", "bool"),
    "int32": ("integer", "int32", "int32"),
    "int64": ("integer", "int64", "int64"),
    "integer": ("integer", "", "int"),
    "double": ("number", "double", "float64"),
    "number": ("number", "", "float64"),
    "bytes": ("string", "byte", "[]uint8"),
    "time": ("string", "date-time", "v1.Time"),
    "micro-time": ("string", "micro-time", "v1.MicroTime"),
    "int-or-string": ("string", "int-or-string", "intstr.IntOrString"),
    "quantity": ("string", "quantity", "resource.Quantity"),
    "json": ("", "", "v1.JSON"),
    "fields-v1": ("", "", "v1.FieldsV1"),
    "raw-extension": ("", "", "runtime.RawExtension"),
    "schema-or-bool": ("", "schema-or-bool", "v1.JSONSchemaPropsOrBool"),
    "schema-or-array": ("", "schema-or-array", "v1.JSONSchemaPropsOrArray"),
    "schema-or-strings": ("", "schema-or-strings", "v1.JSONSchemaPropsOrStringArray"),
}
_OPEN = {"json", "fields-v1", "raw-extension"}


@lru_cache(maxsize=64)
def read(name: str) -> dict[str, Any]:
    """One JSON file of schemas/, such as "kubernetes/apps.v1" or "facts/resources"."""
    with open(f"{data_path('schemas')}/{name}.json", "rb") as file:
        return read_table(file.read().decode())


class _Words(NamedTuple):
    """What the words of a line say: about the node, about the Go field, about its type, and whether it is required."""

    node: dict[str, Any]
    go: GoField | None
    go_type: str
    required: bool


class Definitions:
    """The definitions of one minor release. Nodes are made once and shared."""

    __slots__ = ("_leaves", "_minor", "_nodes")

    def __init__(self, minor: int) -> None:
        self._minor = minor
        self._nodes: dict[str, Node] = {}
        self._leaves: dict[tuple[str, str], Node] = {}

    def node(self, name: str) -> Node:
        """The definition `core.v1.PodSpec`; its fields are read when asked for."""
        node = self._nodes.get(name)
        if node is None:
            shard, _, short = name.rpartition(".")
            words = _words(read(f"kubernetes/{shard}")[short].get("@", ""))
            go_type = f"{shard.rpartition('.')[2]}.{short}"
            node = Node("object", "", go_type, name=name, expand=lambda: self._shape(shard, short), **words.node)
            self._nodes[name] = node
        return node

    def _shape(self, shard: str, short: str) -> Shape:
        fields: dict[str, Node] = {}
        required: list[str] = []
        go: dict[str, GoField] = {}
        for name, first, last, text in lines(shard, short):
            if first <= self._minor <= last:
                word, _, rest = text.partition(" ")
                words = _words(rest)
                fields[name] = self._typed(word, shard, words.go_type, words.node)
                if words.go:
                    go[name] = words.go
                if words.required:
                    required.append(name)
        return Shape(fields, tuple(required), go)

    def _typed(self, word: str, home: str, go_type: str, extra: dict[str, Any]) -> Node:
        """The node of a type word; `go_type` is its Go type where that is not the usual one."""
        if word.startswith("[]"):
            items = self._typed(word[2:], home, go_type.removeprefix("[]") if go_type.startswith("[]") else "", {})
            return Node("array", "", go_type or f"[]{items.go_type}", items=items, **extra)
        if word.startswith("{}"):
            values = self._typed(word[2:], home, go_type.partition("]")[2] if go_type.startswith("map[") else "", {})
            return Node("object", "", go_type or f"map[string]{values.go_type}", values=values, **extra)
        if word in _WORDS:
            return self._leaf(word, go_type, extra)
        node = self.node(word if "." in word else f"{home}.{word}")
        if not extra:
            return node
        extra = {"map_type": node.map_type, **extra}
        return Node("object", "", node.go_type, name=node.name, expand=lambda: node.shape, **extra)

    def _leaf(self, word: str, go_type: str, extra: dict[str, Any]) -> Node:
        leaf = self._leaves.get((word, go_type))
        if leaf is None or extra:
            type_, format_, usual = _WORDS[word]
            items = self.node("apiextensions.v1.JSONSchemaProps") if word.startswith("schema-or-") else None
            leaf = Node(type_, format_, go_type or usual, items=items, preserve_unknown=word in _OPEN, **extra)
            if not extra:
                self._leaves[word, go_type] = leaf
        return leaf


def lines(shard: str, short: str) -> Iterator[tuple[str, int, int, str]]:
    """The fields of a definition over all releases: (field, first minor, last minor, type and words)."""
    for name, texts in read(f"kubernetes/{shard}")[short].items():
        if name == "@":
            continue
        for text in (texts,) if isinstance(texts, str) else texts:
            if text[0].isdigit() or text[0] == "-":
                span, _, text = text.partition(" ")
                first, _, last = span.rstrip("+").partition("-")
                yield name, int(first or 0), int(last or 99), text
            else:
                yield name, 0, 99, text


@lru_cache(maxsize=1024)
def _words(text: str) -> _Words:
    node: dict[str, Any] = {}
    flags: set[str] = set()
    named: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        match key:
            case "atomic" | "set":
                node["list_type"] = key
            case "map":
                node["list_type"], node["list_keys"] = "map", tuple(value.split(","))
            case "patch":
                node["patch_key"] = value
            case "strategy":
                node["patch_strategy"] = tuple(value.split(","))
            case "map-type":
                node["map_type"] = value
            case _:
                named[key] = value
                flags |= set() if equals else {key}
    go = GoField("pointer" in flags, "keep" not in flags, "omitzero" in flags, named.get("in", ""))
    return _Words(_as_merged(node), go if go != GoField() else None, named.get("go", ""), "required" in flags)


def _as_merged(node: dict[str, Any]) -> dict[str, Any]:
    """Older releases say only how a strategic merge patch merges a list; server-side apply takes its word for it.

    (kube-openapi/pkg/schemaconv, getListElementRelationship)
    """
    if "list_type" in node or "merge" not in node.get("patch_strategy", ()):
        return node
    key = node.get("patch_key")
    return node | ({"list_type": "map", "list_keys": (key,)} if key else {"list_type": "set"})
