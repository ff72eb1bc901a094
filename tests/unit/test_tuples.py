"""Named tuples behave as those of `typing` do."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from kplan.tuples import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2
    new: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The sum."""
        return self.x + self.y

    @classmethod
    def origin(cls) -> Point:
        """The middle."""
        return cls(0, 0)


class Library(typing.NamedTuple):
    """The same by the library."""

    x: int
    y: int = 2
    new: tuple[str, ...] = ()


def test_making() -> None:
    assert Point(1) == (1, 2, ()) == Point(x=1) == Point(1, new=())
    assert (Point(3, y=4, new=("a",)).total, Point.origin().x) == (7, 0)
    wrong: list[tuple[tuple[int, ...], dict[str, int]]] = [
        ((), {}),
        ((1, 2, 3, 4), {}),
        ((1,), {"z": 1}),
        ((1,), {"x": 1}),
    ]
    for args, named in wrong:
        with pytest.raises(TypeError):
            Point(*args, **named)  # type: ignore[arg-type]


def test_as_the_library() -> None:
    ours, theirs = Point(1, 5, ("n",)), Library(1, 5, ("n",))
    assert repr(ours) == repr(theirs).replace("Library", "Point")
    assert (ours._fields, ours._asdict(), ours._field_defaults) == (
        theirs._fields,
        theirs._asdict(),
        theirs._field_defaults,
    )
    assert ours._replace(y=0) == theirs._replace(y=0)
    assert Point._make([1, 2, ()]) == Library._make([1, 2, ()])
    assert (hash(ours), len(ours), ours[1], list(ours)) == (hash(theirs), len(theirs), theirs[1], list(theirs))
    assert (Point.__doc__, Point.__name__, Point.__module__) == ("A place.", "Point", __name__)


def test_wrong_changes() -> None:
    with pytest.raises(ValueError, match="z"):
        Point(1)._replace(z=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point._make([1])
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Point(1).other = 2  # type: ignore[attr-defined]


def test_copies() -> None:
    p = Point(1, new=("n",))
    for other in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(other) is Point
        assert other == p
    match p:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_a_class_below() -> None:
    class Named(Point):
        __slots__ = ()

    assert type(Named(1)) is Named
    assert type(Named(1)._replace(x=2)) is Named


def test_defaults_come_last() -> None:
    with pytest.raises(TypeError, match="without a default"):

        class _Wrong(NamedTuple):
            x: int = 1
            y: int  # type: ignore[misc]
