"""Plans as text, Markdown and JSON: golden files, Terraform's grammar in small, limits, and hostile names."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from kplan.cli.plan import Request, compare, read
from kplan.cluster import Cluster
from kplan.model import Placeholder, Plan
from kplan.plan import Settings, plan
from kplan.plan.diff import ListRule, diff
from kplan.render import plan_json, plan_markdown, plan_text
from kplan.render.hunks import hunks
from kplan.render.plan_body import body
from kplan.store import ref_of

Value = dict[str, Any]

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "plan"
PLAIN = plan_text.Options()


def shop(against: str, paths: str = "examples/shop/v2", **more: Any) -> Plan:
    request = Request((paths,), against, **more)
    return compare(request, read(request), values=True)


RENDERERS: dict[str, Any] = {
    "update.txt": lambda p: plan_text.render(p, PLAIN),
    "update-noise.txt": lambda p: plan_text.render(p, plan_text.Options(concise=True, noise=True)),
    "update-color.txt": lambda p: plan_text.render(p, plan_text.Options(color=True)),
    "update.md": lambda p: plan_markdown.render(p, plan_markdown.Options(key="shop")),
    "update.json": plan_json.render,
    "update.gitlab.json": plan_json.render_gitlab,
}


def check(name: str, text: str) -> None:
    """Compare with a golden file; with KPLAN_UPDATE_GOLDENS=1 write it."""
    file = GOLDEN / name
    if os.environ.get("KPLAN_UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RENDERERS)
def test_golden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    check(name, RENDERERS[name](shop("examples/shop/v1")))


def test_golden_of_new_and_of_equal_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    check("create.txt", plan_text.render(shop("nothing"), PLAIN))
    check("same.txt", plan_text.render(shop("examples/shop/v2"), PLAIN))
    check("same.md", plan_markdown.render(shop("examples/shop/v2"), plan_markdown.Options()))


BY_NAME = ListRule((("name",),))


def lines(before: Any, after: Any, *, full: bool = False) -> str:
    tree = diff(before, after, lambda _: BY_NAME)
    assert tree is not None
    return "\n".join(f"{' ' * 4 * x.depth}{x.symbol:>1} {x.text}".rstrip() for x in body(tree, 0, full=full))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1}, {"a": 2}, "~ a = 1 -> 2", id="scalar"),
        pytest.param({"a": "x"}, {"a": None}, '~ a = "x" -> null', id="null"),
        pytest.param({"a": 1}, {}, "- a = 1 -> null", id="gone"),
        pytest.param({"k/x": 1, "a": 1}, {"k/x": 2, "a": 1}, '~ "k/x" = 1 -> 2', id="quoted name"),
        pytest.param({"a": {"b": {"c.d": 1}}}, {"a": {"b": {"c.d": 2}}}, '~ a.b["c.d"] = 1 -> 2', id="joined names"),
        pytest.param(
            {"a": {"x": 1, "long": 1, "z": 1}},
            {"a": {"x": 2, "long": 2, "z": 1}},
            "~ a = {\n    ~ long = 1 -> 2\n    ~ x    = 1 -> 2\n      # (1 unchanged attribute hidden)\n  }",
            id="block",
        ),
        pytest.param(
            {"a": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"a": [{"name": "y"}, {"name": "x", "v": 2}]},
            '~ a["y"] (moved 2 -> 1)\n~ a["x"].v = 1 -> 2',
            id="moved item",
        ),
        pytest.param(
            {"a": ["1", "2", "3", "4", "5"]},
            {"a": ["1", "2", "x", "3", "4", "5"]},
            '~ a = [\n      "2",\n    + "x",\n      "3",\n      # (3 unchanged elements hidden)\n  ]',
            id="scalar list",
        ),
        pytest.param(
            {"a": ["1", "2"]},
            {"a": ["2", "1"]},
            '~ a = [\n    ~ "2", # (moved 2 -> 1)\n      "1",\n  ]',
            id="moved scalar",
        ),
        pytest.param(
            {"a": "1"},
            {"a": [{"b": 1}]},
            '~ a = "1" -> [\n    + {\n        + b = 1\n      },\n  ]',
            id="another type",
        ),
        pytest.param(
            {"a": {"b": 1, "c": 2}},
            {"a": 3},
            "~ a = {\n    - b = 1\n    - c = 2\n  } -> 3",
            id="another type, other way",
        ),
        pytest.param(
            {"a": {"b": {"x": 1, "y": 2}}},
            {},
            "- a.b = {\n    - x = 1\n    - y = 2\n  } -> null",
            id="null once",
        ),
        pytest.param(
            {"c.json": '{"a": 1, "b": 2}'},
            {"c.json": '{"a": 1, "b": 3}'},
            '~ "c.json" = jsonencode({\n    ~ b = 2 -> 3\n      # (1 unchanged attribute hidden)\n  })',
            id="json",
        ),
        pytest.param(
            {"c.json": "[1, 2]"},
            {"c.json": "[1, 3]"},
            '~ "c.json" = jsonencode([\n      1,\n    ~ 2 -> 3,\n  ])',
            id="json list",
        ),
        pytest.param(
            {"c.json": '{"a": 1,\n"b": 2}'},
            {"c.json": '{"a": 1, "b": 2}'},
            '~ "c.json" = <<-EOT # formatting only\n    - {"a": 1,\n    - "b": 2}\n    + {"a": 1, "b": 2}\n  EOT',
            id="formatting",
        ),
        pytest.param({"a": {}}, {"a": {"b": {"c": 1}}}, "+ a.b.c = 1", id="new chain"),
        pytest.param({"a": "x"}, {"a": Placeholder("(sensitive #1)")}, '~ a = "x" -> (sensitive #1)', id="placeholder"),
        pytest.param({"a": "x"}, {"a": "(sensitive #1)"}, '~ a = "x" -> "(sensitive #1)"', id="no placeholder"),
    ],
)
def test_small(before: Any, after: Any, expected: str) -> None:
    assert lines(before, after) == expected


def test_long_values_are_cut_around_the_difference() -> None:
    text = lines({"a": "x" * 500 + "1" + "y" * 500}, {"a": "x" * 500 + "2" + "y" * 500})
    assert len(text) < 300
    assert "1yyy" in text
    assert "2yyy" in text
    assert "(1,003 -> 1,003 characters)" in text


def test_large_new_parts_fold() -> None:
    schema = {f"k{i}": {"type": "string", "n": i} for i in range(200)}
    value = {"spec": {"versions": [{"schema": {"x": schema, "y": 1}}], "scope": "x"}}
    assert "schema = (401 attributes)" in lines({}, value)
    assert "(401 attributes)" not in lines({}, value, full=True)
    text = {"data": {"f": "\n".join(map(str, range(100)))}}
    assert "# (88 more lines)" in lines({}, text)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\nb\nc\n", "a\nx\nc\n", [("", "a"), ("-", "b"), ("+", "x"), ("", "c"), ("", "")]),
        (
            "\n".join("abcdefghij") + "\n",
            "\n".join("abcdeXghij") + "\n",
            [
                ("", "# (3 unchanged lines hidden)"),
                ("", "d"),
                ("", "e"),
                ("-", "f"),
                ("+", "X"),
                ("", "g"),
                ("", "h"),
                ("", "# (2 unchanged lines hidden)"),
            ],
        ),
    ],
)
def test_hunks(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    got = list(hunks(before, after))
    assert [g for g in got if g != ("", "")] == [e for e in expected if e != ("", "")]


def test_hunks_of_a_long_text_are_short_and_quick() -> None:
    old = [f"line {i}" for i in range(400)]
    new = [*old[:200], "new", *old[201:]]
    got = list(hunks("\n".join(old), "\n".join(new)))
    assert len(got) == 8
    assert got[0] == ("", "# (198 unchanged lines hidden)")
    other = [f"other {i}" for i in range(50_000)]
    assert list(hunks("\n".join(old), "\n".join(other))) == [("", "# (400 lines replaced by 50000 lines)")]


def config(name: str, data: Value, kind: str = "ConfigMap") -> Value:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "x"}, "data": data}


def simple(before: list[Value], after: list[Value]) -> Plan:
    written = tuple({ref_of(v).key: v for v in side} for side in (before, after))
    return plan(Cluster(before), Cluster(after), settings=Settings(values=True), written=(written[0], written[1]))


def every_output(result: Plan) -> list[str]:
    return [
        plan_text.render(result, PLAIN),
        plan_text.render(result, plan_text.Options(concise=True, noise=True)),
        plan_text.render(result, plan_text.Options(full=True)),
        plan_markdown.render(result, plan_markdown.Options(key="a\n-->")),
        plan_json.render(result),
        plan_json.render_gitlab(result),
    ]


_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
HOSTILE = [
    "\x1b[31mred",
    "a\nb",
    "\r\n::error file=x::pwn",
    "\u202eevil",
    "\x00",
    "\x9b2J",
    "`" * 5,
    "</details>",
    "\u200b",
    "%0A",
    "-->",
    "@all",
]


def test_property_no_raw_control_character_in_any_output() -> None:
    rng = random.Random(7)

    def word() -> str:
        return "".join(rng.choice([*HOSTILE, "x", "-", "\n"]) for _ in range(rng.randrange(1, 4)))

    for _ in range(40):

        def one(name: str) -> Value:
            value = config(name, {word(): word() for _ in range(3)})
            value["metadata"] |= {"labels": {word(): word()}, "annotations": {word(): word()}}
            return value

        names = [word() for _ in range(3)]
        result = simple([one(n) for n in names[:2]], [one(n) for n in names[1:]])
        for text in every_output(result):
            assert not _CONTROL.search(text)
            assert "\n::error" not in text
        assert json.loads(plan_json.render(result))["resource_changes"]


@pytest.mark.parametrize("text", ["::error file=x::pwn", "##vso[task.logissue]pwn", "##[error]pwn", "##teamcity[x]"])
def test_no_build_server_finds_a_command(text: str) -> None:
    value = config("c", {"f": f"a\n  {text}\n{text}\nb", text: text})
    value["metadata"]["name"] = value["apiVersion"] = text
    for output in [*every_output(simple([], [value])), *every_output(simple([value], []))]:
        assert not re.search(r"^\s*::|##(?:\[|vso\[|teamcity\[)", output, re.MULTILINE)


def test_a_canary_appears_nowhere() -> None:
    canary = "c4naryValue"
    before = [
        config("s", {"k": canary}, "Secret"),
        config("gone", {"k": canary}, "Secret"),
        config("same", {"k": canary}, "Secret"),
    ]
    before.append({**config("t", {}, "Secret"), "stringData": {"k": canary}})
    pod = {
        "containers": [{"name": "c", "env": [{"name": "X_TOKEN", "value": canary}], "args": [f"--password={canary}"]}]
    }
    after = [config("s", {"k": canary + "2"}, "Secret"), config("same", {"k": canary}, "Secret")]
    after += [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod},
        config("c", {"u": f"x://u:{canary}@h"}),
    ]
    result = simple(before, after)
    for text in [*every_output(result), repr(result)]:
        assert canary not in text


def test_fences_are_longer_than_what_is_inside() -> None:
    result = simple([], [config("c", {"f": "text\n" + "`" * 7 + "\nmore"})])
    text = plan_markdown.render(result, plan_markdown.Options())
    fence = re.findall(r"^(`+)diff$", text, re.MULTILINE)[0]
    assert len(fence) == 8
    assert text.count(f"\n{fence}\n") == 1
    assert "# (" not in text.split("<details>")[0]


def test_markdown_symbols_stand_in_the_first_column() -> None:
    result = simple([config("c", {"a": "1", "b": "1"})], [config("c", {"a": "2", "c": "1"})])
    text = plan_markdown.render(result, plan_markdown.Options())
    inside = text.split("```diff\n")[1].split("\n```")[0].split("\n")
    assert [line[0] for line in inside if re.search(r" [abc] = ", line)] == ["!", "-", "+"]
    assert not any(line.startswith("~") for line in inside)


def test_markdown_never_exceeds_its_limit() -> None:
    many = [config(f"c{i}", {f"k{j}": "v" * 50 for j in range(20)}) for i in range(300)]
    result = simple([], many)
    for limit in (65_536, 20_000, 3_000):
        text = plan_markdown.render(result, plan_markdown.Options(limit=limit))
        assert len(text) <= limit
        assert "Plan: 300 to add" in text
        assert "Shortened to fit" in text
        assert text.startswith("<!-- kplan:plan -->\n")
        assert text.count("```") == 2


def test_json_has_terraforms_keys() -> None:
    before = [config("u", {"k": "1"}), config("d", {}), {**config("r", {"k": "eA=="}, "Secret"), "type": "a"}]
    after = [config("u", {"k": "2"}), config("c", {}), {**config("r", {"k": "eQ=="}, "Secret"), "type": "b"}]
    after.append({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    document = json.loads(plan_json.render(simple(before, after)))
    assert document["format_version"] == "1.2"
    found = {r["name"]: r for r in document["resource_changes"]}
    assert {n: r["change"]["actions"] for n, r in found.items()} == {
        "u": ["update"],
        "d": ["delete"],
        "c": ["create"],
        "r": ["delete", "create"],
        "s": ["create"],
    }
    replaced = found["r"]["change"]
    assert replaced["replace_paths"] == [["type"]]
    assert replaced["before_sensitive"] == {"data": {"k": True}}
    assert replaced["before"]["data"] == {"k": "(sensitive #1)"}
    assert found["r"]["action_reason"] == "replace_because_cannot_update"
    service = found["s"]["change"]
    assert service["after_unknown"] == {"spec": {"clusterIP": True}}
    assert "clusterIP" not in service["after"]["spec"]
    assert service["before"] is None
    assert document["summary"] == {
        "add": 3,
        "change": 1,
        "destroy": 2,
        "replace": 1,
        "unchanged": 0,
        "kept": 0,
        "api_group_moved": 0,
    }


def test_a_replacement_that_creates_first_is_told_in_that_order() -> None:
    result = simple([config("c-7g4t7m57mg", {"k": "1"})], [config("c-dc5dg9m84f", {"k": "2"})])
    (change,) = json.loads(plan_json.render(result))["resource_changes"]
    assert change["change"]["actions"] == ["create", "delete"]
    text = plan_text.render(result, PLAIN)
    assert "\n+/- v1 ConfigMap x/c-dc5dg9m84f {" in text
    assert "+/- create replacement and then destroy" in text


def test_the_legend_holds_only_what_is_used() -> None:
    text = plan_text.render(simple([], [config("c", {})]), PLAIN)
    assert "  + create\n" in text
    assert "destroy and then" not in text


def test_what_is_kept_skipped_or_unreadable_is_told() -> None:
    kept = config("k", {})
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    text = plan_text.render(simple([kept], []), PLAIN)
    assert "v1 ConfigMap x/k because it is annotated helm.sh/resource-policy: keep" in text
    assert plan_text.NO_CHANGES in text


def any_value(r: random.Random, depth: int = 0) -> object:
    plain = (None, True, False, 0, -7, 2**70, 1.5, -0.0, 1e300, "", "a", 'q"\\', "\u00e4\u2028\n\x7f", Placeholder("p"))
    if depth > 3 or r.random() < 0.4:
        return r.choice(plain)
    many = [any_value(r, depth + 1) for _ in range(r.randrange(4))]
    return many if r.random() < 0.5 else {f"k{i}\u00e4": v for i, v in enumerate(many)}


def test_json_is_written_as_the_library_writes_it() -> None:
    r = random.Random(1)
    for _ in range(300):
        value = any_value(r)
        assert plan_json.text(value) == json.dumps(value, indent=2)
