"""What both sides have in the same words is left out of a plan: the result is that of comparing everything."""

from __future__ import annotations

import json
import marshal
import random
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from kplan.cli import _plain_plan, contents, main, plan
from kplan.cli.plan_command import command
from kplan.cluster import Cluster
from kplan.model import Loaded, Plan
from kplan.plan.names import Names, names
from kplan.render import plan_json
from kplan.source import documents, load
from kplan.source.entry import Entry
from kplan.source.kinds import reason
from kplan.source.shared import Known
from kplan.yamlio import Limits, read

Tree = dict[str, str]
ROOT = Path(__file__).parents[2]

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-config
  namespace: {team}
data:
  level: info
  url: postgres://{name}:hunter{team}@db/{name}
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {team}
  labels: {{app: {name}}}
spec:
  replicas: 2
  strategy: null
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: main
          image: registry/{name}:1.0
          envFrom:
            - configMapRef: {{name: {name}-config}}
          env:
            - {{name: TOKEN, valueFrom: {{secretKeyRef: {{name: "{name}\\x2dsecret", key: token}}}}}}
      volumes:
        - name: config
          configMap:
            name: {name}-config
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {team}
spec:
  selector: {{app: {name}}}
  ports:
    - port: 80
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {{name: {name}-secret, namespace: {team}}}
stringData:
  token: {name}-{team}-token
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {name}, namespace: {team}}}
spec:
  maxUnavailable: 0
  selector: {{matchLabels: {{app: {name}}}}}
"""
SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}, namespace: {team}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  minReplicas: 1
  maxReplicas: 5
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {team}}}\n"
QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {{name: quota, namespace: {team}}}
spec: {{hard: {{pods: "50"}}}}
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {size: {type: integer, default: 1}, rows: {type: array, items: {type: string}}}
"""
THING = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: {name}, namespace: {team}}}\nspec: {{rows: [a]}}\n"
FORMS = (CONFIG, WORKLOAD, SERVICE, SECRET, BUDGET, SCALER)
TEAMS = ("shop", "search", "default")


def base(services: int = 8) -> Tree:
    """A tree of seven objects a service, and two for each namespace."""
    tree = {"crds/thing.yaml": DEFINITION}
    for i in range(services):
        team = TEAMS[i % len(TEAMS)]
        fill = {"name": f"app{i}", "team": team}
        apart = WORKLOAD.format(**fill) if i % 2 else ""  # in a file of its own
        tree[f"{team}/app{i}.yaml"] = "---\n".join(f.format(**fill) for f in FORMS if f is not WORKLOAD or not apart)
        if apart:
            tree[f"{team}/run/app{i}.yaml"] = apart
        tree[f"things/{i}.yaml"] = THING.format(**fill)
    for team in TEAMS:
        tree[f"{team}/namespace.yaml"] = NAMESPACE.format(team=team) + "---\n" + QUOTA.format(team=team)
    return tree


def parts_of(tree: Tree, name: str) -> list[str]:
    return tree[name].split("---\n")


def any_file(tree: Tree, r: random.Random) -> str:
    return r.choice(sorted(n for n in tree if n.endswith(".yaml")))


def replaced(*pairs: tuple[str, str]) -> Callable[[Tree, random.Random], None]:
    """A mutation of a file that has one of these texts: the text becomes another one."""

    def mutate(tree: Tree, r: random.Random) -> None:
        old, new = r.choice(pairs)
        names = sorted(n for n in tree if old in tree[n])
        if names:
            name = r.choice(names)
            tree[name] = tree[name].replace(old, new, 1)

    return mutate


def drop(tree: Tree, r: random.Random) -> None:
    name = any_file(tree, r)
    parts = parts_of(tree, name)
    parts.pop(r.randrange(len(parts)))
    tree[name] = "---\n".join(parts)


def repeat(tree: Tree, r: random.Random) -> None:
    """An object stands again in another file, the same or with another value."""
    part = r.choice(parts_of(tree, any_file(tree, r)))
    tree[f"{r.choice('azm')}-again.yaml"] = part.replace("info", "debug") if r.random() < 0.5 else part


def move(tree: Tree, r: random.Random) -> None:
    source, target = any_file(tree, r), any_file(tree, r)
    parts = parts_of(tree, source)
    moved = parts.pop(r.randrange(len(parts)))
    tree[source] = "---\n".join(parts)
    tree[target] += "---\n" + moved


def rename_file(tree: Tree, r: random.Random) -> None:
    tree[f"moved/{r.randrange(99)}.yaml"] = tree.pop(any_file(tree, r))


def hashed(tree: Tree, r: random.Random) -> None:
    name = any_file(tree, r)
    suffix = "".join(r.choice("bcdfghkmt2456789") for _ in range(10))
    tree[name] = tree[name].replace("-config\n", f"-config-{suffix}\n")


def as_list(tree: Tree, r: random.Random) -> None:
    name = any_file(tree, r)
    items = ["  - " + d.rstrip("\n").replace("\n", "\n    ") + "\n" for d in parts_of(tree, name) if d.strip()]
    tree[name] = "apiVersion: v1\nkind: List\nitems:\n" + "".join(items)


def as_json(tree: Tree, r: random.Random) -> None:
    values = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{c}{r.randrange(3)}"}} for c in "jk"]
    tree[f"{r.randrange(3)}.json"] = "\n".join(map(json.dumps, values))


def patch(tree: Tree, r: random.Random) -> None:
    name = any_file(tree, r)
    folder, _, file = name.rpartition("/")
    tree[f"{folder}/kustomization.yaml" if folder else "kustomization.yaml"] = f"patches:\n  - path: {file}\n"


def chart(tree: Tree, r: random.Random) -> None:
    tree["chart/Chart.yaml"] = "apiVersion: v2\nname: c\nversion: 1.0.0\n"
    tree["chart/templates/x.yaml"] = "# {{ if .Values.x }}\n" + r.choice(parts_of(tree, any_file(tree, r)))


def windows(tree: Tree, r: random.Random) -> None:
    name = any_file(tree, r)
    tree[name] = tree[name].replace("\n", "\r\n")


def add(*texts: str) -> Callable[[Tree, random.Random], None]:
    def mutate(tree: Tree, r: random.Random) -> None:
        tree[f"added-{r.randrange(3)}.yaml"] = r.choice(texts)

    return mutate


CHANGES: tuple[Callable[[Tree, random.Random], None], ...] = (
    replaced(("level: info", "level: debug"), (":1.0\n", ":1.1\n"), ("replicas: 2", "replicas: 3")),
    replaced(("-token\n", "-other\n"), ("maxReplicas: 5", "maxReplicas: 6"), ("port: 80", "port: 81")),
    replaced(("  replicas: 2\n", ""), ("rows: [a]", "rows: [a, b]"), ("default: 1", "default: 2")),
    replaced(("namespace: shop", "namespace: search"), ("  namespace: default\n", ""), ("namespace: shop", "name: x")),
    replaced(("metadata:\n", "metadata:\n  uid: u-1\n"), ("metadata:\n  name", "metadata:\n  generateName")),
    replaced(("level: info", "level: [info"), ("spec:\n", "spec:\n   - x\n"), ("kind: Service\n", "")),
    replaced(("apps/v1", "apps/v1beta1"), ("autoscaling/v2", "autoscaling/v1"), ("apps/v1", "extensions/v1beta1")),
    replaced(("matchLabels: {app", "matchLabels: {role"), ("selector: {app", "selector: {role"), ("app3", "app2")),
    replaced(("level: info", "level: info\n  level: warn"), ("data:\n", "data: &a\n"), ("---\n", "---\n---\n")),
    replaced(("---\n", "--- bad\n"), ("---\n", "---\n# nothing\n---\n"), ("kind: Secret", "kind: Config")),
    replaced(("strategy: null", "strategy: {type: Recreate}"), ('pods: "50"', 'pods: "1"'), ("  strategy: null\n", "")),
    drop, repeat, move, rename_file, hashed, as_list, as_json, patch, chart, windows,
    add("x: 1\n", "", "# nothing\n", "$patch: delete\nkind: Pod\napiVersion: v1\nmetadata: {name: p}\n"),
    add("apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {allocatable: {cpu: '4', pods: '9'}}\n"),
    add("apiVersion: v1\nkind: Pod\nmetadata: {name: a/b, namespace: shop}\nspec: {containers: []}\n", "kind: 3\n"),
)  # fmt: skip


def write(folder: Path, tree: Tree) -> None:
    for name, text in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def mutated(seed: int) -> tuple[Tree, Tree]:
    """Two trees: what is done to both, then what is done to each."""
    r = random.Random(seed)
    tree = base()
    for _ in range(r.randrange(4)):
        r.choice(CHANGES)(tree, r)
    old, new = dict(tree), dict(tree)
    for _ in range(r.randrange(3)):
        r.choice(CHANGES)(old, r)
    for _ in range(r.randrange(5)):
        r.choice(CHANGES)(new, r)
    return old, new


def told(made: Plan) -> tuple[str, ...]:
    """The plan in every format; as JSON without what does not change, for that is only in a plan with values."""
    view = {"color": "never", "concise": False, "show_noise": True, "full": True, "key": ""}
    data = json.loads(plan_json.render(made))
    data["resource_changes"] = [
        c
        for c in data["resource_changes"]
        if c["change"]["actions"] != ["no-op"] or c.get("reasons") or c.get("ignored")
    ]
    forms = ("text", "markdown", "html", "gitlab")
    return *(plan.text(made, {**view, "format_": form}) for form in forms), json.dumps(data, indent=1)


def both_ways(seed: int, rehearsal: str) -> None:
    old, new = mutated(seed)
    write(Path("old"), old)
    write(Path("new"), new)
    request = plan.Request(("new",), "old", rehearsal=rehearsal)
    whole = plan.read(request)
    expected = told(plan.compare(request, whole)), plan_json.render(plan.compare(request, whole, values=True))
    for _ in range(2):  # the second time, contents are known
        sides, unchanged = plan.read_apart(request)
        found = plan.compare(request, sides, values=True, unchanged=unchanged)
        assert (told(plan.compare(request, sides, unchanged=unchanged)), plan_json.render(found)) == expected


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("seed", range(40))
def test_the_same_plan(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 2:
        monkeypatch.setattr("kplan.source.files._RACY_NS", 0)
    both_ways(seed, "auto" if seed % 5 == 0 else "never")


def apart(old: Tree, new: Tree) -> tuple[tuple[plan.Side, plan.Side], int]:
    """Both sides, and the number of objects that are not looked at."""
    write(Path("old"), old)
    write(Path("new"), new)
    sides, unchanged = plan.read_apart(plan.Request(("new",), "old"))
    return sides, len(unchanged or ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("metadata:\n", "metadata:\n  uid: u\n"),
        ("metadata:\n  name: ", "metadata:\n  generateName: "),
        ("name: app0-config", "name: a/b"),
        ("name: app0-config", "name: 3"),
        ("ConfigMap", "CustomResourceDefinition"),
        ("v1", "kustomize.config.k8s.io/v1"),
        ("  level", "   level"),
    ],
)
def test_what_needs_a_closer_look(old: str, new: str) -> None:
    text = CONFIG.format(name="app0", team="shop")
    assert names(read(text.encode(), "x.yaml", skip=lambda v: reason("x.yaml", v))) == ("/ConfigMap/shop/app0-config",)
    assert names(read(text.replace(old, new).encode(), "x.yaml", skip=lambda v: reason("x.yaml", v))) == ()


VALUES = (
    *("x", "a b", '"a: b"', "'a'", "x: y", "a #b", "", " ", "null", "3", "-", "- a", "--a", '"a', 'a"', "[a]", "{a: b"),
    *("a:", "|", "v1", "Config", "a/b", '"\u00e4"', '"\x7f"', "x\r", "foo  ", '"foo" ', '"foo" #x', '"$patch"', ".inf"),
    *("kustomize.config.k8s.io/v1", "List", "CustomResourceDefinition", "\u00e4", "*a", "&a a", "!!str a", "--- a"),
)


def revalued(text: str, r: random.Random) -> str:
    """The text with other values, fit or not, at the end of some lines."""
    lines = text.split("\n")
    for _ in range(r.randrange(3)):
        i = r.randrange(len(lines))
        start, colon, _ = lines[i].partition(r.choice((": ", "- ")))
        if colon:
            lines[i] = start + colon + r.choice(VALUES)
    return "\n".join(lines)


def test_names_without_reading() -> None:
    r, known, unread = random.Random(1), Names(), 0
    for seed in range(60):
        for name, text in mutated(seed)[1].items():
            data = revalued(text, r).encode()
            read: list[bytes] = []

            def reader(data: bytes, name: str = name, read: list[bytes] = read) -> Loaded:
                read.append(data)
                return documents(Entry(name, name, bytes, lambda _: None), data, Limits())

            found = known(data, reader)
            unread += not read
            assert found == names(reader(data)), data
    assert unread > 150  # documents whose like was read before, of about 800


def test_of_documents_that_are_alike_a_few_are_read() -> None:
    read = []

    def reader(data: bytes) -> Loaded:
        read.append(data)
        return documents(Entry("x.yaml", "x.yaml", bytes, lambda _: None), data, Limits())

    texts = [CONFIG.format(name=f"app{i}", team=TEAMS[i % 3]) for i in range(20)]
    expected = tuple(f"/ConfigMap/{TEAMS[i % 3]}/app{i}-config" for i in range(20))
    assert Names()("---\n".join(texts).encode(), reader) == expected
    assert len(read) <= 3  # until the layout is learnt


@pytest.mark.parametrize("version", ["1.36", "1.31"])
def test_what_is_stored_is_stored_like_that_again(version: str) -> None:
    for seed in range(20):
        write(Path(f"old/{seed}"), mutated(seed)[0])
    for document in load(["old", str(ROOT / "examples"), str(ROOT / "tests" / "data")]).documents:
        once = Cluster([document.value], version=version).objects()
        assert marshal.dumps(once, 2) == marshal.dumps(Cluster(once, version=version).objects(), 2)


def test_only_what_differs_is_looked_at() -> None:
    tree = base()
    sides, unchanged = apart(tree, {**tree, "shop/app0.yaml": tree["shop/app0.yaml"].replace("port: 80", "port: 81")})
    assert [[d.value["kind"] for d in s.documents] for s in sides] == [["CustomResourceDefinition", "Service"]] * 2
    assert unchanged == 8 * 7 + 6 - 1


def test_an_object_that_is_there_twice_is_looked_at() -> None:
    tree = base(2)
    all_of_them = apart(tree, tree)[1]
    sides, unchanged = apart(tree, {**tree, "z.yaml": CONFIG.format(name="app0", team="shop").replace("info", "warn")})
    assert "duplicate object v1 ConfigMap shop/app0-config" in sides[1].warnings[0]
    assert unchanged == all_of_them - 1


@pytest.mark.parametrize(
    "request_",
    [
        plan.Request(("new",), "old", namespace="x"),
        plan.Request(("new",), "old", selector="app=app0"),
        plan.Request(("new",), "nothing"),
        plan.Request(("new",), "old", nodes=("new",)),
    ],
)
def test_what_takes_everything(request_: plan.Request) -> None:
    write(Path("old"), base(1))
    write(Path("new"), {**base(1), "node.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n"})
    assert plan.read_apart(request_)[1] is None


def test_contents_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.source.files._RACY_NS", 0)
    tree = base(1)
    apart(tree, tree)
    known = contents.recall()
    assert len(known.digests) == 2 * len(tree)
    assert "/ConfigMap/shop/app0-config" in list(chain.from_iterable(known.holds.values()))
    monkeypatch.setattr("kplan.source.shared.documents", None)  # nothing is read
    del tree["crds/thing.yaml"]
    for side in ("old", "new"):
        (Path(side) / "crds/thing.yaml").unlink()
    assert apart({}, {})[1] == 13


def test_of_contents_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_MOST", 3)
    digests = {(1, n, 1, 1, 1): bytes([n]) for n in range(5)}
    contents.remember(Known(digests, {b"a": ("x",), b"b": ("y",), b"c": ()}))
    assert contents.recall() == (dict(list(digests.items())[2:]), {b"b": ("y",), b"c": ()})


def test_a_file_that_changes_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.source.files._RACY_NS", 0)
    tree = base(1)
    apart(tree, tree)
    changed = tree["shop/app0.yaml"].replace("info", "warn")
    sides, _ = apart(tree, {"shop/app0.yaml": changed})
    assert {d.value["kind"] for d in sides[1].documents} == {"CustomResourceDefinition", "ConfigMap"}


@pytest.mark.parametrize("damage", [b"", b"x", b"kplan contents 2\n0\n", b"\xff\xfe\n\n"])
def test_damaged_contents_are_none(damage: bytes) -> None:
    tree = base(1)
    expected = apart(tree, tree)[1]
    (place,) = Path("cache/kplan").iterdir()
    head, checksum, body = place.read_bytes().split(b"\n", 2)
    for data in (damage, head + b"\n" + checksum + b"\n" + body[:-9], b"other\n" + checksum + b"\n" + body):
        place.write_bytes(data)
        assert contents.recall() == ({}, {})
        assert apart(tree, tree)[1] == expected


def test_the_plain_form_says_what_click_says() -> None:
    words = ["new", "--against", "old", "--concise", "--full", "--show-noise", "--no-rehearsal", "--detailed-exitcode"]
    valued = [["--format", "json"], ["--format=markdown", "--against=new"], ["--", "-x", "--concise"]]
    for argv in (words[:3], words, [*words, "--rehearsal"], *([*words, *more] for more in valued)):
        plain = _plain_plan(["plan", *argv])
        assert {**plan.DEFAULTS, **(plain or {})} == command.make_context("plan", list(argv)).params


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["new", "--format", "yaml", "--against", "old"],
        ["new", "--against", "old", "--format"],
        ["new", "--against", "old", "--concise=yes"],
        ["new", "--against"],
        ["new", "--against", "-"],
        ["-"],
    ],
)
def test_other_forms_are_for_click(argv: list[str]) -> None:
    assert _plain_plan(["plan", *argv]) is None


def test_what_cannot_be_read_is_told_though_it_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("old"), {"bad.yaml": "a: [\n", "good.yaml": CONFIG.format(name="a", team="b")})
    write(Path("new"), {"bad.yaml": "a: [\n", "good.yaml": CONFIG.format(name="a", team="b")})
    (Path("old") / "bad.yaml").write_text("apiVersion: v1\nkind: [\n", encoding="utf-8")
    (Path("new") / "bad.yaml").write_text("apiVersion: v1\nkind: [\n", encoding="utf-8")
    for _ in range(2):
        assert main(["plan", "new", "--against", "old"]) == 1
        assert "could not be read, so the plan is not complete" in capsys.readouterr().err


def test_an_empty_side_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("old"), base(1))
    Path("new").mkdir()
    assert main(["plan", "new", "--against", "old"]) == 1
    assert "no manifests in new" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--namespace", "x"]])
def test_a_side_that_cannot_be_read_is_not_empty(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("old"), base(1))
    write(Path("new"), {"bad.yaml": "apiVersion: v1\nkind: [\n"})
    assert main(["plan", "new", "--against", "old", *more]) == 1
    assert capsys.readouterr().err.startswith("error: 1 document could not be read\nhint: first: new/bad.yaml:")
