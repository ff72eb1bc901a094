"""What the API server says, as findings: the rules api-server and api-warning, their names, places and field paths."""

from __future__ import annotations

import pytest

from kplan.config import Config
from kplan.lint import judge
from kplan.model import Finding, format_path
from kplan.yamlio import read

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  externalIPs: [10.0.0.7]
  ports:
    - port: 80
    - port: 80000
      name: b
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  priority: 7
  containers:
    - name: c
      image: web:1
      env: [{name: A, value: x}, {name: A, value: z}]
  volumes:
    - {name: a, emptyDir: {}}
    - name: b
      projected: {sources: [{}]}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: "web:1"}]
      volumes:
        - name: b
          projected: {sources: [{serviceAccountToken: {path: t}}, {serviceAccountToken: {path: t}}]}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: keys}
type: kubernetes.io/tls
data:
  tls.crt: ""
  tls.key: aGV5
"""
QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
spec:
  hard: {limits.cpu: "1", requests.cpu: "2"}
"""


def found(text: str, *, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> list[Finding]:
    report = judge(read(text.encode(), "a.yaml"), Config(select=select, ignore=ignore))
    return [f for f in report.findings if f.name in ("api-server", "api-warning")]


@pytest.mark.parametrize(
    ("text", "name", "severity", "line", "column", "path"),
    [
        (SERVICE, "api-server", "error", 7, 7, "spec.ports[0].name"),
        (SERVICE, "api-server", "error", 8, 13, "spec.ports[1].port"),
        (
            SERVICE.replace("    - port: 80000\n      name: b\n", ""),
            "api-warning",
            "warning",
            5,
            3,
            "spec.externalIPs",
        ),
        (POD, "api-server", "error", 5, 13, "spec.priority"),
        (POD.replace("  priority: 7\n", ""), "api-warning", "warning", 8, 34, "spec.containers[0].env[1]"),
        (DEPLOYMENT, "api-warning", "warning", 11, 11, "spec.template.spec.volumes[0]"),
        (SECRET, "api-warning", "warning", 6, 12, "data[tls.crt]"),
        (QUOTA, "api-warning", "warning", 5, 41, "spec.hard[requests.cpu]"),
    ],
)
def test_place_and_path(text: str, name: str, severity: str, line: int, column: int, path: str) -> None:
    places = [(f.name, f.severity, f.span.file, f.span.line, f.span.col, format_path(f.path)) for f in found(text)]
    assert (name, severity, "a.yaml", line, column, path) in places


@pytest.mark.parametrize("word", ["api-server", "KP120"])
def test_refusals_are_chosen_by_name(word: str) -> None:
    assert {f.rule for f in found(SERVICE, select=(word,))} == {"KP120"}
    assert found(SERVICE, ignore=(word,)) == []


@pytest.mark.parametrize("word", ["api-warning", "KP121"])
def test_warnings_are_chosen_by_name(word: str) -> None:
    assert {f.rule for f in found(SECRET, select=(word,))} == {"KP121"}
    assert found(SECRET, ignore=(word,)) == []
