"""The lint pipeline: stages, suppressions, baseline, focus, worlds, rules of the user, and what never leaks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from kplan.config import Config, Ignore
from kplan.errors import KplanError
from kplan.lint import baseline, fieldpath, judge, lint, ruleindex, ruleset
from kplan.lint.checks import CHECKS, stage
from kplan.lint.run import rules_of
from kplan.model import Loaded, Report
from kplan.yamlio import load_value, read

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx
"""
ONLY_TAGS = Config(select=("image-tag", "unused-suppression", "invalid-suppression"))


def together(*parts: Loaded) -> Loaded:
    return Loaded(
        tuple(d for p in parts for d in p.documents), (), tuple(u for p in parts for u in p.unreadable), len(parts)
    )


def run(text: str, config: Config = ONLY_TAGS, file: str = "web.yaml") -> Report:
    return judge(read(text.encode(), file), config)


def places(report: Report) -> list[tuple[int, str]]:
    return [(f.span.line, f.name) for f in report.findings]


def test_a_finding_has_its_place_and_its_line() -> None:
    [f] = run(DEPLOYMENT).findings
    assert (str(f.span), f.span.end_col, f.excerpt) == ("web.yaml:12:18", 23, "          image: nginx")
    assert f.message == "container web: the image nginx can change under you"
    assert str(f.ref) == "apps/v1 Deployment web"


def test_lint_reads_paths(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(DEPLOYMENT)
    (tmp_path / "b.yaml").write_text("a: [")
    (tmp_path / "c.yaml").write_text("apiVersion: v1\nkind: [\n")
    report = lint([tmp_path], ONLY_TAGS)
    assert [(Path(f.span.file).name, f.name) for f in report.findings] == [
        ("a.yaml", "image-tag"),
        ("c.yaml", "unreadable"),
    ]
    assert (report.files, report.objects, len(report.unreadable)) == (3, 1, 1)
    assert report.counts["skipped: no apiVersion and kind"] == 1


# Suppressions


@pytest.mark.parametrize(
    ("comment", "expected", "suppressed"),
    [
        ("image: nginx  # kplan: ignore[image-tag] pinned by a bot", [], 1),
        ("# kplan: ignore[image-tag] pinned by a bot\n          image: nginx", [], 1),
        ("# kplan: ignore[KP201] pinned\n          # and more\n          image: nginx", [], 1),
        ("image: nginx  # kplan: ignore[image-digest, image-tag] pinned", [], 1),
        ("image: nginx  # kplan: ignore[image-tag]", [], 1),
        ("image: nginx  # kplan: ignore[cpu-request-missing] no reason to", [(12, "image-tag")], 0),
        ("image: nginx:1  # kplan: ignore[image-tag] pinned", [(12, "unused-suppression")], 0),
        ("image: nginx:1  # kplan: ignore[image-tog] pinned", [(12, "invalid-suppression")], 0),
        ("image: nginx:1  # kplan: ignore pinned", [(12, "invalid-suppression")], 0),
        ("image: nginx:1  # kplan: ignore[image-tag]", [(12, "invalid-suppression")], 0),
    ],
)
def test_comments(comment: str, expected: list[tuple[int, str]], suppressed: int) -> None:
    report = run(DEPLOYMENT.replace("image: nginx", comment))
    assert (places(report), report.suppressed) == (expected, suppressed)


def test_a_comment_elsewhere_does_nothing() -> None:
    text = DEPLOYMENT.replace("- name: web", "- name: web  # kplan: ignore[image-tag] wrong place")
    assert places(run(text)) == [(11, "unused-suppression"), (12, "image-tag")]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("  name: web\n", "  name: web\n  annotations: {kplan.dev/ignore: image-tag=pinned by a bot}\n"),
        (
            "metadata: {labels: {app: web}}",
            "metadata: {labels: {app: web}, annotations: {kplan.dev/ignore: 'KP202=x; KP201=pinned'}}",
        ),
    ],
)
def test_annotations(at: str, text: str) -> None:
    report = run(DEPLOYMENT.replace(at, text))
    assert (places(report), report.suppressed) == ([], 1)


def test_an_unused_annotation_is_told() -> None:
    text = DEPLOYMENT.replace("image: nginx", "image: nginx:1").replace(
        "  name: web\n", "  name: web\n  annotations:\n    kplan.dev/ignore: image-tag=pinned\n"
    )
    assert places(run(text)) == [(6, "unused-suppression")]


@pytest.mark.parametrize(
    ("ignore", "hit"),
    [
        (Ignore("image-tag"), True),
        (Ignore("KP201", kind="Deploy*", name="web", path="*.yaml"), True),
        (Ignore("*", path="vendor/*"), True),
        (Ignore("image-tag", kind="StatefulSet"), False),
        (Ignore("image-tag", namespace="shop"), False),
        (Ignore("cpu-request-missing"), False),
    ],
)
def test_configured_ignores(ignore: Ignore, hit: bool) -> None:
    config = Config(select=("image-tag",), ignores=(ignore,))
    report = run(DEPLOYMENT, config, "repo/vendor/web.yaml")
    assert report.suppressed == int(hit)


# Baseline and fingerprints


def test_baseline_knows_what_has_moved() -> None:
    first = run(DEPLOYMENT)
    known = baseline.parse(baseline.dump(first.findings), "known.json")
    moved = "# a new comment\n\n" + DEPLOYMENT.replace("nginx", "apache")
    report = judge(read(moved.encode(), "elsewhere.yaml"), ONLY_TAGS, known=known)
    assert (report.findings, report.counts["baselined"]) == ((), 1)


def test_baseline_leaves_what_is_new() -> None:
    known = baseline.parse(baseline.dump(run(DEPLOYMENT).findings), "known.json")
    second = DEPLOYMENT + "        - name: sidecar\n          image: envoy\n"
    report = judge(read(second.encode(), "web.yaml"), ONLY_TAGS, known=known)
    assert places(report) == [(14, "image-tag")]


def test_same_identity_twice_has_two_fingerprints() -> None:
    report = run(f"{DEPLOYMENT}---\n{DEPLOYMENT}")
    assert len({f.fingerprint for f in report.findings}) == 2
    known = Counter([report.findings[0].fingerprint])
    assert len(baseline.subtract(report.findings, known)[0]) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": "1.0"}', "{" * 100_000])
def test_broken_baseline(text: str) -> None:
    with pytest.raises(KplanError, match=r"x\.json is no baseline"):
        baseline.parse(text, "x.json")


def test_baseline_of_another_version() -> None:
    with pytest.raises(KplanError, match="format version 2"):
        baseline.parse('{"format_version": "2.0", "findings": []}', "x.json")


# Context and worlds

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"


def test_focus_reports_on_some_files_and_reads_all() -> None:
    loaded = together(read(DEPLOYMENT.encode(), "a/web.yaml"), read(SERVICE.encode(), "a/svc.yaml"))
    config = Config(select=("image-tag", "readiness-probe-missing", "service-selects-nothing"))
    assert judge(loaded, config, focus={"a/svc.yaml"}).findings == ()
    both = judge(loaded, config, focus={"a/web.yaml"})
    assert [f.name for f in both.findings] == ["readiness-probe-missing", "image-tag"]
    assert (both.files, both.objects) == (1, 1)


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  serviceAccountName: web
  containers: [{name: web, image: "web:1", envFrom: [{configMapRef: {name: settings}}]}]
"""


def test_open_world_believes_in_what_it_cannot_see() -> None:
    missing = ("configmap-missing", "service-account-missing")
    assert run(POD, Config(select=missing)).findings == ()
    closed = run(POD, Config(select=missing, closed_world=True))
    assert [(f.name, f.severity) for f in closed.findings] == [
        ("service-account-missing", "error"),
        ("configmap-missing", "error"),
    ]


def test_externals_exist() -> None:
    config = Config(select=("configmap-missing",), closed_world=True, externals=("ConfigMap/*/settings",))
    assert run(POD, config).findings == ()


def test_a_near_name_is_a_mistake_in_any_world() -> None:
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: setting}\n"
    loaded = together(read(POD.encode(), "a/pod.yaml"), read(other.encode(), "b/c.yaml"))
    [f] = judge(loaded, Config(select=("configmap-missing",))).findings
    assert f.message == "ConfigMap settings is not in the input; did you mean setting?"


def test_what_a_kustomization_completes_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(DEPLOYMENT.replace("  selector: {matchLabels: {app: web}}\n", ""))
    config = Config(select=("api-server",))
    assert "spec.selector: Required value" in {f.message for f in lint([tmp_path], config).findings}
    (tmp_path / "kustomization.yaml").write_text("commonLabels: {app: web}\nresources: [web.yaml]\n")
    assert lint([tmp_path], config).findings == ()


# Severity and choice


def test_choice_of_rules() -> None:
    rules = rules_of(Config())
    ids = lambda **how: {r.id for r in ruleset.choose(rules, **{"severities": {}, **how})}  # noqa: E731
    assert "KP202" not in ids()
    assert ids(select=("image-digest",)) == {"KP202"}
    assert ids(select=("default", "pss-restricted")) - ids() == {"KP321", "KP322", "KP323", "KP324", "KP325", "KP326"}
    assert ids(ignore=("security", "rbac", "images")) & {"KP201", "KP301", "KP351"} == set()
    assert "KP202" in ids(severities={"image-digest": "error"})
    assert "KP201" not in ids(severities={"KP201": "off"})
    assert len(ids(select=("all",))) == len(rules)


@pytest.mark.parametrize("word", ["image-tog", "KP999"])
def test_an_unknown_rule_is_an_error(word: str) -> None:
    for config in (Config(select=(word,)), Config(ignore=(word,)), Config(rules={word: "error"})):
        with pytest.raises(KplanError, match="there is no rule"):
            run(DEPLOYMENT, config)


def test_severity_by_name() -> None:
    assert [f.severity for f in run(DEPLOYMENT, Config(select=("KP201",), rules={"image-tag": "error"})).findings] == [
        "error"
    ]


# Rules of the user

USER_RULE = """\
id: ACME001
name: team-label
severity: warning
since: 1.0.0
target: [Deployment]
check: {schema: {properties: {metadata: {required: [labels], properties: {labels: {required: [team]}}}}}}
message: "{kind} {name} has no team"
why: Somebody must answer the phone.
fix: Add the label team.
examples: {bad: "", good: ""}
"""


def user_rules(folder: Path, text: str) -> Config:
    folder.mkdir(exist_ok=True)
    (folder / "rule.yaml").write_text(text)
    return Config(select=("team-label",), rule_dirs=(str(folder),))


def test_user_rule(tmp_path: Path) -> None:
    report = run(DEPLOYMENT, user_rules(tmp_path / "rules", USER_RULE))
    assert [(f.rule, f.message, f.span.line) for f in report.findings] == [("ACME001", "Deployment web has no team", 3)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: ACME001", "id: KP201", "ids that start with KP are kplan's own"),
        ("id: ACME001", "id: acme", "a rule has an id like ABC123"),
        ("name: team-label", "name: image-tag", "image-tag is the name of another rule"),
        ("severity: warning", "severity: loud", "severity must be one of"),
        ("why: Somebody must answer the phone.\n", "", "a rule needs why"),
        ("fix:", "hint: x\nfix:", "a rule has no key 'hint'"),
        ("target: [Deployment]", "target: deployment", "target must be one of"),
        ("check: {schema:", "check: {schemas:", "did you mean schema?"),
        ("check: {schema: {", "check: {schema: {$ref: 'http://x', ", "uses $ref, which is not supported"),
        ("check: {schema: {", "check: {schema: {pattern: '(a', ", "missing"),
        ("check: {schema: {", "check: {schema: {pattern: '(?=a)', ", "ACME001 team-label"),
        ("check: {schema: {", "check: {schema: {required: team, ", "required must be an array"),
        ("check: {schema: {", "check: {schema: {not: {items: 3}, ", "a schema must be a mapping"),
        ("check: {schema:", "check: {stage: source}\nx: {schema:", "has no key 'x'"),
        ("fix:", "only: [x]\nfix:", "only must be a mapping"),
        ("fix:", "only: {roles: [main]}\nfix:", "roles must be some of"),
        ("fix:", "only: {kind: [Pod]}\nfix:", "only must hold lists under kinds and roles"),
        ("fix:", "tags: security\nfix:", "tags must be a list"),
        ("fix:", "at: 3\nfix:", "at must be a path"),
        ("fix:", "closed-world: loud\nfix:", "closed-world must be one of"),
        ("id: ACME001", "- 1", "rule"),
    ],
)
def test_broken_user_rules(tmp_path: Path, old: str, new: str, message: str) -> None:
    config = user_rules(tmp_path / "rules", USER_RULE.replace(old, new, 1))
    with pytest.raises(KplanError) as error:
        run(DEPLOYMENT, config)
    assert message in error.value.message


def test_patterns_of_users_cannot_stop_the_program(tmp_path: Path) -> None:
    rule = USER_RULE.replace(
        "properties: {metadata: {required: [labels]", "properties: {kind: {pattern: '^(a+)+$'}, x: {required: [y]"
    )
    text = DEPLOYMENT.replace("name: web\n", f"name: web\n  labels: {{a: {'a' * 5000}b}}\n", 1)
    schema = "{properties: {metadata: {properties: {labels: {properties: {a: {pattern: '^(a+)+$'}}}}}}}"
    rule = USER_RULE.split("check:", 1)[0] + f"check: {{schema: {schema}}}\n" + USER_RULE.split("\n", 6)[6]
    assert [f.rule for f in run(text, user_rules(tmp_path / "rules", rule)).findings] == ["ACME001"]


def test_a_rule_that_fails_is_a_finding_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(parameters: object, trusted: bool) -> object:
        def check(site: object) -> object:
            raise ZeroDivisionError("a secret text")

        return check

    monkeypatch.setitem(CHECKS, "broken", "stage.broken")  # type: ignore[arg-type]
    monkeypatch.setattr(stage, "broken", broken, raising=False)
    rule = USER_RULE.split("check:", 1)[0] + "check: {broken: {}}\n" + USER_RULE.split("\n", 6)[6]
    config = user_rules(tmp_path / "rules", rule)
    report = run(DEPLOYMENT, Config(select=("team-label", "image-tag", "rule-crash"), rule_dirs=config.rule_dirs))
    assert [(f.rule, f.message) for f in report.findings] == [
        ("KP000", "ACME001 team-label broke down on this object: ZeroDivisionError"),
        ("KP201", "container web: the image nginx can change under you"),
    ]


# Hostile and broken input


@pytest.mark.parametrize(
    "spec",
    ["3", "[]", "{template: 3}", "{template: {spec: {containers: 3}}}", "{template: {spec: {containers: [3, {}]}}}"]
    + ["{template: {spec: {containers: [{name: {}, image: [], resources: 3, env: 4, securityContext: []}]}}}"]
    + ["{template: {metadata: 3, spec: {volumes: {}, initContainers: x, securityContext: 7, affinity: []}}}"]
    + ["{selector: x, replicas: [], template: {metadata: {labels: [a], annotations: 3}, spec: {hostNetwork: {}}}}"],
)
@pytest.mark.parametrize("kind", ["Deployment", "Pod", "Service", "Ingress", "PodDisruptionBudget", "CronJob"])
def test_no_shape_of_input_breaks_a_rule(kind: str, spec: str) -> None:
    api = {
        "Deployment": "apps/v1",
        "Ingress": "networking.k8s.io/v1",
        "PodDisruptionBudget": "policy/v1",
        "CronJob": "batch/v1",
    }
    text = f"apiVersion: {api.get(kind, 'v1')}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    report = run(text, Config(select=("all",)))
    assert "KP000" not in {f.rule for f in report.findings}


CANARY = "c4n4ry-v4lue"


def test_no_secret_reaches_the_report() -> None:
    text = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: a
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{{"data":"{CANARY}"}}'
    kplan.dev/ignore: unknown-rule=x
data: {{a: {CANARY}, b: [{CANARY}]}}
stringData: {{"bad key {CANARY[:0]}": {CANARY}, c: 3}}
type: kubernetes.io/tls
immutable: {CANARY}
---
apiVersion: v1
kind: Pod
metadata: {{name: b}}
spec:
  containers:
    - {{name: web, image: "web", env: [{{name: API_TOKEN, value: {CANARY}}}]}}
"""
    report = run(text, Config(select=("all",)))
    assert {f.name for f in report.findings} >= {"wrong-type", "secret-in-env", "last-applied-annotation", "image-tag"}
    assert [f for f in report.findings if CANARY in f"{f.message} {f.fix} {f.excerpt} {f.related}"] == []
    only = run(text, Config(select=("image-tag",)))
    assert [f.excerpt for f in only.findings] == [""]


@pytest.mark.parametrize(
    ("text", "value", "path"),
    [
        (
            "spec.containers[0].ports[1].name",
            {"spec": {"containers": [{"ports": [{}, {}]}]}},
            "spec containers 0 ports 1 name",
        ),
        ("metadata.labels[a/b.c]", {"metadata": {"labels": {"a/b.c": "x"}}}, "metadata labels a/b.c"),
        (
            "spec.selector.matchLabels.a.b/c",
            {"spec": {"selector": {"matchLabels": {"a.b/c": 1}}}},
            "spec selector matchLabels a.b/c",
        ),
        ("data[1]", {"data": {"1": "x"}}, "data 1"),
        ("spec.x.y", {}, "spec x y"),
        ("", {}, ""),
        ("a[", {}, "a ["),
    ],
)
def test_field_paths(text: str, value: object, path: str) -> None:
    assert " ".join(map(str, fieldpath.parse(text, value))) == path


def test_index_is_what_the_files_say() -> None:
    assert ruleindex.dump(load_value) == Path(ruleindex.FILE).read_text(encoding="utf-8")
    plain = ruleset.load(load_value, compiled=False)
    fast = ruleset.load(lambda text, name: pytest.fail(f"{name} is not in the index"))
    assert [r.check for r in plain] == [r.check for r in fast]


def test_an_edited_rule_counts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules" / "images").mkdir(parents=True)
    [file] = [f for f in ruleindex.shipped() if "KP201" in f.name]
    source = Path(file.path).read_text(encoding="utf-8")
    copy = tmp_path / "rules" / file.family / file.name
    monkeypatch.setattr(ruleindex, "data_path", lambda name: str(tmp_path / name))
    longer = source.replace("severity: warning", "severity: info")
    as_long = source.replace("severity: warning", "severity: error  ")
    for text, severity in ((source, "warning"), (longer, "info"), (as_long, "error")):
        copy.write_text(text, encoding="utf-8")
        [rule] = ruleset.load(load_value)
        assert rule.severity == severity
    assert len(as_long) == len(source)


def test_docs_are_fresh() -> None:
    import importlib.util

    path = Path(__file__).resolve().parents[2] / "tools" / "generate_docs.py"
    spec = importlib.util.spec_from_file_location("generate_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0


def test_json_of_the_baseline_is_sorted() -> None:
    rows = json.loads(baseline.dump(run(f"{DEPLOYMENT}---\n{DEPLOYMENT.replace('web', 'app')}").findings))["findings"]
    assert [r["object"] for r in rows] == sorted(r["object"] for r in rows) or len(rows) == 2
