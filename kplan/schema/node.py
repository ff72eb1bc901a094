"""A schema node: what the API server's decoder knows about one place of an object.

Trees are lazy and may be endless (JSONSchemaProps holds itself): the fields of an object are read when they are first
asked for. A Node is shared between kinds and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.hints import Any
from kplan.tuples import NamedTuple

Check = Callable[[Any], bool]

_NOTHING: Mapping[str, Any] = {}


class GoField(NamedTuple):
    """How a Go struct holds a field: what is encoded for an empty value, and how Go's messages name the place.

    A pointer tells "absent" from zero. `omitempty` leaves an empty scalar, list or map out (a struct that is no
    pointer is always written), `omitzero` a zero struct too. `embedded` is the embedded struct that the field sits in,
    "" for none: `VolumeSource`, `RuleWithOperations.Rule`.
    """

    pointer: bool = False
    omitempty: bool = True
    omitzero: bool = False
    embedded: str = ""


class Shape(NamedTuple):
    """The inside of a struct; `defaults` names the fields for which the schema has a default."""

    fields: Mapping[str, Node] | None = None
    required: tuple[str, ...] = ()
    go: Mapping[str, GoField] = _NOTHING
    defaults: tuple[str, ...] = ()


_PLAIN_FIELD = GoField()
_NO_SHAPE = Shape()


class Node:
    """The type of one value.

    `type` is object, array, string, integer, number, boolean, or "" for any value. `format` says more: int32, int64,
    double, byte, date-time, micro-time; int-or-string and quantity, which take more JSON types than `type` says; and
    schema-or-bool, schema-or-array, schema-or-strings, the unions inside a CustomResourceDefinition, whose `items` is
    the schema.
    An object has `fields` (a struct), `values` (a map) or neither (any object). `required` are the fields that the
    schema calls so, which the decoder does not ask for; `defaults` those that have a default.
    `name` is the definition of a built-in struct ("core.v1.PodSpec"), `go_type` how Go prints the type ("v1.PodSpec");
    both are "" in the schema of a custom resource, whose `rules` are the schema itself.
    `check` and `loose_check` are the compiled validators, which kplan/schema/compile.py makes and keeps here.
    """

    __slots__ = (
        "_expand",
        "_go",
        "check",
        "defaults",
        "enum",
        "fields",
        "format",
        "go_type",
        "items",
        "list_keys",
        "list_type",
        "loose_check",
        "map_type",
        "name",
        "patch_key",
        "patch_strategy",
        "preserve_unknown",
        "required",
        "rules",
        "type",
        "values",
    )
    fields: Mapping[str, Node] | None
    required: tuple[str, ...]
    defaults: tuple[str, ...]
    _go: Mapping[str, GoField]

    def __init__(
        self,
        type_: str = "",
        format_: str = "",
        go_type: str = "",
        *,
        name: str = "",
        shape: Shape = _NO_SHAPE,
        expand: Callable[[], Shape] | None = None,
        items: Node | None = None,
        values: Node | None = None,
        enum: tuple[Any, ...] = (),
        list_type: str = "",
        list_keys: tuple[str, ...] = (),
        map_type: str = "",
        patch_key: str = "",
        patch_strategy: tuple[str, ...] = (),
        preserve_unknown: bool = False,
        rules: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.type = type_
        self.format = format_
        self.go_type = go_type
        self.name = name
        self._expand = expand
        if expand is None:
            self._set(shape)
        self.items = items
        self.values = values
        self.enum = enum
        self.list_type = list_type
        self.list_keys = list_keys
        self.map_type = map_type
        self.patch_key = patch_key
        self.patch_strategy = patch_strategy
        self.preserve_unknown = preserve_unknown
        self.rules = rules
        self.check: Check | None = None
        self.loose_check: Check | None = None

    def __getattr__(self, name: str) -> Any:
        """Called for what a lazy node does not have yet: reads its inside."""
        if name not in Shape._fields and name != "_go":
            raise AttributeError(name)
        assert self._expand is not None
        self._set(self._expand())
        return getattr(self, name)

    def _set(self, shape: Shape) -> None:
        self.fields, self.required, self._go, self.defaults = shape

    @property
    def custom(self) -> bool:
        """Whether this is part of the schema of a custom resource."""
        return not self.go_type

    @property
    def shape(self) -> Shape:
        """The inside of a struct, for a node that shares it."""
        return Shape(self.fields, self.required, self._go, self.defaults)

    @property
    def is_struct(self) -> bool:
        """Whether it has fields, which are not read for that."""
        return self._expand is not None or self.fields is not None

    def go_field(self, name: str) -> GoField:
        """How Go holds this field of a built-in struct."""
        return self._go.get(name, _PLAIN_FIELD)

    def __repr__(self) -> str:
        return f"Node({self.go_type or self.type or 'any'})"
