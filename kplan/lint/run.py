"""Lint as a line of stages: read, schema, API server, rules, suppressions, baseline, report."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import MappingProxyType

from kplan.config import Config
from kplan.hints import Any
from kplan.lint import findings, ruleset, suppress
from kplan.lint.engine import Engine
from kplan.lint.objects import Judging
from kplan.lint.ruleset import Rule
from kplan.lint.world import World
from kplan.model import Document, Finding, Loaded, Object, Ref, Report, RuleInfo, ref_of, split_api_version
from kplan.schema import catalog
from kplan.source import load
from kplan.workloads import get
from kplan.yamlio import forget, load_value
from kplan.yamlio.layout import Layout, Slot, getter

UNREADABLE, UNUSED, INVALID = "unreadable", "unused-suppression", "invalid-suppression"


def lint(paths: Iterable[str | PathLike[str]], config: Config | None = None) -> Report:
    """Everything that is to be said about the manifests in files and folders.

    Raises KplanError for a configuration that cannot be used. What cannot be read is a finding.
    """
    config = config or Config()
    return judge(load([str(p) for p in paths], exclude=config.exclude), config)


def rules_of(config: Config, *, compiled: bool = True) -> tuple[Rule, ...]:
    """All rules: those that kplan ships and those in the folders of the configuration; `compiled` lacks examples."""
    return ruleset.load(load_value, config.rule_dirs, compiled=compiled)


def chosen(rules: Iterable[Rule], config: Config) -> tuple[Rule, ...]:
    """The rules that a configuration runs, with their severities."""
    on = ruleset.choose(rules, select=config.select, ignore=config.ignore, severities=config.rules)
    if not config.closed_world:
        return on
    return tuple(r._replace(severity=r.closed_world) if r.closed_world else r for r in on)


def judge(
    loaded: Loaded,
    config: Config,
    *,
    known: Counter[str] | None = None,
    focus: Collection[str] | None = None,
    processes: int = 1,
) -> Report:
    """The report on what was read.

    `known` are the fingerprints of a baseline. `focus` are the files that are reported on; the others are context.
    With more than one of `processes`, that many may work on a large input.
    """
    forget()  # the files are read
    every = rules_of(config)
    on = chosen(every, config)
    objects = [_object(d) for d in loaded.documents]
    crds = [o.value for o in objects if o.ref.kind == "CustomResourceDefinition"]
    kinds = catalog(config.kube_version).with_crds(crds) if crds else catalog(config.kube_version)
    world = World(
        objects,
        version=config.kube_version,
        closed=config.closed_world,
        externals=config.externals,
        kustomized=_kustomized(loaded),
    )
    found = list(Judging(world, Engine(on, world), kinds).findings(processes))
    names = {r.id: (r.id, r.name, *r.aliases) for r in every}
    kept, unused = suppress.apply(found, suppress.collect(objects), config.ignores, names)
    suppressed = len(found) - len(kept)
    kept += _of_suppressions(unused, on, every)
    if focus is not None:
        loaded = _focused(loaded, focus)
        kept = [f for f in kept if f.span.file in focus]
    kept += [findings.of_file(ruleset.find(every, UNREADABLE), u.span, {"error": u.message}) for u in loaded.unreadable]
    kept, baselined = findings.unique(sorted(kept, key=_position)), 0
    if known:
        from kplan.lint import baseline

        kept, baselined = baseline.subtract(kept, known)
    if kept:
        from kplan.lint import excerpts

        kept = excerpts.add(kept, loaded.documents, {r.id for r in every if r.sensitive})
    infos = tuple(r.info for r in every if r.id in {f.rule for f in kept})
    read = Counter((o.ref.group, o.ref.version, o.ref.kind) for o in objects if focus is None or _file(o) in focus)
    unknown = sum(n for kind, n in read.items() if kinds.kind(Ref(*kind, "", "").api_version, kind[2]) is None)
    held = {"baselined": baselined, "unknown kinds": unknown}
    return _report(loaded, kept, infos, suppressed, held, config.kube_version)


def _of_suppressions(
    unused: Iterable[suppress.Suppression], on: Iterable[Rule], every: Iterable[Rule]
) -> Iterator[Finding]:
    """Findings about suppressions themselves. Whether one of a rule that does not run is of use cannot be said."""
    running = {r.name: r for r in on}
    names = {name: r for r in every for name in (r.id, r.name, *r.aliases)}
    for s in unused:
        problem = suppress.complaint(s, frozenset(names))
        rule = running.get(INVALID if problem else UNUSED)
        if rule and (problem or names[s.rule].name in running):
            yield findings.of_file(rule, s.span, {"problem": problem, "rule": s.rule})


def _object(document: Document) -> Object:
    """The object of a document; its value is not made for that."""
    if document.layout is None:
        return Object(ref_of(document.value), document.value, document)
    layout, slots = document.layout
    return Object.of(_ref(layout, slots), document)


def _ref(layout: Layout, slots: Sequence[Any]) -> Ref:
    """What an object is called, given its layout and the values in the slots of that."""
    if "names" not in layout.plans:
        layout.plans["names"] = _names(layout.tree)
    names = layout.plans["names"]
    if names is not None:
        api_version, kind, name, *named = names(slots)
        namespace = named[0] if named else ""
        if name and type(api_version) is type(kind) is type(name) is type(namespace) is str:
            group, version = split_api_version(api_version)
            return tuple.__new__(Ref, (group, version, kind, namespace, name))
    return ref_of(layout.head(slots))


def _names(tree: Any) -> Callable[[Sequence[Any]], tuple[Any, ...]] | None:
    """What reads apiVersion, kind, name and perhaps a namespace from the slots; None for other layouts."""
    meta = get(tree, "metadata")
    slots = [get(tree, "apiVersion"), get(tree, "kind"), get(meta, "name")]
    if isinstance(meta, dict) and "namespace" in meta:
        slots.append(meta["namespace"])
    return getter([slot.at for slot in slots]) if all(isinstance(s, Slot) and s.flow < 0 for s in slots) else None


def _file(obj: Object) -> str:
    return obj.document.file if obj.document else ""


def _kustomized(loaded: Loaded) -> frozenset[str]:
    """The folders with a kustomization, which completes what lies in them."""
    return frozenset(posixpath.dirname(s.file) for s in loaded.skipped if s.reason == "kustomization")


def _focused(loaded: Loaded, focus: Collection[str]) -> Loaded:
    documents = tuple(d for d in loaded.documents if d.file in focus)
    skipped = tuple(s for s in loaded.skipped if s.file in focus)
    unreadable = tuple(u for u in loaded.unreadable if u.span.file in focus)
    read = {d.file for d in documents} | {u.span.file for u in unreadable}
    return Loaded(documents, skipped, unreadable, len(read))


def _position(f: Finding) -> tuple[str, int, int, str, str]:
    return f.span.file, f.span.line, f.span.col, f.rule, f.message


def _report(
    loaded: Loaded,
    kept: list[Finding],
    rules: tuple[RuleInfo, ...],
    suppressed: int,
    counts: Mapping[str, int],
    version: str,
) -> Report:
    levels = Counter(f.severity for f in kept)
    reasons = Counter(s.reason for s in loaded.skipped)
    numbers = {s: levels[s] for s in ("error", "warning", "info")} | {**counts}
    numbers |= {f"skipped: {reason}": n for reason, n in sorted(reasons.items())}
    return Report(
        tuple(kept),
        rules,
        loaded.skipped,
        loaded.unreadable,
        loaded.files,
        len(loaded.documents),
        suppressed,
        MappingProxyType(numbers),
        version,
    )
