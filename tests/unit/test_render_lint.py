"""Every lint format: exact output, and what hostile text becomes in it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import import_module

import pytest

from kplan.cli import LINT_FORMATS
from kplan.model import Finding, Ref, Related, Report, RuleInfo, Skipped, Span, Unreadable
from kplan.render import concise, github, gitlab, junit, markdown, rdjson, sarif, text
from kplan.render import json as json_format
from kplan.render.sanitise import clean, one_line

REF = Ref("apps", "v1", "Deployment", "shop", "web")
RULE = RuleInfo("KP201", "image-tag", "warning", "It moves.", "Pin it.", ("images", "security"))
FINDING = Finding(
    "KP201",
    "image-tag",
    "warning",
    "the image nginx can change",
    Span("deploy/web.yaml", 12, 16, 12, 21),
    REF,
    ("spec", "template", "spec", "containers", 0, "image"),
    (Related("also here", Span("deploy/other.yaml", 3, 1, 3, 4), REF),),
    "Pin it.",
    "f00d",
    "        image: nginx",
)
REPORT = Report(
    (FINDING,),
    (RULE,),
    (Skipped("chart/x.yaml", "Helm template"),),
    (),
    12,
    31,
    2,
    {"error": 0, "warning": 1, "info": 0, "baselined": 3, "skipped: Helm template": 1},
    "1.36",
)
HOSTILE = (
    "a,line=9::x%0A::error::p\n::error file=x::pwn \x1b[31m ##[stop-commands]t ##vso[task] "
    "\u202e\ud800 \x85 | @me <b> ![](u) `c`"
)


def hostile() -> Report:
    span = Span(HOSTILE, 1, 1, 1, 4)
    finding = replace(
        FINDING, message=HOSTILE, fix=HOSTILE, span=span, excerpt=HOSTILE, related=(Related(HOSTILE, span),)
    )
    return replace(
        REPORT,
        findings=(finding,),
        skipped=(Skipped(HOSTILE, HOSTILE),),
        unreadable=(Unreadable(span, HOSTILE),),
        counts={**REPORT.counts, f"skipped: {HOSTILE}": 1},
    )


def render(form: str, report: Report) -> str:
    return str(import_module(f"kplan.render.{form}").render(report))


def test_text() -> None:
    assert text.render(REPORT) == (
        "deploy/web.yaml:12:16: warning[KP201] the image nginx can change (image-tag)\n"
        " 12 |         image: nginx\n"
        "    |                ^^^^^\n"
        "  = deploy/other.yaml:3:1: also here\n"
        "  = fix: Pin it.\n"
        "\n"
        "0 errors, 1 warning, 0 info (2 suppressed, 3 in the baseline)\n"
        "12 files, 31 resources, 1 skipped (Helm template)\n"
    )


def test_text_in_colour_is_the_same_text() -> None:
    painted = text.render(REPORT, color=True)
    assert painted.startswith("\x1b[1mdeploy/web.yaml:12:16\x1b[0m: \x1b[33mwarning\x1b[0m[KP201]")
    assert re.sub(r"\x1b\[\d+m", "", painted) == text.render(REPORT)


@pytest.mark.parametrize(
    ("line", "span", "caret"),
    [
        ("a: \tb", Span("f", 1, 5, 1, 6), 5),  # a tab is printed as two characters
        ("a: \U0001f600 b", Span("f", 1, 6, 1, 7), 5),
        ("x" * 500 + "bad", Span("f", 1, 501, 1, 504), 117),
    ],
)
def test_caret_is_under_the_place(line: str, span: Span, caret: int) -> None:
    out = text.render(replace(REPORT, findings=(replace(FINDING, excerpt=line, span=span, related=(), fix=""),)))
    shown, under = out.splitlines()[1:3]
    assert under.index("^") == caret + len(" 1 | ")
    assert len(shown) <= 130


def test_concise() -> None:
    assert concise.render(REPORT).splitlines() == [
        "deploy/web.yaml:12:16: warning[KP201] the image nginx can change",
        (
            "0 errors, 1 warning, 0 info (2 suppressed, 3 in the baseline); "
            "12 files, 31 resources, 1 skipped (Helm template)"
        ),
    ]


def test_json_is_versioned_and_counts() -> None:
    data = json.loads(json_format.render(REPORT))
    assert data["format_version"] == "1.0"
    assert data["kubernetes_version"] == "1.36"
    assert data["summary"] == {
        "error": 0,
        "warning": 1,
        "info": 0,
        "files": 12,
        "resources": 31,
        "suppressed": 2,
        "baselined": 3,
        "unknown_kinds": 0,
        "skipped": {"Helm template": 1},
        "unreadable": 0,
    }
    assert data["findings"][0]["object"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
    }
    assert data["findings"][0]["path"] == "spec.template.spec.containers[0].image"


def test_json_fits_its_schema() -> None:
    import jsonschema

    from kplan.resources import data_dir

    schema = json.loads((data_dir("schemas") / "kplan" / "findings.v1.schema.json").read_text(encoding="utf-8"))
    for report in (REPORT, hostile()):
        jsonschema.Draft202012Validator(schema).validate(json.loads(json_format.render(report)))


def test_github_annotation() -> None:
    assert github.render(REPORT) == (
        "::warning file=deploy/web.yaml,line=12,endLine=12,col=16,endColumn=21,title=KP201 image-tag"
        "::the image nginx can change%0Afix: Pin it.\n"
    )


def test_github_leaves_columns_out_where_the_runner_drops_them() -> None:
    long = replace(FINDING, span=Span("a.yaml", 1, 2, 3, 4))
    assert "::warning file=a.yaml,line=1,endLine=3,title=" in github.render(replace(REPORT, findings=(long,)))


def test_github_keeps_to_the_limits_of_the_runner() -> None:
    findings = tuple(replace(FINDING, severity=s) for s in ("error", "warning", "info") for _ in range(12))
    counts = {"error": 12, "warning": 12, "info": 12}
    lines = github.render(replace(REPORT, findings=findings, counts=counts)).splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
    assert lines[-1] == "::notice title=kplan::7 more findings are in the log and in the other outputs"


def test_github_wrap() -> None:
    assert github.wrap("a\nb\n", "t0k") == "::stop-commands::t0k\na\nb\n::t0k::\n"


def test_gitlab() -> None:
    assert json.loads(gitlab.render(REPORT)) == [
        {
            "description": "KP201 image-tag: the image nginx can change",
            "check_name": "KP201",
            "fingerprint": "f00d",
            "severity": "major",
            "location": {"path": "deploy/web.yaml", "lines": {"begin": 12, "end": 12}},
        }
    ]


def test_rdjson_counts_bytes() -> None:
    finding = replace(FINDING, excerpt="é😀: x", span=Span("a.yaml", 1, 5, 1, 6))
    data = json.loads(rdjson.render(replace(REPORT, findings=(finding,))))
    assert data["diagnostics"][0]["location"]["range"] == {
        "start": {"line": 1, "column": 9},
        "end": {"line": 1, "column": 10},
    }


def test_rdjson_gives_no_column_without_the_line() -> None:
    data = json.loads(rdjson.render(replace(REPORT, findings=(replace(FINDING, excerpt=""),))))
    assert data["diagnostics"][0]["location"]["range"] == {"start": {"line": 12}, "end": {"line": 12}}


def test_sarif() -> None:
    data = json.loads(sarif.render(REPORT))
    assert data["version"] == "2.1.0"
    [run] = data["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["automationDetails"]["id"] == "kplan/lint/"
    assert run["invocations"] == [{"executionSuccessful": True}]
    [rule] = run["tool"]["driver"]["rules"]
    assert rule["id"] == "KP201"
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"] == {
        "problem.severity": "warning",
        "tags": ["images", "security"],
        "security-severity": "5.5",
    }
    [result] = run["results"]
    assert result["ruleIndex"] == 0
    assert result["partialFingerprints"] == {"kplanFingerprint/v1": "f00d"}
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "deploy/web.yaml"}
    assert place["region"] == {"startLine": 12, "startColumn": 16, "endLine": 12, "endColumn": 21}
    assert result["relatedLocations"][0]["message"] == {"text": "also here"}


def test_sarif_escapes_the_uri() -> None:
    odd = replace(FINDING, span=Span("a b/ü%.yaml", 1, 1, 1, 2))
    data = json.loads(sarif.render(replace(REPORT, findings=(odd,))))
    uri = data["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC%25.yaml"


def test_junit() -> None:
    root = ET.fromstring(junit.render(REPORT).split("\n", 1)[1])
    assert root.attrib == {"name": "kplan lint", "tests": "1", "failures": "1"}
    [suite] = root
    assert suite.get("name") == "deploy/web.yaml"
    [case] = suite
    assert case.get("classname") == "kplan.KP201"
    assert case.get("name") == "KP201 image-tag at deploy/web.yaml:12:16"
    [failure] = case
    assert failure.get("message") == "the image nginx can change"


def test_junit_names_are_unique_and_a_clean_run_passes() -> None:
    twice = junit.render(replace(REPORT, findings=(FINDING, FINDING)))
    names = [c.get("name") for c in ET.fromstring(twice.split("\n", 1)[1]).iter("testcase")]
    assert len(set(names)) == 2
    clean_run = ET.fromstring(junit.render(replace(REPORT, findings=())).split("\n", 1)[1])
    assert [c.get("name") for c in clean_run.iter("testcase")] == [
        "no findings: 12 files, 31 resources, 1 skipped (Helm template)"
    ]


def test_markdown() -> None:
    assert markdown.render(REPORT) == (
        "### kplan lint: 0 errors, 1 warning, 0 info (2 suppressed, 3 in the baseline)\n"
        "\n"
        "| | place | rule | finding |\n"
        "|---|---|---|---|\n"
        "| :warning: | `deploy/web.yaml:12` | KP201 image-tag | the image nginx can change<br>Pin it. |\n"
        "\n"
        "12 files, 31 resources, 1 skipped \\(Helm template\\)\n"
    )


def test_markdown_fence_is_longer_than_what_is_inside() -> None:
    assert markdown.code("a``b") == "```a``b```"
    assert markdown.code("`a|b`") == "`` `a\\|b` ``"


@pytest.mark.parametrize("form", LINT_FORMATS)
def test_no_format_lets_hostile_text_through(form: str) -> None:
    out = render(form, hostile())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", out)
    commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
    if form == "github":
        commands = [c for c in commands if not c.startswith("::warning file=")]
    assert commands == []
    assert "##[" not in out
    assert "##vso[" not in out
    out.encode("utf-8")


def test_github_property_cannot_be_left() -> None:
    [line] = github.render(hostile()).splitlines()
    properties = line.removeprefix("::warning ").split("::")[0]
    assert [p.split("=")[0] for p in properties.split(",")] == ["file", "line", "endLine", "col", "endColumn", "title"]


def test_markdown_cell_cannot_be_left() -> None:
    [row] = [line for line in markdown.render(hostile()).splitlines() if line.startswith("| :warning:")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    cell = row.rsplit(" | ", 1)[1]
    assert "<b>" not in cell
    assert "@me" not in cell
    assert "![" not in cell


@pytest.mark.parametrize(
    ("raw", "kept", "in_line"),
    [
        ("plain é 😀", "plain é 😀", "plain é 😀"),
        ("a\nb\tc", "a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31m\r\x07\x7f\x9b", "\\e[31m\\r\\x07\\x7f\\x9b", "\\e[31m\\r\\x07\\x7f\\x9b"),
        (
            "\u202e\u2066\u200b\ufeff\u2028",
            "\\u202e\\u2066\\u200b\\ufeff\\u2028",
            "\\u202e\\u2066\\u200b\\ufeff\\u2028",
        ),
        ("\ud800", "\\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041", "\\U000e0041"),
        ("x ##[error]y ##vso[z]", "x \\x23#[error]y \\x23#vso[z]", "x \\x23#[error]y \\x23#vso[z]"),
        ("  ::error::x", "  \\x3a:error::x", "  \\x3a:error::x"),
    ],
)
def test_sanitise(raw: str, kept: str, in_line: str) -> None:
    assert clean(raw) == kept
    assert one_line(raw) == in_line
