"""Records: what the standard library's dataclasses are, in a tenth of the time to load.

Every run of kplan loads its data types. The library's decorator imports a dozen modules and compiles six functions for
each class at once; here the first few records of a class are filled without one, and then `__init__` comes from one
that is compiled once for all records of that form. Functions of the library that take data classes (`replace`,
`fields`, `asdict`) take records.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from types import FunctionType

from kplan.hints import TYPE_CHECKING, Any, dataclass_transform
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

_MISSING = object()
_FEW = 8  # so many records are filled about as fast as a function for that is compiled


class _Field(NamedTuple):
    default: Any
    factory: Any
    compare: bool
    repr: bool


def field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    compare: bool = True,
    repr: bool = True,  # noqa: A002
) -> Any:
    """A field with a default, or one that does not count for equality or is not shown."""
    return _Field(default, default_factory, compare, repr)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A class with slots for its annotated names, compared by their values, that cannot be changed once made."""
    fields = {name: _as_field(vars(cls).get(name, _MISSING)) for name in vars(cls).get("__annotations__", ())}
    namespace = {k: v for k, v in vars(cls).items() if k not in fields and k not in ("__dict__", "__weakref__")}
    compared = tuple(name for name, f in fields.items() if f.compare)
    values = attrgetter(*compared) if compared else lambda _: ()
    shown = tuple(name for name, f in fields.items() if f.repr)

    defaults, calls = _defaults(cls, fields), 0

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        given = dict(zip(fields, args, strict=False))
        values = defaults | given | kwargs
        wrong = values.keys() != fields.keys() or len(given) < len(args) or not given.keys().isdisjoint(kwargs)
        if calls > _FEW or wrong:
            made.__init__ = _init(made, fields, defaults)
            made.__init__(self, *args, **kwargs)
            return
        for name, value in values.items():
            vars(made)[name].__set__(self, fields[name].factory() if value is _MISSING else value)

    def eq(self: Any, other: object) -> Any:
        return bool(values(self) == values(other)) if other.__class__ is self.__class__ else NotImplemented

    def represent(self: Any) -> str:
        return f"{made.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    namespace |= {
        "__slots__": tuple(fields),
        "__match_args__": tuple(fields),
        "__init__": init,
        "__eq__": eq,
        "__hash__": lambda self: hash(values(self)),
        "__repr__": namespace.get("__repr__", represent),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": lambda self: [getattr(self, name) for name in fields],
        "__setstate__": _set_state,
        "__dataclass_fields__": _LibraryFields(fields),
    }
    made: Any = type(cls.__name__, cls.__bases__, namespace)
    return made  # type: ignore[no-any-return]


def replace(value: T, /, **changes: Any) -> T:
    """A record like another one but for some fields."""
    return value.__class__(**({name: getattr(value, name) for name in value.__class__.__match_args__} | changes))  # type: ignore[attr-defined]


def _as_field(default: Any) -> _Field:
    return default if isinstance(default, _Field) else _Field(default, _MISSING, True, True)


def _defaults(cls: type, fields: dict[str, _Field]) -> dict[str, Any]:
    """What stands for a field that is not given; where that is yet to be made, a mark."""
    defaults = {n: f.default for n, f in fields.items() if f.default is not _MISSING or f.factory is not _MISSING}
    if list(defaults) != list(fields)[len(fields) - len(defaults) :]:
        raise TypeError(f"a field of {cls.__name__} without a default follows one with a default")
    return defaults


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise AttributeError(f"cannot change field {name!r} of a {type(self).__name__}")


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


def _init(cls: Any, fields: dict[str, _Field], defaults: dict[str, Any]) -> Callable[..., None]:
    """The function that fills the slots of a new record; its parameters are the fields, in their order."""
    known: dict[str, Any] = {"missing": _MISSING}
    for i, (name, one) in enumerate(fields.items()):
        known[f"set{i}"] = vars(cls)[name].__set__
        known[f"make{i}"] = one.factory
    code = _filler(tuple(one.factory is not _MISSING for one in fields.values()))
    own = code.replace(co_varnames=("self", *fields), co_name="__init__", co_qualname=f"{cls.__qualname__}.__init__")
    return FunctionType(own, known, "__init__", tuple(defaults.values()))


_FILLERS: dict[tuple[bool, ...], Any] = {}


def _filler(factories: tuple[bool, ...]) -> Any:
    """The code that fills so many slots; what a factory makes where it is missing."""
    if factories not in _FILLERS:
        names = [f"v{i}" for i in range(len(factories))]
        values = [f"make{i}() if v{i} is missing else v{i}" if made else f"v{i}" for i, made in enumerate(factories)]
        body = "\n".join(f"    set{i}(self, {value})" for i, value in enumerate(values)) or "    pass"
        found: dict[str, Any] = {}
        exec(f"def __init__({', '.join(('self', *names))}):\n{body}", found)  # noqa: S102 - numbered names
        _FILLERS[factories] = found["__init__"].__code__
    return _FILLERS[factories]


class _LibraryFields:
    """The description of the fields that functions of the library look for, made when they do."""

    def __init__(self, fields: dict[str, _Field]) -> None:
        self._fields = fields
        self._made: dict[str, Any] | None = None

    def __get__(self, _: Any, cls: Any) -> dict[str, Any]:
        if self._made is None:
            import dataclasses

            same = [(name, Any, dataclasses.field(compare=f.compare, repr=f.repr)) for name, f in self._fields.items()]
            self._made = {f.name: f for f in dataclasses.fields(dataclasses.make_dataclass(cls.__name__, same))}
        return self._made
