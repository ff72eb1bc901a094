"""`kplan plan`: read both sides, compare them, print what would change."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Mapping

from kplan import __version__, labels, release
from kplan.cli import against, output, reading
from kplan.cli.linting import load_config
from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Document, Key, Loaded, Plan, Skipped
from kplan.record import record, replace
from kplan.store import ref_of
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from typing import TypeVar

    from kplan.plan.unchanged import Unchanged

    T = TypeVar("T")

Value = dict[str, Any]

CHANGES = 2
NOTHING = "nothing"
AUTO = "auto"
_REHEARSAL = {AUTO: None, "always": True, "never": False}


@record
class Request:
    """What is to be compared, and how: enough to do it again."""

    paths: tuple[str, ...]
    against: str
    namespace: str = ""
    selector: str = ""
    kube_version: str = release.DEFAULT
    prune: bool = True
    ignores: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_empty: bool = False
    show_secrets: bool = False
    nodes: tuple[str, ...] = ()
    rehearsal: str = AUTO
    state: str = ""


_EMPTY = "--allow-empty destroys everything that is there"
_ASKED = ("paths", "against", "namespace", "selector", "prune", "ignores", "allow_empty", "show_secrets", "nodes")


class Side(NamedTuple):
    """One side of a comparison: its documents, and everything that reading it told.

    `around` are objects that are in the cluster besides, such as its nodes; they are not compared.
    """

    name: str
    loaded: Loaded
    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    around: tuple[Value, ...] = ()

    @property
    def values(self) -> list[Value]:
        """The objects, each identity once."""
        return [d.value for d in self.documents]


# What the command line says where it says nothing (kplan/cli/plan_command.py).
DEFAULTS: Mapping[str, Any] = {
    "paths": (),
    "against": None,
    "format_": "text",
    "detailed_exitcode": False,
    "concise": False,
    "full": False,
    "show_noise": False,
    "key": "",
    "color": None,
    "out": None,
    "show_secrets": False,
    "prune": None,
    "folder": None,
    "namespace": "",
    "selector": "",
    "ignores": (),
    "nodes": (),
    "rehearsal": None,
    "forbid_replace": (),
    "kube_version": None,
    "exclude": (),
    "allow_empty": False,
    "config_file": None,
    "no_config": False,
}


def run(given: dict[str, Any]) -> int:
    """Read, compare, print; gives the exit code. `given` is what the command line said, as in DEFAULTS."""
    collects = gc.isenabled()
    if given["rehearsal"] is not True:
        gc.disable()  # what is read lives until the end, and a rehearsal that nobody asked for is small
    try:
        return _run(given)
    finally:
        if collects:
            gc.enable()


def _run(given: dict[str, Any]) -> int:
    if not given["paths"]:
        raise KplanError("no manifests given", hint="kplan plan PATH --against git:main")
    if not given["against"]:
        raise KplanError("nothing to compare with", hint="--against DIR, FILE, git:REF, cluster, state or nothing")
    if given["out"] and given["show_secrets"]:
        raise KplanError("a saved plan holds no secret values", hint="leave out --show-secrets or --out")
    flags = {"kube-version": given["kube_version"], "exclude": given["exclude"], "color": given["color"]}
    flags["state"] = given["folder"]
    config = load_config(flags, given["config_file"], no_file=given["no_config"])
    asked = {name: given[name] for name in _ASKED}
    rehearsal = {None: AUTO, True: "always", False: "never"}[given["rehearsal"]]
    request = Request(**asked, kube_version=config.kube_version, exclude=config.exclude, rehearsal=rehearsal)
    pruned = against.prunes(request.against, given["prune"], request.selector)
    request = replace(request, prune=pruned, state=against.state_folder(config))
    given["color"] = config.color
    values = given["format_"] == "json"
    sides, unchanged = (read(request), None) if given["out"] else read_apart(request)
    plan = compare(request, sides, values=values, unchanged=unchanged, places=values or bool(given["out"]))
    out = given["out"] if given["out"] and not plan.unreadable else ""
    if out:
        save(out, request, sides, plan)
    output.write(text(plan, given, saved_to=out))
    refuse(plan, given["forbid_replace"])
    return exit_code(plan, given)


def read(request: Request) -> tuple[Side, Side]:
    """The current and the desired side of a request. Raises KplanError if there is nothing to read."""
    source = against.source(request.against)
    current = _side(request, request.against, () if source else _against(request))._replace(around=_around(request))
    desired = _side(request, " ".join(request.paths), request.paths)
    if not desired.documents and not request.allow_empty:
        raise _nothing(desired)
    if source is not None:
        return against.sides(request, source, (current, desired))
    return current, desired


def read_apart(request: Request) -> tuple[tuple[Side, Side], Unchanged | None]:
    """Both sides as `read` gives them, but for the objects that are the same on both, which come besides.

    Enough for a plan that does not have to show what has not changed.
    """
    if not _comes_apart(request):
        return read(request), None
    from kplan.cli import contents
    from kplan.plan.names import Names
    from kplan.plan.unchanged import Unchanged, settled, split
    from kplan.source.shared import load_both

    known = contents.recall()
    before = known.size() if known is not None else 0
    both = load_both(_against(request), request.paths, describe=Names(), known=known, exclude=request.exclude)
    if known is not None and known.size() != before:
        contents.remember(known)
    old_side, new_side, files = settled(both)
    current = _chosen(request, request.against, old_side)
    desired = _chosen(request, " ".join(request.paths), new_side)
    old, new, alike = split(current.documents, desired.documents)
    unchanged = Unchanged(files, alike, request.kube_version)
    if not new and not unchanged and not request.allow_empty:
        raise _nothing(desired)
    return (current._replace(documents=old), desired._replace(documents=new)), unchanged


def _nothing(desired: Side) -> KplanError:
    """The error that there is nothing to plan for: no manifests, or none that could be read."""
    if desired.loaded.unreadable:
        return reading.unread(desired.loaded.unreadable)
    return KplanError(f"no manifests in {desired.name}", hint=_EMPTY)


def _comes_apart(request: Request) -> bool:
    """Whether the text of a document says all of it, and both sides are read from files."""
    scheme = request.against.partition(":")[0]
    whole = request.namespace or request.selector or request.nodes or request.against == NOTHING
    return not whole and scheme not in ("cluster", "state") and "-" not in (*request.paths, request.against)


def _around(request: Request) -> tuple[Value, ...]:
    """What is in the cluster besides: the objects of --nodes."""
    if not request.nodes:
        return ()
    from kplan.source import load

    loaded = load(request.nodes, exclude=request.exclude)
    if loaded.unreadable:
        first = loaded.unreadable[0]
        raise KplanError(f"the nodes cannot be read: {first.span}: {first.message}")
    if not any(d.value.get("kind") == "Node" for d in loaded.documents):
        raise KplanError(f"no Node in {' '.join(request.nodes)}")
    return tuple(d.value for d in loaded.documents)


def _against(request: Request) -> tuple[str, ...]:
    given = request.against
    if given == NOTHING:
        return ()
    scheme, _, ref = given.partition(":")
    if scheme == "git" and ref and ":" not in ref:
        return tuple(f"git:{ref}:{path}" for path in request.paths)
    return (given,)


def _side(request: Request, name: str, paths: tuple[str, ...]) -> Side:
    from kplan.source import STDIN, load

    stdin = sys.stdin.buffer.read() if STDIN in paths else None
    return _chosen(request, name, load(paths, exclude=request.exclude, stdin=stdin))


def _chosen(request: Request, name: str, loaded: Loaded) -> Side:
    from kplan.plan.inputs import chosen

    try:
        wanted = labels.parse(request.selector) if request.selector else []
    except ValueError as error:
        raise KplanError(f"--selector: {error}") from error
    documents, skipped, warnings = chosen(
        loaded.documents, namespace=request.namespace, selector=wanted, version=request.kube_version
    )
    return Side(name, loaded, documents, (*loaded.skipped, *skipped), warnings)


def compare(
    request: Request,
    sides: tuple[Side, Side],
    *,
    values: bool = False,
    unchanged: Unchanged | None = None,
    places: bool = True,
) -> Plan:
    """The plan between two sides; `unchanged` is what both hold besides.

    `places`: whether actions have their places in files.
    """
    from kplan.cluster import Cluster
    from kplan.plan import IgnoreRule, Settings
    from kplan.plan import plan as make
    from kplan.plan.kinds import Kinds
    from kplan.plan.live import desired as after_apply
    from kplan.plan.noise import is_live

    try:
        ignores = tuple(IgnoreRule.parse(text) for text in request.ignores)
    except ValueError as error:
        raise KplanError(f"--ignore: {error}") from error
    version = release.parse(request.kube_version)
    current, desired = sides
    kinds = Kinds(version, (v for s in sides for v in s.values if v.get("kind") == "CustomResourceDefinition"))
    cluster = Cluster(current.values, version=version)
    written = {ref_of(v).key: v for v in current.values if not is_live(v)}
    applied = list(after_apply(cluster.objects(), desired.values, kinds, written))
    plan = make(
        cluster,
        Cluster((value for value, _ in applied), version=version),
        settings=Settings(
            request.prune,
            ignores,
            request.show_secrets,
            values,
            _REHEARSAL.get(request.rehearsal),
            tuple(Cluster(current.around, version=version).objects()),
        ),
        written=(written, {ref_of(value).key: manifest for value, manifest in applied}),
        unchanged=unchanged,
    )
    return _completed(plan, sides, places=places)


def _completed(plan: Plan, sides: tuple[Side, Side], *, places: bool) -> Plan:
    """The plan with places in files, if they are wanted, and with what reading the input told."""
    current, desired = sides
    found: dict[Key, Document] = {}
    if places:
        found = {ref_of(d.value).key: d for s in sides for d in s.documents if d.line}
    actions = tuple(
        replace(a, span=found[a.ref.key].span()) if a.verb != "keep" and a.ref.key in found else a for a in plan.actions
    )
    return replace(
        plan,
        actions=actions,
        warnings=_once(*current.warnings, *desired.warnings, *plan.warnings),
        skipped=_once(*current.skipped, *desired.skipped),
        unreadable=_once(*current.loaded.unreadable, *desired.loaded.unreadable),
        current=current.name,
        desired=desired.name,
    )


def _once(*items: T) -> tuple[T, ...]:
    """The same folder on both sides tells everything twice."""
    return tuple(dict.fromkeys(items))


def text(plan: Plan, view: Mapping[str, Any], *, saved_to: str = "") -> str:
    """The plan in the format that was asked for; `view` are the options of `viewed`."""
    if view["format_"] in ("json", "gitlab"):
        from kplan.render import plan_json

        return plan_json.render(plan) if view["format_"] == "json" else plan_json.render_gitlab(plan)
    if view["format_"] == "markdown":
        from kplan.render import plan_markdown

        return plan_markdown.render(plan, plan_markdown.Options(key=view["key"], full=view["full"]))
    if view["format_"] == "html":
        from kplan.render import html

        return html.render_plan(plan, full=view["full"])
    from kplan.render import plan_text

    color = output.use_color(view["color"], os.environ, sys.stdout)
    shown = plan_text.Options(color, view["concise"], view["show_noise"], view["full"], saved_to)
    return plan_text.render(plan, shown)


def exit_code(plan: Plan, view: Mapping[str, Any]) -> int:
    """0, or 2 for a plan with changes if that was asked for."""
    changes = any(a.verb != "keep" for a in plan.actions)
    return CHANGES if view["detailed_exitcode"] and changes else 0


def refuse(plan: Plan, forbidden: Iterable[str]) -> None:
    """Raise KplanError for a plan that must not pass: input that could not be read, or a forbidden replacement."""
    if plan.unreadable:
        raise reading.unread(plan.unreadable, "the plan is not complete")
    kinds = {k.lower() for k in forbidden}
    for action in plan.actions:
        if action.verb == "replace" and ("*" in kinds or action.ref.kind.lower() in kinds):
            raise KplanError(f"{action.ref} would be replaced", hint="--forbid-replace does not allow it")


def save(file: str, request: Request, sides: tuple[Side, Side], plan: Plan) -> None:
    """Write the plan to a file that only its owner can read."""
    import secrets
    from dataclasses import asdict
    from pathlib import Path

    from kplan.plan.saved import Saved, dump

    salt = secrets.token_hex(16)
    saved = Saved(plan, asdict(request), salt, fingerprints(sides, salt))
    try:
        output.replace_file(Path(file), dump(saved, __version__).encode("ascii"), mode=0o600)
    except OSError as error:
        raise KplanError(f"cannot write {file}: {error.strerror or error}") from error


def fingerprints(sides: tuple[Side, Side], salt: str) -> tuple[str, str]:
    """What identifies the content of both sides."""
    from kplan.plan.live import lasting
    from kplan.plan.saved import fingerprint

    current, desired = (fingerprint(map(lasting, [*side.values, *side.around]), salt) for side in sides)
    return current, desired
