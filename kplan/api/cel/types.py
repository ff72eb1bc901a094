"""The types of expressions, and which may stand for which. Follows cel-go (common/types/types.go, checker/types.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from kplan.record import field, record

FieldTypes = Callable[[str], "Type | None"]


@record
class Type:
    """A type: its name, and those of its parts for list, map, optional_type and type.

    A name of one capital letter is a type variable. `fields` gives the fields of an object type.
    """

    name: str
    parts: tuple[Type, ...] = ()
    fields: FieldTypes | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parts))})" if self.parts else _SHOWN.get(self.name, self.name)

    @property
    def variable(self) -> bool:
        """Whether this stands for any type."""
        return len(self.name) == 1


_SHOWN = {"null_type": "null"}

DYN, ERROR, NULL = Type("dyn"), Type("!error!"), Type("null_type")
BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES = Type("string"), Type("bytes")
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")

_OPEN = frozenset((DYN.name, ERROR.name))
_PLAIN = frozenset({"bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"})


@lru_cache(maxsize=64)
def simple(name: str) -> Type:
    """A type without parts."""
    return Type(name)


def list_of(item: Type) -> Type:
    """A list."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """A map."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """A value that may be missing."""
    return Type("optional_type", (value,))


def object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """An object with these fields."""
    return Type(name, (), fields.get)


def open_type(t: Type) -> bool:
    """Whether a value of this type may turn out to be anything; a type that is wrong already is not judged again."""
    return t.name in _OPEN


class Bindings(dict[str, Type]):
    """What the type variables of one call stand for."""

    def accepts(self, wanted: Type, given: Type) -> bool:
        """Whether a value of type `given` may stand where `wanted` is asked for; binds variables on the way."""
        if open_type(wanted) or open_type(given):
            if wanted.variable:
                self[wanted.name] = self.get(wanted.name, DYN)
            for part in wanted.parts:
                self.accepts(part, DYN)
            return True
        if wanted.variable:
            return self._bind(wanted.name, given)
        if given.variable:
            return True
        if given.name == NULL.name:
            return wanted.name not in _PLAIN
        if wanted.name != given.name or len(wanted.parts) != len(given.parts):
            return False
        return all(self.accepts(w, g) for w, g in zip(wanted.parts, given.parts, strict=True))

    def _bind(self, name: str, given: Type) -> bool:
        bound = self.get(name)
        if bound is None or Bindings().accepts(given, bound):
            self[name] = given if bound is None or open_type(given) or bound == NULL or bound.variable else bound
            return True
        return Bindings().accepts(bound, given)

    def resolve(self, t: Type) -> Type:
        """The type with its variables replaced; a variable that nothing bound is dyn."""
        if t.variable:
            return self.get(t.name, DYN)
        return Type(t.name, tuple(map(self.resolve, t.parts)), t.fields) if t.parts else t
