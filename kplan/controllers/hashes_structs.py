"""The Go structs a pod template is made of, release by release: names, types and order of declaration.

The hashes of kube-controller-manager are taken over a dump of these structs, so a new field changes every hash.
schemas/facts/pod-template-structs.json holds them, one struct a line, its fields in the order in which Go declares
them. A field is its JSON name and one line of text, or several for several releases:

    [release range] GoName GoType [keep]        "34+ RestartPolicyRules []v1.ContainerRestartRule"

The JSON name "" is an embedded struct without a name of its own; `keep` says that the JSON tag has no omitempty.
Types are spelled as Go prints them: package core and package meta are both `v1`; a named type that is neither a
struct nor listed here is a string. What the API has taken out before 1.29 is there only where a hash from that time
is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from kplan.errors import KplanError
from kplan.schema.definitions import read

_LEAVES = {
    "bool": "bool",
    "int32": "int",
    "int64": "int",
    "resource.Quantity": "quantity",
    "intstr.IntOrString": "int-or-string",
    "v1.Time": "time",
    "v1.FieldsV1": "fields",
}
_MAP = "map[string]"
# What a value of the wrong type makes the readers of templates raise.
MISFITS = (AttributeError, TypeError, ValueError, OverflowError)


class GoType(NamedTuple):
    """A Go type: as Go prints it, its kind, and the type of its elements (pointer, slice, map).

    The kinds: pointer slice map struct string bool int quantity int-or-string time fields.
    """

    text: str
    kind: str
    elem: GoType | None = None


class GoField(NamedTuple):
    """A field of a struct; `json` is "" for an embedded struct without a name, `keep` means no omitempty."""

    json: str
    name: str
    type: GoType
    keep: bool


class UnreadableError(KplanError):
    """A pod template with a value that cannot be in the Go struct; `path` is the field, without list indexes."""

    def __init__(self, *names: str) -> None:
        self.path = ".".join(filter(None, names))
        super().__init__(f"pod template: {self.path or 'all of it'} is not of the type that the API has")


@lru_cache(maxsize=512)
def go_type(text: str) -> GoType:
    """The type that Go prints as `text`, such as `*v1.Probe` or `map[string]string`."""
    if text.startswith("*"):
        return GoType(text, "pointer", go_type(text[1:]))
    if text.startswith("[]"):
        return GoType(text, "slice", go_type(text[2:]))
    if text.startswith(_MAP):
        return GoType(text, "map", go_type(text.removeprefix(_MAP)))
    if text == "v1.ResourceList":
        return GoType(text, "map", go_type("resource.Quantity"))
    if text in read("facts/pod-template-structs"):
        return GoType(text, "struct")
    return GoType(text, _LEAVES.get(text, "string"))


def go_fields(struct: str, minor: int) -> tuple[GoField, ...]:
    """The fields that a struct (`v1.PodSpec`) has in release 1.`minor`, in the order in which Go declares them."""
    return tuple(_fields(struct, minor))


def _fields(struct: str, minor: int) -> Iterator[GoField]:
    for json_name, texts in read("facts/pod-template-structs")[struct].items():
        for text in (texts,) if isinstance(texts, str) else texts:
            span = ""
            if text[0].isdigit() or text[0] == "-":
                span, _, text = text.partition(" ")
            first, _, last = span.rstrip("+").partition("-")
            if int(first or 0) <= minor <= int(last or 99):
                name, type_, *words = text.split()
                yield GoField(json_name, name, go_type(type_), "keep" in words)
