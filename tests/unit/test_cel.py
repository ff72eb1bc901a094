"""Expressions of the Common Expression Language: values, faults in the words of cel-go, and limits."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kplan.api import cel
from kplan.api.cel.schematypes import escape, type_of
from kplan.api.cel.seenvalues import converted
from kplan.api.cel.types import DYN, INT, STRING, list_of, map_of, object_of
from kplan.api.cel.values import Optional, Timestamp

SELF = object_of("self", {"a": INT, "l": list_of(STRING), "m": map_of(STRING, DYN), "d": DYN})
ENVIRONMENT = cel.Environment({"self": SELF, "any": DYN})
VALUE = {"a": 3, "l": ["a", "b"], "m": {"k1": 1}}


def value(source: str) -> Any:
    return cel.compile(source, ENVIRONMENT).evaluate({"self": VALUE, "any": VALUE})[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3 - 4 % 3", 6),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7u + 1u", 8),
        ("0x1F", 31),
        ("1.5 + 1e2", 101.5),
        ("1 < 2.5 && 2u >= 2", True),
        ("dyn(1) == dyn(1.0)", True),
        ("dyn(1) == dyn(true)", False),
        ("'a' + \"b\" + '''c'''", "abc"),
        (r"'\u00e9\n\x41\101'", "é\nAA"),
        (r"r'\d'", "\\d"),
        (r"size(b'\xff\x00')", 2),
        ("!true || !!true", True),
        ("self.a == 3 ? 'y' : 'n'", "y"),
        ("'k1' in self.m && !('x' in self.l)", True),
        ("self.m['k1'] + self.m.k1", 2),
        ("has(any.a) && !has(any.zz)", True),
        ("self.l.all(x, x < 'c') && self.l.exists(x, x == 'b')", True),
        ("self.l.exists_one(x, x == 'b')", True),
        ("self.l.map(x, x + '1')", ["a1", "b1"]),
        ("self.l.map(x, x > 'a', x + '1')", ["b1"]),
        ("self.l.filter(x, x != 'a')", ["b"]),
        ("self.l.all(i, v, i < 2 && v != '')", True),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v + 1)", {"a": 2, "b": 3}),
        ("[1, 2].transformList(i, v, i + v)", [1, 3]),
        ("any.zz == 1 || true", True),
        ("[1, 0].exists(x, 1 / x == 1)", True),
        ("any.?zz.orValue('d')", "d"),
        ("any[?'a'].hasValue()", True),
        ("optional.of(3).optMap(v, v + 1).value()", 4),
        ("optional.none().or(optional.of(2)).value()", 2),
        ("optional.ofNonZeroValue('').hasValue()", False),
        ("[?any.?zz, 1]", [1]),
        ("type(self.a) == int && type('') == string", True),
        ("int('42') + int(3.9) + int(timestamp(5))", 50),
        ("string(1.5) + string(true) + string(7u)", "1.5true7"),
        ("bool('true') && double('2') == 2.0", True),
        ("'Hello'.lowerAscii().indexOf('l')", 2),
        ("'a,b,c'.split(',', 2).join('|')", "a|b,c"),
        ("'abcd'.substring(1, 3) + 'abab'.replace('a', 'x', 1)", "bcxbab"),
        ("'%s:%d'.format([dyn('a'), dyn(3)])", "a:3"),
        ("' x '.trim().size()", 1),
        ("'abc123'.find('[0-9]+')", "123"),
        ("'a1b2'.findAll('[0-9]')", ["1", "2"]),
        ("'abc'.matches('^a.*$') && matches('abc', 'b')", True),
        ("[1, 2, 3].sum() == 6 && [2, 1].min() == 1 && [1, 3].max() == 3 && [1, 2].isSorted()", True),
        ("[1, 2, 1].lastIndexOf(1)", 2),
        ("sets.contains(['a', 'b'], ['a']) && sets.equivalent([1], [1, 1]) && !sets.intersects([1], [2])", True),
        ("isIP('::1') && !isIP('1.2') && ip('10.0.0.1').family() == 4 && ip.isCanonical('::1')", True),
        ("cidr('10.0.0.0/8').containsIP('10.2.3.4') && !cidr('10.0.0.0/8').containsCIDR('11.0.0.0/16')", True),
        ("cidr('10.1.0.0/8').masked().prefixLength()", 8),
        ("url('https://u@ex.com:80/a%20b?c=d').getHost() + url('/x').getEscapedPath()", "ex.com:80/x"),
        ("isURL('https://ex.com') && !isURL('a b')", True),
        ("quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('1k').add(2).asInteger() == 1002", True),
        ("isQuantity('1K') || quantity('200m').isInteger()", False),
        ("semver('1.2.3-a').isLessThan(semver('1.2.3')) && semver('v1', true).major() == 1", True),
        ("format.dns1123Label().validate('Aa').hasValue() && !format.named('x').hasValue()", True),
        ("timestamp('2023-01-01T00:00:00Z') + duration('1h30m') > timestamp('2023-01-01T01:29:59.9Z')", True),
        ("timestamp('2024-02-29T12:00:00+02:00').getHours()", 10),
        ("timestamp('2024-02-29T12:00:00Z').getDayOfYear()", 59),
        ("string(duration('90.5s'))", "90.5s"),
        ("(timestamp('2023-01-02T00:00:00Z') - timestamp('2023-01-01T00:00:00Z')).getHours()", 24),
    ],
)
def test_value(source: str, expected: Any) -> None:
    found = value(source)
    assert found == expected
    assert isinstance(found, type(expected))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("any.zz", "no such key: zz"),
        ("self.l[5]", "index out of bounds: 5"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("any.a.startsWith('x')", "no such overload"),
        ("any.a || false", "no such overload"),
        ("optional.none().value()", "optional.none() dereference"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key: a"),
        ("'abc'.substring(2, 9)", "index out of range: 9"),
        ("timestamp('2023-13-01T00:00:00Z')", "type conversion error from 'string' to 'google.protobuf.Timestamp'"),
    ],
)
def test_error_of_evaluation(source: str, message: str) -> None:
    with pytest.raises(cel.EvalError) as e:
        value(source)
    assert str(e.value) == message


EXPECTING = (
    "expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, "
    "IDENTIFIER}"
)


@pytest.mark.parametrize(
    ("source", "at", "message"),
    [
        ("Bad_VALUE!", 10, "Syntax error: extraneous input '!' expecting <EOF>"),
        ("1.2.3.4", 4, "Syntax error: mismatched input '.3' expecting <EOF>"),
        ("a..b", 3, "Syntax error: no viable alternative at input '..'"),
        ("150%", 5, f"Syntax error: mismatched input '<EOF>' {EXPECTING}"),
        ("self.l.all(1, true)", 12, "argument must be a simple name"),
        ("has(self)", 5, "invalid argument to has() macro"),
        ("var", 1, "reserved identifier: var"),
        ("99999999999999999999", 1, "invalid int literal"),
        (r"'\d'", 1, "unable to unescape string"),
        ("foo", 1, "undeclared reference to 'foo' (in container '')"),
        ("self.x", 5, "undefined field 'x'"),
        ("self.a.b", 7, "type 'int' does not support field selection"),
        ("self.a + 'x'", 8, "found no matching overload for '_+_' applied to '(int, string)'"),
        ("self.a == 'x'", 8, "found no matching overload for '_==_' applied to '(int, string)'"),
        (
            "self.l.startsWith('a')",
            18,
            "found no matching overload for 'startsWith' applied to 'list(string).(string)'",
        ),
        ("self.a && true", 8, "found no matching overload for '_&&_' applied to '(int, bool)'"),
        ("[1, 'a']", 5, "expected type 'int' but found 'string'"),
        (
            "self.a.all(x, true)",
            5,
            "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        ("nothing(1)", 8, "undeclared reference to 'nothing' (in container '')"),
        ("Object{a: 1}", 7, "undeclared reference to 'Object' (in container '')"),
    ],
)
def test_fault(source: str, at: int, message: str) -> None:
    with pytest.raises(cel.CompileError) as e:
        cel.compile(source, ENVIRONMENT)
    assert str(e.value) == f"ERROR: <input>:1:{at}: {message}\n | {source}\n | {'.' * (at - 1)}^"


def test_all_faults_of_an_expression_in_order() -> None:
    with pytest.raises(cel.CompileError) as e:
        cel.compile("a /\n b", ENVIRONMENT)
    assert str(e.value) == (
        "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a /\n | ^\n"
        "ERROR: <input>:2:2: undeclared reference to 'b' (in container '')\n |  b\n | .^"
    )


@pytest.mark.parametrize(
    "source",
    [
        "[1,2,3,4,5,6,7,8,9,10].all(a," * 7 + "any.a == 3" + ")" * 7,
        "self.l.map(x, self.l.map(y, self.l.map(z, x + y + z)))",
    ],
)
def test_work_is_limited(source: str) -> None:
    value = [str(i) for i in range(200)]
    program = cel.compile(source, ENVIRONMENT)
    began = time.monotonic()
    with pytest.raises(cel.BudgetError):
        program.evaluate({"self": {"l": value}, "any": {"a": 3}}, limit=100_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("source", ["(" * 5000, "[" * 5000 + "]" * 5000, "!" * 5000 + "true", "1" + "+1" * 5000])
def test_deep_expressions_do_not_crash(source: str) -> None:
    try:
        cel.compile(source, ENVIRONMENT)
    except cel.CompileError as e:
        assert str(e)  # noqa: PT017 - either answer will do


def test_long_chains_are_no_depth() -> None:
    assert value(" || ".join(["false"] * 2000 + ["true"])) is True


def test_names_of_properties() -> None:
    assert [escape(n) for n in ("a", "a-b", "x__y", "a.b/c", "in", "1a")] == [
        "a",
        "a__dash__b",
        "x__underscores__y",
        "a__dot__b__slash__c",
        "__in__",
        None,
    ]


def test_values_by_their_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "raw": {"type": "string", "format": "byte"},
            "rate": {"type": "number"},
            "a-b": {"type": "integer"},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        },
    }
    given = {"at": "1970-01-01T00:00:01Z", "raw": "YQ==", "rate": 1, "a-b": 2, "set": ["x", "y"], "unknown": 1}
    found = converted(schema, given)
    assert found == {"at": Timestamp(10**9), "raw": b"a", "rate": 1.0, "a__dash__b": 2, "set": ["x", "y"]}
    kind = type_of(schema, "t")
    assert kind is not None
    program = cel.compile("self.set == ['y', 'x'] && self.rate / 2.0 == 0.5", cel.Environment({"self": kind}))
    assert program.evaluate({"self": found})[0] is True
    assert Optional(True, 1).value() == 1
