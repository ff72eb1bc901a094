"""Rules from `rules/<family>/*.yaml` and from folders of the user: same form, same loader, data only.

The form is that of schemas/kplan/rule.schema.json. The rules that kplan ships are checked against it in the tests;
at run time a cheap check of the structure stands in for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.lint import ruleindex
from kplan.lint.checks import CHECKS, builder
from kplan.lint.ruleindex import ReadYaml
from kplan.lint.site import Check
from kplan.model import SEVERITIES, Path, RuleInfo
from kplan.patterns import lazy
from kplan.tuples import NamedTuple

TARGETS = ("object", "pod-spec", "container", "effective-container", "graph", "input")
ROLES = ("container", "sidecar", "init", "ephemeral")
REQUIRED = ("id", "name", "severity", "since", "target", "check", "message", "why", "fix", "examples")
OPTIONAL = ("disabled", "closed-world", "only", "at", "tags", "aliases", "sensitive", "references")
_FORMS: Mapping[str, tuple[Any, str]] = {
    "examples": (dict, "a mapping with bad and good"),
    "only": (dict, "a mapping with kinds and roles"),
    "at": ((str, list), "a path or a list of paths"),
    "tags": (list, "a list"),
    "aliases": (list, "a list"),
    "references": (list, "a list"),
    "sensitive": (bool, "true or false"),
    "disabled": (str, "the reason why the rule is off"),
    "message": (str, "a text"),
}
_ID = lazy(r"[A-Z]{2,10}[0-9]{3,4}\Z")
_NAME = lazy(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
RESERVED = "KP"


class Rule(NamedTuple):
    """One rule.

    `disabled` says why it is off by default, "" if it is on. `kinds` and `roles` narrow the target; empty means all.
    `at` lists the places to point to, the first that exists counts. `closed_world` is the severity where the input
    is all there is, "" if it is the same. `sensitive`: the line of a finding may show a secret.
    """

    id: str
    name: str
    severity: str
    since: str
    target: str
    check: tuple[str, Any]
    message: str
    why: str
    fix: str
    examples: Mapping[str, str]
    family: str = ""
    disabled: str = ""
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    at: tuple[Path, ...] = ()
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sensitive: bool = False
    closed_world: str = ""
    trusted: bool = True

    def compiled(self) -> Check:
        """The function that looks at a site. Raises KplanError where the parameters are wrong."""
        kind, parameters = self.check
        try:
            return builder(kind)(parameters, self.trusted)
        except (KplanError, re.error, KeyError, TypeError, AttributeError, ValueError) as error:
            raise KplanError(f"rule {self.id} {self.name}: {error}") from error

    @property
    def info(self) -> RuleInfo:
        """What renderers may say about it."""
        return RuleInfo(self.id, self.name, self.severity, self.why, self.fix, (self.family, *self.tags))


def load(
    read_yaml: ReadYaml, user_dirs: Iterable[str | PathLike[str]] = (), *, compiled: bool = True
) -> tuple[Rule, ...]:
    """All rules, ordered by id: those that kplan ships and those of the user's folders.

    With `compiled` the data of a shipped rule comes from the index (ruleindex.py), and lacks the examples.
    Raises KplanError for a rule that is not well formed, or an id or name that is taken.
    """
    index = ruleindex.load() if compiled else ruleindex.Index({}, 0)
    rules = [_read(file.path, read_yaml, index.find(file), file.family) for file in index.files()]
    for folder in user_dirs:
        rules += [_read(path, read_yaml, None, "") for path in _of_user(fspath(folder))]
    taken: dict[str, Rule] = {}
    for rule in rules:
        for name in (rule.id, rule.name, *rule.aliases):
            if name in taken:
                raise KplanError(f"rule {rule.id} {rule.name}: {name} is the name of another rule")
            taken[name] = rule
    return tuple(sorted(rules, key=lambda r: r.id))


def _of_user(folder: str) -> list[str]:
    """The files with rules in a folder of the user."""
    if not os.path.isdir(folder):
        raise KplanError(f"there is no folder {folder} with rules")
    from pathlib import Path as FilePath

    found = (p for p in FilePath(folder).rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
    return list(map(str, sorted(found)))


def choose(
    rules: Iterable[Rule], *, select: Iterable[str] = (), ignore: Iterable[str] = (), severities: Mapping[str, str]
) -> tuple[Rule, ...]:
    """The rules that run, with their severities.

    `select` and `ignore` hold ids, names, families or tags; `all` and `default` are sets. A severity given by name
    turns a rule on, `off` turns it off. Raises KplanError for a word that names nothing.
    """
    rules = tuple(rules)
    select, ignore = tuple(select) or ("default",), tuple(ignore)
    for word in (*select, *ignore, *severities):
        _known(word, rules)
    chosen = []
    for rule in rules:
        level = next((severities[w] for w in (rule.id, rule.name, *rule.aliases) if w in severities), "")
        on = any(_names(word, rule) for word in select) or level not in ("", "off")
        if on and level != "off" and not any(_names(word, rule) for word in ignore):
            chosen.append(rule._replace(severity=level) if level else rule)
    return tuple(chosen)


def find(rules: Iterable[Rule], word: str) -> Rule:
    """The rule of this id, name or alias. Raises KplanError with the nearest one."""
    rules = tuple(rules)
    for rule in rules:
        if word in (rule.id, rule.name, *rule.aliases) or word.upper() == rule.id:
            return rule
    raise _unknown(word, [w for r in rules for w in (r.id, r.name)])


def _names(word: str, rule: Rule) -> bool:
    if word == "default":
        return not rule.disabled
    return word in ("all", rule.id, rule.name, rule.family, *rule.aliases, *rule.tags)


def _known(word: str, rules: tuple[Rule, ...]) -> None:
    if word not in ("default", "all") and not any(_names(word, r) for r in rules):
        raise _unknown(word, [w for r in rules for w in (r.id, r.name, r.family)])


def _unknown(word: str, words: list[str]) -> KplanError:
    from kplan.likewords import nearest

    near = nearest(word, words)
    return KplanError(
        f"there is no rule {word!r}", hint=f"did you mean {near}?" if near else "`kplan rules` lists them"
    )


def _read(path: str, read_yaml: ReadYaml, known: Any, family: str) -> Rule:
    """The rule of a file; `known` is its data if that is known. One without a family is the user's."""
    trusted = bool(family)
    if known is not None:  # tests hold the index to the form
        return _made(known, family, trusted=True)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            known = read_yaml(file.read(), path)
        rule = parse(known, family=family or "user", trusted=trusted)
        if not trusted:
            from kplan.lint.ruleform import check_form

            check_form(known)
    except (OSError, ValueError) as error:
        raise KplanError(f"{path}: {error}") from error
    return rule


def parse(data: Any, *, family: str = "", trusted: bool = True) -> Rule:
    """A rule from the data of its file. Raises ValueError that says what is wrong."""
    if not isinstance(data, dict):
        raise ValueError("a rule must be a mapping")
    missing = [k for k in REQUIRED if k not in data]
    unknown = [k for k in data if k not in REQUIRED and k not in OPTIONAL]
    if missing or unknown:
        raise ValueError(f"a rule {f'needs {missing[0]}' if missing else f'has no key {unknown[0]!r}'}")
    _check_forms(data)
    _check_names(data, trusted)
    return _made(data, family, trusted=trusted)


def _made(data: Mapping[str, Any], family: str, *, trusted: bool) -> Rule:
    """The rule of data that have the form."""
    target, kinds = _target(data["target"])
    only = data.get("only", {})
    places = data.get("at", [])
    words = {k: str(data[k]).strip() for k in ("id", "name", "severity", "since", "message", "why", "fix")}
    lists = {k: tuple(data.get(k, ())) for k in ("tags", "aliases", "references")}
    more: dict[str, Any] = {**words, **lists}
    return Rule(
        target=target,
        check=_check(data["check"]),
        examples=data["examples"],
        family=family,
        disabled=str(data.get("disabled", "")),
        kinds=kinds | frozenset(only.get("kinds", ())),
        roles=frozenset(only.get("roles", ())),
        at=tuple(tuple(str(p).split(".")) for p in ([places] if isinstance(places, str) else places)),
        sensitive=bool(data.get("sensitive", False)),
        closed_world=str(data.get("closed-world", "")),
        trusted=trusted,
        **more,
    )


def _check_forms(data: Mapping[str, Any]) -> None:
    for key, (types, what) in _FORMS.items():
        if key in data and not isinstance(data[key], types):
            raise ValueError(f"{key} must be {what}")
    for key in ("severity", "closed-world"):
        if data.get(key, "info") not in SEVERITIES:
            raise ValueError(f"{key} must be one of {', '.join(SEVERITIES)}")
    only = data.get("only", {})
    if not only.keys() <= {"kinds", "roles"} or not all(isinstance(v, list) for v in only.values()):
        raise ValueError("only must hold lists under kinds and roles")
    if not set(only.get("roles", ())) <= set(ROLES):
        raise ValueError(f"roles must be some of {', '.join(ROLES)}")


def _check_names(data: Mapping[str, Any], trusted: bool) -> None:
    if not _ID.match(str(data["id"])) or not _NAME.match(str(data["name"])):
        raise ValueError("a rule has an id like ABC123 and a name like no-such-thing")
    if not trusted and str(data["id"]).startswith(RESERVED):
        raise ValueError(f"ids that start with {RESERVED} are kplan's own; take other letters")


def _target(target: Any) -> tuple[str, frozenset[str]]:
    if isinstance(target, list) and all(isinstance(k, str) for k in target):
        return "object", frozenset(target)
    if target in TARGETS:
        return str(target), frozenset()
    raise ValueError(f"target must be one of {', '.join(TARGETS)} or a list of kinds")


def _check(check: Any) -> tuple[str, Any]:
    if not isinstance(check, dict) or len(check) != 1:
        raise ValueError("check must have one key, the check kind")
    [(kind, parameters)] = check.items()
    if kind not in CHECKS:
        from kplan.likewords import nearest

        near = nearest(str(kind), CHECKS)
        raise ValueError(f"there is no check kind {kind!r}" + (f", did you mean {near}?" if near else ""))
    return kind, parameters
