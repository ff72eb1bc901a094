"""What is said about the objects of the input, one after the other: by the schema, the API server and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from kplan.lint import admission, schema_stage
from kplan.lint.engine import Engine
from kplan.lint.world import World
from kplan.model import Finding, Object
from kplan.schema import Catalog

# What ends the work of the API server before it comes to validation.
_REFUSED_EARLY = {schema_stage.REMOVED, schema_stage.UNKNOWN_KIND, schema_stage.UNKNOWN_FIELD, schema_stage.WRONG_TYPE}
_FOR_ONE_PROCESS = 250  # objects to judge in full; fewer take less time than to start another process

Marked = tuple[Object, int | None]  # with its mark (kplan/lint/likeness.py)


class Judging:
    """All stages that look at one object at a time, over the objects of a world.

    Of objects that are alike, as long as nothing was said about them, only what lies between them and others is looked
    at again.
    """

    def __init__(self, world: World, engine: Engine, kinds: Catalog) -> None:
        self._world = world
        self._engine = engine
        self._kinds = kinds
        self._server = admission.server_of(world.objects, world.version)
        self._asks_server = not engine.rules.keys().isdisjoint(admission.RULES)
        self._blameless: set[tuple[int, bool]] = set()

    def findings(self, processes: int = 1) -> Iterator[Finding]:
        """The findings, in the order of the objects. Where there is much to do it is spread over so many processes."""
        marks = self._marks()
        different = marks.count(None) + len(set(marks))
        marked = zip(self._world.objects, marks, strict=True)
        processes = min(processes, different // _FOR_ONE_PROCESS)
        if processes < 2:
            for obj, mark in marked:
                yield from self._of(obj, mark)
            return
        from kplan.lint.spread import spread

        self._engine.get_ready({obj.ref.kind for obj in self._world.objects})
        files: list[list[Marked]] = [list(group) for _, group in groupby(marked, key=_file)]
        for found in spread(lambda i: [f for one in files[i] for f in self._of(*one)], len(files), processes):
            yield from found

    def _marks(self) -> Sequence[int | None]:
        # Policies may look at anything of an object, so no two are alike to them.
        if self._server.store is not None or not self._world.batches:
            return [None] * len(self._world.objects)
        from kplan.lint.likeness import Likeness

        return Likeness(self._kinds).marks(self._world.objects, self._world.batches)

    def _of(self, obj: Object, mark: int | None) -> Iterable[Finding]:
        pieces = self._world.is_kustomized(obj)
        if mark is not None and (mark, pieces) in self._blameless:
            return self._engine.judge(obj, malformed=False, alone=False)
        obj.hold()
        try:
            return self._in_full(obj, mark, pieces)
        finally:
            obj.release()

    def _in_full(self, obj: Object, mark: int | None, pieces: bool) -> list[Finding]:
        engine = self._engine
        is_asked = self._asks_server and schema_stage.is_builtin(obj, self._kinds)
        new = admission.decoded(obj, self._server) if is_asked else None
        drafts = list(schema_stage.judge(obj, self._kinds, fits=new is not None))
        said = {d.rule for d in drafts}
        malformed = schema_stage.WRONG_TYPE in said
        if is_asked and not said & _REFUSED_EARLY:
            drafts += admission.judge(obj, self._server, new, pieces=pieces)
        alone = engine.judge(obj, malformed=malformed, alone=True)
        if mark is not None and not drafts and not alone:
            self._blameless.add((mark, pieces))
        by_rules = alone + engine.judge(obj, malformed=malformed, alone=False)
        told = {f.path for f in by_rules if f.severity == "error"}
        drafts = [d for d in drafts if d.rule != admission.REFUSED or d.path not in told]
        return [*engine.findings(drafts), *by_rules]


def _file(marked: Marked) -> str:
    document = marked[0].document
    return document.file if document else ""
