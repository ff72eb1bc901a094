"""Reading files and single documents: splitting, JSON, lists, encodings, errors, places."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.errors import KplanError
from kplan.model import Document, Loaded, Span
from kplan.yamlio import Limits, load_value, read, read_one


def values(loaded: Loaded) -> list[Any]:
    return [d.value for d in loaded.documents]


def errors(loaded: Loaded) -> list[str]:
    return [f"{u.span.line}:{u.span.col} {u.message}" for u in loaded.unreadable]


def one(text: str) -> Document:
    (document,) = read(text.encode(), "f.yaml").documents
    return document


A, B = {"a": 1}, {"b": 2}


@pytest.mark.parametrize(
    ("text", "expected", "problems"),
    [
        ("", [], []),
        ("# only a comment\n", [], []),
        ("---\n---\n# c\n---\n", [], []),
        ("null\n---\n~\n", [], []),
        ("a: 1", [A], []),
        ("---\na: 1\n---\nb: 2\n", [A, B], []),
        ("a: 1\n---   # c\nb: 2\n", [A, B], []),
        ("a: 1\n---\t\nb: 2\n", [A, B], []),
        ("a: 1\r\n---\r\nb: 2\r\n", [A, B], []),
        ("a: 1\n...\n---\nb: 2\n...\n", [A, B], []),
        ("a: 1\n...\nnever: read: this\n", [A], []),
        ("a: |\n  x\n---\nb: 2\n", [{"a": "x\n"}, B], []),
        ("a: |\n---\nb: 2\n", [{"a": ""}, B], []),
        ("a: 1\n--- foo\nb: 2\n---\nb: 2\n", [A, B], ["2:1 invalid Yaml document separator: foo"]),
        ("--- {a: 1}\n", [], ["1:1 invalid Yaml document separator: {a: 1}"]),
        ("----\na: 1\n", [], ["1:1 invalid Yaml document separator: -"]),
        ("a: 1\n---\nb: : 2\n---\nb: 2\n", [A, B], ["3:4 mapping values are not allowed in this context"]),
        ("\ufeffa: 1\n---\n\ufeffb: 2\n", [A, B], []),
        ("%YAML 1.1\n---\na: 1\n", [A], ["2:1 did not find expected <document start>"]),
        ("a:\n\tb: 1\n", [], ["2:1 found character that cannot start any token"]),
        ("a: \x01\n", [], ["1:4 control characters are not allowed"]),
        ("a: *x\n", [], ["1:4 unknown anchor 'x' referenced"]),
        ("- 1\n", [], ["1:1 a manifest is a mapping with apiVersion and kind, not a list"]),
        ("# c\ntext\n---\na: 1\n", [A], ["2:1 a manifest is a mapping with apiVersion and kind, not a text"]),
    ],
)
def test_documents_of_a_file(text: str, expected: list[Any], problems: list[str]) -> None:
    loaded = read(text.encode(), "f.yaml")
    assert values(loaded) == expected
    assert errors(loaded) == problems


@pytest.mark.parametrize(
    ("text", "expected", "problems"),
    [
        ('{"a": 1}', [A], []),
        ('  \n{"a": 1}{"b": 2}\n\n{"a": 1}', [A, B, A], []),
        ('{"a": 1}\n---\nb: 2\n', [A, B], []),
        ('{"a": 1}\n---\n{"b": 2}\n', [A, B], []),
        ("{a: 1}\n---\nb: 2\n", [A, B], []),
        ('{"a": 1, "a": 2}', [{"a": 2}], []),
        ('{"a": [1.0, 1e3, 1.5, 12345678901234567890]}', [{"a": [1, 1000, 1.5, 12345678901234567000]}], []),
        ('{"a": "\\ud83d\\ude00 \\ud800 \\u00e9"}', [{"a": "\U0001f600 \ufffd é"}], []),
        ('{"a": "tab\there"}', [{"a": "tab\there"}], []),  # no JSON, but YAML
        ('{"a": 1}{"b": 2}\n---\na: 1', [A, B], ["2:1 invalid character '-' looking for beginning of value"]),
        ('{"a": 1,\n "b" 2}', [], ["2:6 invalid character '2' after object key"]),
        ('{"a": }\n  x', [{"a": None}], []),
        ('{"a": [}', [], ["1:8 invalid character '}' looking for beginning of value"]),
        ('{"a": "x', [], ["1:9 unexpected EOF"]),
        ('{"a": 1e999}', [], ["1:7 json: cannot unmarshal number 1e999 into float64"]),
        ('{"a": NaN}', [{"a": "NaN"}], []),
        ('[{"a": 1}]', [], ["1:1 a manifest is a mapping with apiVersion and kind, not a list"]),
    ],
)
def test_json_and_what_begins_like_it(text: str, expected: list[Any], problems: list[str]) -> None:
    loaded = read(text.encode(), "f.json")
    assert values(loaded) == expected
    assert errors(loaded) == problems


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(codec: str) -> None:
    assert values(read("a: é💥\n".encode(codec), "f")) == [{"a": "é💥"}]


def test_bytes_that_are_no_text() -> None:
    assert errors(read(b"a: 1\nb: \xc3\xa9\xff\n", "f")) == ["2:5 invalid UTF-8: byte 0xff"]


def test_lists_are_flattened_in_the_order_of_kubectl() -> None:
    text = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleList
items:
- metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: Pod}
- metadata: {name: b}
---
apiVersion: v1
kind: List
items: null
---
apiVersion: v1
kind: List
items: [{kind: X}, {kind: List, items: [5]}]
---
items: {}
"""
    loaded = read(text.encode(), "f")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    assert values(loaded) == [
        {"metadata": {"name": "a"}, **role},
        {"metadata": {"name": "b"}, **role},
        {"apiVersion": "v1", "kind": "Pod"},
    ]
    assert [(d.index, d.item, d.line, d.span().line) for d in loaded.documents] == [
        (0, 0, 1, 4),
        (0, 1, 1, 9),
        (0, 2, 1, 8),
    ]
    assert str(loaded.documents[2].span(("kind",))) == "f:8:28"
    assert errors(loaded) == [
        "17:41 a manifest is a mapping with apiVersion and kind, not a number",
        "19:8 the items of a list must be a list, not a mapping",
    ]


def test_documents_are_counted_without_the_empty_ones() -> None:
    loaded = read(b"# c\n---\na: 1\n---\n---\n: : :\n---\nb: 2\n", "f", skip=lambda value: "b" if "b" in value else "")
    assert [d.index for d in loaded.documents] == [0]
    assert [(s.reason, s.document, s.span and s.span.line) for s in loaded.skipped] == [("b", 2, 8)]
    assert (len(loaded.unreadable), loaded.files) == (1, 1)


def test_values_of_aliases_are_apart() -> None:
    value = one("base: &b {x: [1]}\nother: *b\nmerged: {<<: *b, z: 2}\n").value
    value["base"]["x"].append(2)
    assert value["other"] == {"x": [1]}
    assert value["merged"] == {"x": [1], "z": 2}


TEXT = """\
# comment
apiVersion: v1 # é
metadata:
    name: "💥 x"   # c
    labels: {a: b, "c d": 'e'}
    empty:
spec: &s
- name: a
  text: |
    line one
    line two

# comment
- plain
  more
- [1, 2,
   3]
alias: *s
merge:
  <<: {q: 1}
  r: 2
"""


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (2, 1, 21, 7)),
        (("apiVersion",), False, (2, 13, 2, 15)),
        (("apiVersion",), True, (2, 1, 2, 11)),
        (("metadata",), False, (4, 5, 6, 11)),
        (("metadata", "name"), False, (4, 11, 4, 16)),
        (("metadata", "labels", "c d"), False, (5, 27, 5, 30)),
        (("metadata", "labels", "c d"), True, (5, 20, 5, 25)),
        (("metadata", "empty"), False, (6, 11, 6, 11)),
        (("metadata", "missing"), False, (4, 5, 6, 11)),
        (("metadata", "missing", "deeper"), True, (4, 5, 6, 11)),
        (("spec",), False, (7, 7, 17, 6)),
        (("spec", 0), False, (8, 3, 11, 13)),
        (("spec", 0, "text"), False, (9, 9, 11, 13)),
        (("spec", 1), False, (14, 3, 15, 7)),
        (("spec", 2, 2), False, (17, 4, 17, 5)),
        (("spec", 9), False, (7, 7, 17, 6)),
        (("alias",), False, (18, 8, 18, 10)),
        (("alias", 0, "name"), False, (8, 9, 8, 10)),
        (("merge", "q"), True, (20, 8, 20, 9)),
        (("merge", "r"), False, (21, 6, 21, 7)),
    ],
)
def test_places_in_yaml(path: tuple[str | int, ...], key: bool, place: tuple[int, int, int, int]) -> None:
    assert one(TEXT).span(path, key=key) == Span("f.yaml", *place)


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (2, 2, 4, 2)),
        (("a", "b"), False, (2, 14, 2, 18)),
        (("a", "b"), True, (2, 9, 2, 12)),
        (("é",), True, (3, 2, 3, 10)),
        (("é", 1), False, (3, 17, 3, 22)),
        (("é", 1, "x"), False, (3, 17, 3, 22)),
    ],
)
def test_places_in_json(path: tuple[str | int, ...], key: bool, place: tuple[int, int, int, int]) -> None:
    text = '{"first": 1}\n {"a": {"b": -1.5},\n "\\u00e9": [{}, "x\\""]\n}'
    assert read(text.encode(), "f").documents[1].span(path, key=key) == Span("f", *place)


def test_documents_know_their_text() -> None:
    loaded = read(b"a: 1\n---\n# c\nb: 2\n", "f")
    assert [(d.text, d.text_line, d.line) for d in loaded.documents] == [("a: 1\n", 1, 1), ("# c\nb: 2\n", 3, 4)]


def test_keys_that_stand_twice() -> None:
    (first, second) = one("a: {x: 1, x: 2}\nb: [{z: 1,\n  z: 1}]\n<<: {a: 1}\n").duplicates
    assert (first.path, str(first.first), str(first.second)) == (("a", "x"), "f.yaml:1:5", "f.yaml:1:11")
    assert (second.path, str(second.first), str(second.second)) == (("b", 0, "z"), "f.yaml:2:6", "f.yaml:3:3")
    assert one("base: &b {x: 1}\na: {<<: *b, x: 2}\n").duplicates == ()
    assert [d.path for d in one('{"a": {"b": 1, "b": 2}}').duplicates] == [("a", "b")]


def test_keys_that_stand_twice_in_an_item_of_a_list() -> None:
    loaded = read(b"kind: List\nkind: List\nitems:\n- {a: 1}\n- {b: 1, b: 2}\n", "f")
    assert [[d.path for d in document.duplicates] for document in loaded.documents] == [[("kind",)], [("b",)]]


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("a: 1", A, ""),
        ('{"a": 1}', A, ""),
        ("\ufeff# c\n---\na: 1\n", A, ""),
        ("kind: List\nitems: [{a: 1}]", {"kind": "List", "items": [A]}, ""),
        ("", None, "no objects passed to apply"),
        ("# c\n---\n", None, "no objects passed to apply"),
        ("a: 1\n---\nb: 2", None, "one document expected, not 2"),
        ("[]", None, "a manifest is a mapping with apiVersion and kind, not a list"),
        ("a: 1\nb\nc: 2", None, "error converting YAML to JSON: yaml: line 3: could not find expected ':'"),
        ("a: b: c", None, "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        ("a: .inf", None, "error converting YAML to JSON: json: unsupported value: +Inf"),
        ('{"a": tru, ]', None, "json: offset 7: invalid character 't' looking for beginning of value"),
        ("--- a", None, "invalid Yaml document separator: a"),
        ("a: \ud800", {"a": "\ufffd"}, ""),
    ],
)
def test_a_single_document(text: str, value: Any, message: str) -> None:
    got = read_one(text)
    assert (got.value, got.message) == (value, message)


def test_values_that_are_no_manifests() -> None:
    assert load_value("- 1\n- on\n", "f") == [1, True]
    assert load_value("", "f") is None
    with pytest.raises(KplanError, match=r"^f:1:5: mapping values are not allowed"):
        load_value("a: b: c", "f")
    with pytest.raises(KplanError, match="one document expected, not 2"):
        load_value("a: 1\n---\nb: 1", "f")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(n + 1)}: &{chr(n + 1)} [{', '.join([f'*{chr(n)}'] * 9)}]\n" for n in range(97, 107)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "4:20 document contains excessive aliasing"),
        ("a: &a [*a]\n", "1:8 anchor 'a' value contains itself"),
        ("a: &a\n  b: {<<: *a}\n", "2:11 anchor 'a' value contains itself"),
        ("a: " + "[" * 40_000, "1:103 nested deeper than 100 levels"),
        ("- " * 40_000, "1:201 nested deeper than 100 levels"),
        ("".join(" " * n + "a:\n" for n in range(300)), "101:101 nested deeper than 100 levels"),
        ('{"a":' * 100_000, "1:1 nested deeper than 100 levels"),
        ('{"a":' * 101 + "1" + "}" * 101, "1:1 nested deeper than 100 levels"),
        (
            "- &a0 []\n" + "".join(f"- &a{n + 1} [[[[[[[[[*a{n}]]]]]]]]]\n" for n in range(20)),
            "12:17 nested deeper than 100 levels",
        ),
        ("a: " + "x" * 4_000_000, "1:4 a text of more than 3145728 bytes"),
        ("a: [1, '" + "x\n" * 2_000_000 + "']", "1:8 a text of more than 3145728 bytes"),
        ('{"a": "' + "x" * 4_000_000 + '"}', "1:7 a text of more than 3145728 bytes"),
        ("a" * (10 * 1024 * 1024 + 1), "1:1 a file of more than 10485760 bytes"),
        ("---\n" * 100_000, "20001:1 more than 10000 documents"),
        ("{}" * 20_000, "1:1 more than 10000 documents"),
        ("a: 1\n" * 5_000, "1002:4 more than 1000 keys that stand twice in one map"),
        ("{" + '"a": 1, ' * 5_000 + '"a": 1}', "1:1 more than 1000 keys that stand twice in one map"),
        ("a: " + "9" * 100_000, None),
        ("? " * 100_000, "1:3 invalid map key: a map"),
        ("a: [" + 'x "q:y, ' * 20_000, "1:505 found unexpected ':'"),
        ("# " + "".join(map(chr, range(0xE000, 0xF900))) + "\na: [&x a:b]", "2:9 found unexpected ':'"),
    ],
)
def test_hostile_input_gives_one_sentence(text: str, problem: str | None) -> None:
    loaded = read(text.encode(), "f")
    assert errors(loaded) == ([problem] if problem else [])


def test_limits_can_be_changed() -> None:
    assert errors(read(b"a: [[]]\n", "f", limits=Limits(depth=2))) == ["1:5 nested deeper than 2 levels"]
    assert values(read(b"a: [[]]\n", "f", limits=Limits(depth=3))) == [{"a": [[]]}]
    assert errors(read(b"a: 12\n", "f", limits=Limits(file_bytes=5))) == ["1:1 a file of more than 5 bytes"]
    assert errors(read(b"a: 123456789\n", "f", limits=Limits(scalar_bytes=8))) == []
    assert errors(read(b"a: 12345678x\n", "f", limits=Limits(scalar_bytes=8))) == ["1:4 a text of more than 8 bytes"]


def test_no_secret_in_a_message() -> None:
    loaded = read(b"password: !!int hunter2\n---\nkey: !!binary hunter2\n", "f")
    assert len(loaded.unreadable) == 2
    assert "hunter2" not in str(loaded)
