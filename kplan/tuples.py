"""Named tuples: what `typing.NamedTuple` makes, in a tenth of the time to load.

Every run of kplan loads its data types. The library compiles each annotation and a constructor for each class at once,
which was a sixth of a short run; here the constructor is made when it is first called, from one that stands below for
all tuples of that length, or is compiled once. A type checker sees the library's own, and so does a Python without the
descriptor that the library uses for the places.
"""

from __future__ import annotations

from types import FunctionType

TYPE_CHECKING = False
try:
    from _collections import _tuplegetter  # type: ignore[import-not-found]
except ImportError:  # not CPython, or one that has it elsewhere
    _tuplegetter = None
if TYPE_CHECKING or _tuplegetter is None:
    from typing import NamedTuple as NamedTuple
else:
    _written_out = (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k)),
    )
    _by_length = {length: made.__code__ for length, made in enumerate(_written_out)}

    def _constructor(length):
        """The code of a constructor that takes a class and so many values; here `_new` is that of tuples."""
        if length not in _by_length:
            values = "".join(f"v{i}, " for i in range(length))
            _by_length[length] = eval(f"lambda _cls, {values}: _new(_cls, ({values}))").__code__  # noqa: S307 - nothing but numbered names
        return _by_length[length]

    def _new(cls, *args, **kwargs):
        """The constructor of a class until it is first called: it makes the one that takes the fields by name."""
        made = next(c for c in cls.__mro__ if "_fields" in vars(c))
        code = _constructor(len(made._fields)).replace(
            co_varnames=("_cls", *made._fields), co_name="__new__", co_qualname=f"{made.__qualname__}.__new__"
        )
        known = {"_new": tuple.__new__, "__name__": made.__module__}
        made.__new__ = FunctionType(code, known, "__new__", tuple(made._field_defaults.values()))
        return made.__new__(cls, *args, **kwargs)

    def _make(cls, values):
        """A new one from an iterable."""
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes):
        """The same with other values in some fields."""
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self):
        """The values by the names of their fields."""
        return dict(zip(self._fields, self, strict=True))

    def _represent(self):
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{self.__class__.__name__}({shown})"

    class _Maker(type):
        """Turns the body of a class into a tuple with names."""

        def __new__(meta, name, bases, body):
            if bases == ():
                return super().__new__(meta, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body.pop(field) for field in fields if field in body}
            if fields[len(fields) - len(defaults) :] != tuple(defaults):
                raise TypeError(f"a field of {name} without a default follows one with a default")
            body |= {field: _tuplegetter(at, "") for at, field in enumerate(fields)}
            body |= {
                "__slots__": (),
                "__match_args__": fields,
                "_fields": fields,
                "_field_defaults": defaults,
                "__new__": _new,
                "_make": classmethod(_make),
                "_replace": _replace,
                "_asdict": _asdict,
                "__getnewargs__": lambda self: tuple(self),
            }
            body.setdefault("__repr__", _represent)
            return type(name, (tuple,), body)

    class NamedTuple(metaclass=_Maker):
        """A tuple whose places have names; see `typing.NamedTuple`."""
