"""The rules of a run: which of them look at which kind, and what they say about an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kplan.lint import findings as build
from kplan.lint.draft import Draft
from kplan.lint.ruleset import Rule
from kplan.lint.site import Check, Site, sites
from kplan.lint.world import World
from kplan.model import Finding, Object
from kplan.schema import catalog
from kplan.schema.compile import checker
from kplan.workloads import pod_template

RULE_CRASH = "rule-crash"
_MALFORMED = (TypeError, AttributeError, ValueError, KeyError)


class Engine:
    """Rules compiled and sorted by the kind of object that they look at."""

    def __init__(self, rules: Iterable[Rule], world: World) -> None:
        self.world = world
        self.rules = {r.name: r for r in rules}
        self._checks = [(r, r.compiled()) for r in self.rules.values() if r.target != "input"]
        self._by_kind: dict[str, dict[str, list[tuple[Rule, Check]]]] = {}

    def judge(self, obj: Object, *, malformed: bool) -> list[Finding]:
        """What the rules say about an object. A rule that fails on a malformed object says nothing more."""
        out: list[Finding] = []
        pod = pod_template(obj.value)
        for target, checks in self._of(obj.ref.kind).items():
            for site in sites(obj, target, self.world, pod):
                for rule, check in checks:
                    if not rule.roles or site.role in rule.roles:
                        out += self._apply(rule, check, site, malformed)
        return out

    def _apply(self, rule: Rule, check: Check, site: Site, malformed: bool) -> list[Finding]:
        try:
            return [build.from_problem(rule, site, problem) for problem in check(site)]
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in one rule, the others still run
            if isinstance(error, _MALFORMED) and (malformed or self._is_odd(site)):
                return []
            data = {"failed": f"{rule.id} {rule.name}", "error": type(error).__name__}
            return list(self.findings([Draft(RULE_CRASH, site.object, site.path, data)]))

    def _is_odd(self, site: Site) -> bool:
        """Whether an object of another kind than Kubernetes' own has something like a pod that is none."""
        node = catalog(self.world.version).definition("core.v1.PodSpec")
        return site.pod is not None and not checker(node, strict=False)(site.pod.spec)

    def _of(self, kind: str) -> Mapping[str, list[tuple[Rule, Check]]]:
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = {}
            for rule, check in self._checks:
                if not rule.kinds or kind in rule.kinds:
                    target = "object" if rule.target == "graph" else rule.target
                    found.setdefault(target, []).append((rule, check))
        return found

    def findings(self, drafts: Iterable[Draft]) -> Iterator[Finding]:
        """The findings of a stage, as far as their rules run."""
        for draft in drafts:
            rule = self.rules.get(draft.rule)
            if rule:
                yield build.finding(rule, draft.subject, draft.path, draft.data, span=draft.span)
