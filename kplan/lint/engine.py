"""The rules of a run: which of them look at which kind, and what they say about an object."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from kplan.lint import findings as build
from kplan.lint.checks import ALONE, Question, answers, question
from kplan.lint.draft import Draft
from kplan.lint.ruleset import Rule
from kplan.lint.site import Check, Site, sites
from kplan.lint.world import World
from kplan.model import Finding, Object
from kplan.schema import catalog
from kplan.schema.compile import checker
from kplan.tuples import NamedTuple
from kplan.workloads import PodTemplate, pod_template

RULE_CRASH = "rule-crash"
_MALFORMED = (TypeError, AttributeError, ValueError, KeyError)


class Asked(NamedTuple):
    """Rules with one target, and the ids of the objects in which they may find something; None stands for all."""

    target: str
    among: Collection[int] | None
    checks: list[tuple[Rule, Check]]


class OfKind(NamedTuple):
    """The rules that look at a kind, and the ids of its objects in which any of them may find something; None is for
    all."""

    among: Collection[int] | None
    groups: list[Asked]


class Engine:
    """Rules compiled and sorted by the kind of object that they look at."""

    def __init__(self, rules: Iterable[Rule], world: World) -> None:
        self.world = world
        self.rules = {r.name: r for r in rules}
        looking = [r for r in self.rules.values() if r.target != "input"]
        self._looking = [(r, question(*r.check)) for r in looking]
        # Those of users at once: whatever they look at, a faulty one is an error of the configuration.
        self._checks = {r.name: r.compiled() for r in looking if not r.trusted}
        world.ask(word for _, asked in self._looking for word in asked.words)
        self._by_kind: dict[tuple[str, bool], OfKind] = {}
        self._true_of: dict[Question, Collection[int] | None] = {}

    def get_ready(self, kinds: Iterable[str]) -> None:
        """Decide now which rules look where for these kinds, before processes share the work."""
        for kind in kinds:
            for alone in (True, False):
                self._of(kind, alone)

    def judge(self, obj: Object, *, malformed: bool, alone: bool) -> list[Finding]:
        """What the rules say about an object: `alone` those of kplan that look at nothing but the object, else the
        others. A rule that fails on a malformed object says nothing more."""
        own = (obj.ref.kind, alone)
        among, groups = self._by_kind.get(own) or self._of(*own)
        out: list[Finding] = []
        if among is not None and id(obj) not in among:
            return out
        pod: PodTemplate | None = None
        pod_is_known = False
        for target, among, checks in groups:
            if among is not None and id(obj) not in among:
                continue
            if target != "graph" and not pod_is_known:
                pod, pod_is_known = pod_template(obj.value), True
            for site in sites(obj, target, self.world, pod):
                for rule, check in checks:
                    if rule.roles and site.role not in rule.roles:
                        continue
                    try:
                        problems = check(site)
                        if problems:
                            out += [build.from_problem(rule, site, problem) for problem in problems]
                    except Exception as error:  # noqa: BLE001 - whatever goes wrong in one rule, the others still run
                        out += self._failed(rule, site, error, malformed)
        return out

    def _failed(self, rule: Rule, site: Site, error: Exception, malformed: bool) -> Iterator[Finding]:
        if not isinstance(error, _MALFORMED) or not (malformed or self._is_odd(site)):
            data = {"failed": f"{rule.id} {rule.name}", "error": type(error).__name__}
            yield from self.findings([Draft(RULE_CRASH, site.object, site.path, data)])

    def _is_odd(self, site: Site) -> bool:
        """Whether an object of another kind than Kubernetes' own has something like a pod that is none."""
        node = catalog(self.world.version).definition("core.v1.PodSpec")
        pod = site.pod or pod_template(site.object.value)
        return pod is not None and not checker(node, strict=False)(pod.spec)

    def _of(self, kind: str, alone: bool) -> OfKind:
        groups = list(self._asked(kind, alone))
        ids = [asked.among for asked in groups if asked.among is not None]
        among: frozenset[int] | None = None
        if len(ids) == len(groups):
            own = map(id, self.world.by_kind.get(kind, ()))
            among = frozenset(i for i in own if any(i in some for some in ids))
        found = OfKind(among, groups)
        self._by_kind[kind, alone] = found
        return found

    def _asked(self, kind: str, alone: bool) -> Iterator[Asked]:
        """The rules for a kind, those with one target and question together."""
        groups: dict[tuple[str, Question], list[Rule]] = {}
        words: frozenset[str] = frozenset()
        for rule, asked in self._looking:
            if (not rule.kinds or kind in rule.kinds) and alone == (rule.trusted and rule.check[0] in ALONE):
                target = "object" if rule.target == "graph" and rule.check[0] in ALONE else rule.target
                if asked.kind == "missing":  # one question for all of them
                    words, asked = words | asked.words, Question("missing")
                groups.setdefault((target, asked), []).append(rule)
        for (target, asked), rules in groups.items():
            among = self._among(Question("missing", words) if asked.kind == "missing" else asked)
            if among is None or among:
                yield Asked(target, among, [(rule, self._check(rule)) for rule in rules])

    def _check(self, rule: Rule) -> Check:
        """The compiled rule: most look at kinds or questions that a small input does not have."""
        check = self._checks.get(rule.name)
        if check is None:
            check = self._checks[rule.name] = rule.compiled()
        return check

    def _among(self, asked: Question) -> Collection[int] | None:
        if asked not in self._true_of:
            try:
                self._true_of[asked] = answers(asked, self.world)
            except Exception:  # noqa: BLE001 - whatever goes wrong, the rules run into it themselves
                self._true_of[asked] = None
        return self._true_of[asked]

    def findings(self, drafts: Iterable[Draft]) -> Iterator[Finding]:
        """The findings of a stage, as far as their rules run."""
        for draft in drafts:
            rule = self.rules.get(draft.rule)
            if rule:
                yield build.finding(rule, draft.subject, draft.path, draft.data, span=draft.span)
