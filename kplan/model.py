"""The frozen data that flows between the stages. Imports nothing of kplan.

A stage takes and returns these types; printing is a pure function over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from kplan.documents import (
    Document as Document,
)
from kplan.documents import (
    Duplicate as Duplicate,
)
from kplan.documents import (
    Key as Key,
)
from kplan.documents import (
    Object as Object,
)
from kplan.documents import (
    Path as Path,
)
from kplan.documents import (
    Ref as Ref,
)
from kplan.documents import (
    Span as Span,
)
from kplan.documents import (
    Value as Value,
)
from kplan.documents import (
    format_path as format_path,
)
from kplan.documents import (
    split_api_version as split_api_version,
)
from kplan.hints import Any, Final
from kplan.record import field, record
from kplan.tuples import NamedTuple


def ref_of(value: Value, *, namespace: str | None = None) -> Ref:
    """The Ref of an object's own fields; `namespace` stands in where it names none."""
    group, version = split_api_version(str(value.get("apiVersion", "")))
    meta = value.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    name = meta.get("name") or meta.get("generateName") or ""
    ns = meta.get("namespace") or namespace or ""
    return Ref(group, version, str(value.get("kind", "")), str(ns), str(name))


class Absent(Enum):
    """The mark for "no such field", which is not the same as null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


@record
class Skipped:
    """A file or document that was not used, and why: counted in every output."""

    file: str
    reason: str
    span: Span | None = None
    document: int | None = None


@record
class Unreadable:
    """A file or document that could not be read: one located sentence."""

    span: Span
    message: str
    code: str = "yaml"


@record
class Loaded:
    """All that reading the input gave."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    files: int = 0


class Cause(NamedTuple):
    """One reason of a refusal, as in metav1.StatusCause."""

    field: str
    reason: str
    message: str


@record
class Admission:
    """What the API server answers. `object` is the stored form, None when refused."""

    accepted: bool
    status: int
    message: str = ""
    causes: tuple[Cause, ...] = ()
    warnings: tuple[str, ...] = ()
    input: Value | None = None
    object: Value | None = None


@record
class Applied:
    """What became of one object that was applied, patched or deleted.

    `status` is the server's HTTP code, 201 for a new object; `object` is the stored form, None when refused.
    """

    accepted: bool
    status: int
    message: str = ""
    causes: tuple[Cause, ...] = ()
    warnings: tuple[str, ...] = ()
    object: Value | None = None


@record
class Related:
    """A second place that a finding talks about."""

    message: str
    span: Span | None
    ref: Ref | None = None


SEVERITIES: Final = ("info", "warning", "error")


@record
class Finding:
    """One thing to look at.

    `fingerprint` holds no line, so that moved text keeps its identity. `excerpt` is the line of the file where the
    span starts, "" where it could show a secret or cannot be had.
    """

    rule: str
    name: str
    severity: str
    message: str
    span: Span
    ref: Ref | None = None
    path: Path = ()
    related: tuple[Related, ...] = ()
    fix: str = ""
    fingerprint: str = ""
    excerpt: str = ""


@record
class RuleInfo:
    """What a renderer may say about a rule."""

    id: str
    name: str
    severity: str
    why: str = ""
    fix: str = ""
    tags: tuple[str, ...] = ()


@record
class Report:
    """The outcome of a lint run, sorted and counted: renderers never count or sort.

    `counts` holds `error`, `warning`, `info`, `baselined`, `unknown kinds`, and `skipped: <reason>` for each reason.
    """

    findings: tuple[Finding, ...]
    rules: tuple[RuleInfo, ...]
    skipped: tuple[Skipped, ...]
    unreadable: tuple[Unreadable, ...]
    files: int
    objects: int
    suppressed: int
    counts: Mapping[str, int]
    version: str = ""


class Placeholder(str):
    """Text in place of a value that is not shown, such as `(sensitive #3)`: renderers print it without quotes."""

    __slots__ = ()


KNOWN_AFTER_APPLY: Final = Placeholder("(known after apply)")


@record
class Change:
    """One node of a diff tree; what did not change is not in it, only counted in `unchanged`.

    `path` is the place in the object (with the indexes of the desired side where it has one), `op` is `create`,
    `update`, `delete`, `move` or `same` (context), `label` how the parent names this child (a list item by its merge
    key). `container` is `leaf`, `map`, `list`, `text` (a text of several lines), `json` or `yaml` (a text that holds
    such a document: its one child is the difference inside). `moved` holds the places of a list item before and after,
    counted from 1. `replace` is the server's sentence when this change forces replacement.
    """

    path: Path
    op: str
    before: Any = ABSENT
    after: Any = ABSENT
    label: str = ""
    children: tuple[Change, ...] = ()
    container: str = "leaf"
    unchanged: int = 0
    moved: tuple[int, int] | None = None
    replace: str = ""
    note: str = ""


class Ignored(NamedTuple):
    """A difference that is no change, and why: `reason` is one of the words of schemas/facts/noise.json."""

    path: str
    reason: str
    before: Any = ABSENT
    after: Any = ABSENT


@record
class Action:
    """What happens to one object. `verb` is create, update, replace, delete or keep.

    `reasons` say why the verb is what it is, `notes` what else is worth knowing, `risks` what may be lost. `needs` are
    the objects whose actions come first. `before` and `after` are the stored forms with secret values masked; a keep
    has none. `rollout` says what happens to the pods of a changed template, `consequences` what else follows in the
    cluster. `create_first` turns the order of a replacement round.
    """

    ref: Ref
    verb: str
    change: Change | None = None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    rollout: str = ""
    consequences: tuple[str, ...] = ()
    needs: tuple[Ref, ...] = ()
    wave: int = 0
    create_first: bool = False
    before_ref: Ref | None = None
    before: Value | None = None
    after: Value | None = None
    ignored: tuple[Ignored, ...] = ()
    span: Span | None = None


@record
class PlanCounts:
    """Terraform's summary numbers: a replacement counts in `add` and in `destroy`.

    `kept` are objects that are only in the current state and stay, `moved` those updated under another API group.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    unchanged: int = 0
    kept: int = 0
    moved: int = 0


@record
class Plan:
    """The actions from current to desired in the order of execution, with the counts and everything left out.

    `current` and `desired` name the two sides as the user did. `noise` counts differences that are no change by reason.
    """

    actions: tuple[Action, ...]
    counts: PlanCounts
    noise: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    version: str = ""
    current: str = ""
    desired: str = ""


@record
class Decision:
    """Where the scheduler puts a pod, and how sure that is.

    `tied` names all nodes with the top score, in visiting order; `node` is the first of them. `scores` (totals) and
    `plugin_scores` (weighted, by plugin) are there when more than one node was feasible, `rejections` says by node
    why the others were not. Without a node, `reason` and `message` are those of the PodScheduled condition, `victims`
    the pods to evict from the node `nominated`, `alternatives` those of other nodes that would do as well.
    `certainty` is deterministic, tie, sampled or unsupported; `notes` says what was not simulated.
    """

    node: str | None = None
    tied: tuple[str, ...] = ()
    scores: Mapping[str, int] = field(default_factory=dict)
    plugin_scores: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rejections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""
    message: str = ""
    victims: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    nominated: str = ""
    certainty: str = "deterministic"
    notes: tuple[str, ...] = ()
