"""Where manifests come from: folders, globs, links, commits; what is skipped, refused and counted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kplan.errors import KplanError
from kplan.model import Loaded
from kplan.source import documents, kinds, load
from kplan.source.entry import Entry
from kplan.source.files import excluded
from kplan.yamlio import Limits, read_one

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
PATCH = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, $patch: delete}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything, which is also the current one."""
    monkeypatch.chdir(tmp_path)
    files = {
        "b.yaml": POD,
        "a/deep/x.yml": POD,
        "a/deep.yaml": POD,
        "a/list.json": '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}]}',
        "a/notes.txt": "no manifest",
        ".hidden/x.yaml": POD,
        ".hidden.yaml": POD,
        "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "chart/values.yaml": "replicas: 1\n",
        "chart/templates/pod.yaml": 'apiVersion: v1\nkind: Pod\nmetadata: {name: "{{ .Release.Name }}"}\n',
        "chart/templates/plain.yaml": POD,
        "overlay/kustomization.yaml": "resources: [../b.yaml]\npatches:\n- path: patches/x.yaml\n- path: ./y.yaml\n",
        "overlay/patches/x.yaml": POD,
        "overlay/y.yaml": POD,
        "overlay/z.yaml": PATCH,
        "other.yaml": "settings: 1\n",
        "empty.yaml": "# nothing\n",
        "broken.json": '{"a": [1, 2',
        "template.yaml": "metadata:\n  name: {{ name }}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def read(loaded: Loaded) -> list[str]:
    return [d.file for d in loaded.documents]


def skipped(loaded: Loaded) -> dict[str, str]:
    return {s.file: s.reason for s in loaded.skipped}


def refused(loaded: Loaded) -> list[str]:
    return [f"{u.span}: {u.message}" for u in loaded.unreadable]


def test_a_folder(tree: Path) -> None:
    loaded = load(["."])
    assert read(loaded) == ["a/deep/x.yml", "a/deep.yaml", "a/list.json", "b.yaml", "chart/templates/plain.yaml"]
    assert skipped(loaded) == {
        "broken.json": kinds.NO_MANIFEST,
        "chart/Chart.yaml": "Helm chart",
        "chart/templates/pod.yaml": kinds.CHART_TEMPLATE,
        "chart/values.yaml": "Helm values",
        "empty.yaml": "empty",
        "other.yaml": kinds.NO_MANIFEST,
        "overlay/kustomization.yaml": "kustomization",
        "overlay/patches/x.yaml": "kustomize patch",
        "overlay/y.yaml": "kustomize patch",
        "overlay/z.yaml": "kustomize patch",
        "template.yaml": kinds.TEMPLATE,
    }
    assert refused(loaded) == []
    assert loaded.files == 16


def test_files_by_name(tree: Path) -> None:
    loaded = load(["other.yaml", "broken.json", "chart/values.yaml", "overlay/patches/x.yaml", Path("b.yaml")])
    assert read(loaded) == ["b.yaml"]
    assert skipped(loaded) == {"chart/values.yaml": "Helm values", "overlay/patches/x.yaml": "kustomize patch"}
    assert refused(loaded) == [
        "other.yaml:1:1: no manifest: it has no apiVersion and kind",
        "broken.json:2:1: unexpected EOF",
    ]


def test_a_document_beside_manifests_must_be_one(tree: Path) -> None:
    (tree / "b.yaml").write_text(POD + "---\nmetadata: {}\n", encoding="utf-8")
    assert refused(load(["."])) == ["b.yaml:5:1: no manifest: it has no apiVersion and kind"]


def test_a_broken_manifest_in_a_folder_is_told(tree: Path) -> None:
    (tree / "b.yaml").write_text(POD + "  x: y\n", encoding="utf-8")
    assert refused(load(["."])) == ["b.yaml:4:3: did not find expected key"]


def test_braces_in_a_text_make_no_template(tree: Path) -> None:
    rule = POD + 'spec:\n  text: "{{ $value }}"\n\n\n bad\n'
    (tree / "b.yaml").write_text(rule, encoding="utf-8")
    assert refused(load(["."])) == ["b.yaml:8:2: did not find expected key"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a/*.yaml", ["a/deep.yaml"]),
        ("a/d*", ["a/deep/x.yml", "a/deep.yaml"]),
        ("**/*.yml", ["a/deep/x.yml"]),
        ("a/**", ["a/deep/x.yml", "a/deep.yaml", "a/list.json"]),
        ("./**/de?p", ["a/deep/x.yml"]),
        ("[ab].yaml", ["b.yaml"]),
        ("**/[!b].y*ml", ["a/deep/x.yml"]),
    ],
)
def test_globs(tree: Path, pattern: str, expected: list[str]) -> None:
    assert read(load([pattern])) == expected


@pytest.mark.parametrize("path", ["nope.yaml", "nope*", "**/nope", "", "a\0b", "b.yaml/x"])
def test_a_path_that_does_not_exist(tree: Path, path: str) -> None:
    with pytest.raises(KplanError):
        load([path])


def test_a_file_is_read_once(tree: Path) -> None:
    assert read(load(["b.yaml", "./b.yaml", "a", "a/deep.yaml"])) == [
        "b.yaml",
        "a/deep/x.yml",
        "a/deep.yaml",
        "a/list.json",
    ]


def test_standard_input() -> None:
    loaded = load(["-"], stdin=f"{POD}---\nfoo: 1\n".encode())
    assert read(loaded) == ["<stdin>"]
    assert refused(loaded) == ["<stdin>:5:1: no manifest: it has no apiVersion and kind"]
    with pytest.raises(KplanError, match="standard input"):
        load(["-"])


def test_links(tree: Path) -> None:
    (tree / "outside.yaml").write_text(POD, encoding="utf-8")
    for name, target in {
        "a/loop": "..",
        "a/itself": "itself",
        "a/again.yaml": "deep.yaml",
        "a/gone.yaml": "gone",
        "a/from-hidden.yaml": ".x.yaml",
        "a/out.yaml": "../outside.yaml",
        "a/folder": "deep",
    }.items():
        (tree / name).symlink_to(target)
    (tree / "a/.x.yaml").write_text(POD, encoding="utf-8")
    loaded = load(["a"])
    assert read(loaded) == ["a/deep/x.yml", "a/deep.yaml", "a/from-hidden.yaml", "a/list.json"]
    assert skipped(loaded) == {
        "a/gone.yaml": "link to nothing",
        "a/loop": "link out of the folder",
        "a/out.yaml": "link out of the folder",
    }
    assert len(read(load(["**/*.yaml"]))) == 5
    assert read(load(["a/out.yaml"])) == ["a/out.yaml"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_regular_file_is_not_opened(tree: Path) -> None:
    os.mkfifo(tree / "a/pipe.yaml")
    assert skipped(load(["a"])) == {"a/pipe.yaml": "not a regular file"}
    assert refused(load(["a/pipe.yaml"])) == ["a/pipe.yaml:1:1: cannot be read: not a regular file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tree: Path) -> None:
    (tree / "b.yaml").chmod(0)
    assert refused(load(["b.yaml"])) == ["b.yaml:1:1: cannot be read: Permission denied"]


def test_a_file_beyond_the_limit(tree: Path) -> None:
    small = Limits(file_bytes=20)
    assert refused(load(["b.yaml"], limits=small)) == ["b.yaml:1:1: a file of more than 20 bytes"]


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b/c.yaml", "a/b", True),
        ("a/b/c.yaml", "a/b/", True),
        ("a/b/c.yaml", "a/b/**", True),
        ("a/b/c.yaml", "./a/*.yaml", True),
        ("a/b/c.yaml", "b", True),
        ("a/b/c.yaml", "*.yaml", True),
        ("a/b/c.yaml", "b/c.yaml", False),
        ("a/b/c.yaml", "C.yaml", False),
        ("a/b/c.yaml", "a/c", False),
    ],
)
def test_patterns_that_exclude(path: str, pattern: str, expected: bool) -> None:
    assert excluded(path, (pattern,)) is expected


def test_what_is_excluded_is_counted(tree: Path) -> None:
    loaded = load(["a", "b.yaml"], exclude=["a/deep/**", "b.yaml"])
    assert read(loaded) == ["a/deep.yaml", "a/list.json"]
    assert skipped(loaded) == {"a/deep": "excluded", "b.yaml": "excluded"}


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_commits(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "a/link.yaml").symlink_to("deep.yaml")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (tree / "b.yaml").write_text("changed", encoding="utf-8")
    loaded = load(["git:main"], exclude=["a"])
    assert read(loaded) == ["git:main:b.yaml", "git:main:chart/templates/plain.yaml"]
    assert skipped(loaded)["git:main:a/deep.yaml"] == "excluded"
    assert skipped(loaded)["git:main:chart/templates/pod.yaml"] == kinds.CHART_TEMPLATE
    assert skipped(loaded)["git:main:overlay/patches/x.yaml"] == "kustomize patch"
    assert read(load(["git:HEAD:a/deep.yaml"])) == ["git:HEAD:a/deep.yaml"]
    assert refused(load(["git:HEAD:other.yaml"])) == [
        "git:HEAD:other.yaml:1:1: no manifest: it has no apiVersion and kind"
    ]
    assert refused(load(["git:main:b.yaml"], limits=Limits(file_bytes=9))) == [
        "git:main:b.yaml:1:1: cannot be read: a file of more than 9 bytes"
    ]
    monkeypatch.chdir(tree / "a")
    assert read(load(["git:main"])) == ["git:main:deep.yaml", "git:main:deep/x.yml", "git:main:list.json"]
    for address in ("git:nope", "git:main:nope", "git:main:--output=x"):
        with pytest.raises(KplanError):
            load([address])


@pytest.mark.parametrize("address", ["git:", "git:-x", "git:--upload-pack=x:a", "git:a\nb"])
def test_what_is_no_name_of_a_commit(address: str) -> None:
    with pytest.raises(KplanError, match="is no name of a commit"):
        load([address])


def test_outside_a_repository(tree: Path) -> None:
    with pytest.raises(KplanError, match="git"):
        load(["git:main"])


@pytest.mark.parametrize(
    ("file", "value", "reason"),
    [
        ("x.yaml", {"apiVersion": "v1", "kind": "Pod"}, ""),
        ("x.yaml", {"kind": "Pod", "metadata": {}}, ""),
        ("x.yaml", {"apiVersion": "v1", "metadata": {}}, ""),
        ("x.yaml", {"kind": "Pod"}, kinds.NO_MANIFEST),
        ("x.yaml", "text", kinds.NO_MANIFEST),
        ("x.yaml", [], kinds.NO_MANIFEST),
        ("x.yaml", [{"op": "add", "path": "/x", "value": 1}], "JSON patch"),
        ("x.yaml", {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Component"}, "kustomization"),
        ("x.yaml", {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}, ""),
        ("a/kustomization.yml", {"resources": []}, "kustomization"),
        ("x.yaml", {"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster"}, "kind cluster configuration"),
        ("x.yaml", {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster"}, ""),
        ("x.yaml", {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "X"}, "scheduler configuration"),
        ("x.yaml", {"apiVersion": "v1", "kind": "Policy", "predicates": []}, "scheduler configuration"),
        ("x.yaml", {"apiVersion": "v1", "kind": "Config", "contexts": []}, "kubeconfig"),
        ("x.yaml", {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}, "istioctl configuration"),
        ("x.yaml", {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": {"name": "x"}}, ""),
        ("x.yaml", {"apiVersion": "v1", "kind": "Pod", "spec": [{"a": {"$patch": "delete"}}]}, "kustomize patch"),
        ("x.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "$patch: x"}}, ""),
        ("c/Chart.yaml", {"apiVersion": "v2", "name": "c", "version": "1"}, "Helm chart"),
        ("values-prod.yaml", {"a": 1}, "Helm values"),
        ("x.helm.values.yaml", {"a": 1}, "Helm values"),
        ("evalues.yaml", {"a": 1}, kinds.NO_MANIFEST),
        ("docker-compose.yml", {"services": {}}, "Docker Compose"),
        ("x.yaml", {"services": {}, "version": "3"}, "Docker Compose"),
        ("x.yaml", {"openapi": "3.0.0"}, "OpenAPI"),
        ("x.json", {"$schema": "x"}, "JSON Schema"),
        ("ci.yaml", {"true": {}, "jobs": {}}, "GitHub workflow"),
    ],
)
def test_what_is_no_manifest(file: str, value: object, reason: str) -> None:
    assert kinds.reason(file, value) == reason


def test_documents_of_one_layout_are_told_apart() -> None:
    """What is remembered of a layout does not hide a document that is none."""
    kinds_of = [
        ("v1", "Pod"),
        ("v1", "Config"),
        ("v1", "Policy"),
        ("install.istio.io/v1", "X"),
        ("kind.x-k8s.io/v1", "X"),
    ]
    for more in ("", "clusters: 1\n", "predicates: 1\n"):
        given = [(*kind, name) for _ in range(4) for kind in kinds_of for name in ("a", '""', "null")]
        texts = [f"apiVersion: {a}\nkind: {k}\nmetadata:\n  name: {n}\n{more}" for a, k, n in given]
        data = "---\n".join(texts).encode()
        found = documents(Entry("x.yaml", "x.yaml", bytes, lambda _: None), data, Limits())
        expected = [kinds.reason("x.yaml", read_one(text).value) for text in texts]
        assert {s.document: s.reason for s in found.skipped} == {i: why for i, why in enumerate(expected) if why}
        assert [d.index for d in found.documents] == [i for i, why in enumerate(expected) if not why]
        assert sum(d.layout is not None for d in found.documents) > 10


def test_a_dump_with_revisions_is_no_patch(tmp_path: Path) -> None:
    patch = "{spec: {template: {$patch: replace, spec: {}}}}"
    revision = f"apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {{name: db-1}}\nrevision: 1\ndata: {patch}\n"
    (tmp_path / "dump.yaml").write_text(revision)
    assert [d.value["kind"] for d in load([tmp_path / "dump.yaml"]).documents] == ["ControllerRevision"]
