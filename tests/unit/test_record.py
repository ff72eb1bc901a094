"""Records behave as frozen data classes with slots do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping

import pytest

from kplan.record import field, record, replace


@record
class Point:
    x: int
    y: int = 2
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    note: str = field(default="", compare=False, repr=False)

    def total(self) -> int:
        return self.x + self.y


def test_making() -> None:
    assert (Point(1).x, Point(1).y, Point(1).tags, Point(1, note="n").note) == (1, 2, {}, "n")
    assert Point(1).tags is not Point(1).tags
    assert Point(y=3, x=1).total() == 4
    for wrong in ((), (1, 2, {}, "", 5)):
        with pytest.raises(TypeError):
            Point(*wrong)
    with pytest.raises(TypeError):
        Point(1, z=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, x=1)  # type: ignore[misc]


def test_the_first_records_are_as_the_later_ones() -> None:
    @record
    class Pair:
        a: int
        b: list[int] = field(default_factory=list)
        c: str = "c"

    made = [(Pair(n), Pair(n, c="d"), Pair(c="e", a=n, b=[n])) for n in range(20)]
    assert [[(p.a, p.b, p.c) for p in row] for row in made] == [
        [(n, [], "c"), (n, [], "d"), (n, [n], "e")] for n in range(20)
    ]
    assert len({id(p.b) for row in made for p in row}) == 60
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        Pair()  # type: ignore[call-arg]


def test_a_wrong_first_call_says_what_is_wrong() -> None:
    @record
    class Fresh:
        a: int
        b: int = 0

    for args, named in (((), {}), ((1, 2, 3), {}), ((1,), {"a": 2}), ((1,), {"z": 2})):
        with pytest.raises(TypeError, match=r"Fresh\.__init__\(\)"):
            Fresh(*args, **named)  # type: ignore[arg-type]
    assert Fresh(1) == Fresh(b=0, a=1)


def test_defaults_come_last() -> None:
    with pytest.raises(TypeError, match="without a default"):

        @record
        class _Wrong:
            a: int = 1
            b: int


def test_comparing_and_showing() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert Point(1) != Point(2)
    assert Point(1) != (1, 2)
    assert hash(Point(1)) == hash(Point(1, note="c"))
    assert repr(Point(1)) == "Point(x=1, y=2, tags={})"


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del Point(1).x
    with pytest.raises(AttributeError):
        Point(1).other = 1  # type: ignore[attr-defined]


def test_copies() -> None:
    p = Point(1, tags={"a": "b"}, note="n")
    for other in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert (other, other.tags, other.note) == (p, p.tags, "n")
    assert replace(p, y=9).total() == 10
    assert replace(p, y=9).note == "n"


def test_the_library_takes_them() -> None:
    p = Point(1)
    assert dataclasses.replace(p, x=5) == Point(5)  # type: ignore[type-var]
    assert [f.name for f in dataclasses.fields(p)] == ["x", "y", "tags", "note"]  # type: ignore[arg-type]
    assert dataclasses.asdict(p) == {"x": 1, "y": 2, "tags": {}, "note": ""}  # type: ignore[call-overload]
    match p:
        case Point(x, y):
            assert (x, y) == (1, 2)
