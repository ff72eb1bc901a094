"""A plan as JSON: the keys of `terraform show -json`, so that policies and comment tools written for it work, and the
plan widget of GitLab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted

from kplan.hints import Any
from kplan.model import KNOWN_AFTER_APPLY, Absent, Action, Change, Path, Placeholder, Plan

FORMAT_VERSION = "1.2"
_ACTIONS = {
    "create": ["create"],
    "update": ["update"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "keep": ["no-op"],
}
_ACTION_REASONS = {"replace": "replace_because_cannot_update", "delete": "delete_because_no_resource_config"}
_GONE = object()


def render(plan: Plan) -> str:
    """The plan as one JSON document, with secret values masked and marked."""
    c = plan.counts
    document = {
        "format_version": FORMAT_VERSION,
        "kubernetes_version": plan.version,
        "applyable": any(a.verb != "keep" for a in plan.actions),
        "complete": not plan.unreadable,
        "errored": False,
        "resource_changes": [_resource(a) for a in plan.actions],
        "summary": {
            "add": c.add,
            "change": c.change,
            "destroy": c.destroy,
            "replace": c.replace,
            "unchanged": c.unchanged,
            "kept": c.kept,
            "api_group_moved": c.moved,
        },
        "noise": dict(plan.noise),
        "warnings": list(plan.warnings),
        "skipped": [{"file": s.file, "reason": s.reason} for s in plan.skipped],
        "unreadable": [{"file": u.span.file, "line": u.span.line, "message": u.message} for u in plan.unreadable],
    }
    # Only texts hold `##`, and a build server that reads the log would take `##vso[` for a command.
    return text(document).replace("##", "#\\u0023") + "\n"


def render_gitlab(plan: Plan) -> str:
    """The report of GitLab's `artifacts:reports:terraform`: three numbers."""
    c = plan.counts
    return json.dumps({"create": c.add, "update": c.change, "delete": c.destroy}) + "\n"


class _Rendered(str):
    """A value that is JSON already."""

    __slots__ = ()


def text(value: Any, start: str = "\n") -> str:
    """What `json.dumps` gives with an indent of two and `default=str`, in a third of the time: the library indents in
    Python, piece by piece. `start` begins a line at the place of the value."""
    if isinstance(value, str):
        return value if isinstance(value, _Rendered) else quoted(value)
    if isinstance(value, dict):
        inner = start + "  "
        parts = [f"{quoted(k)}: {quoted(v) if type(v) is str else text(v, inner)}" for k, v in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{start}}}" if parts else "{}"
    if isinstance(value, list | tuple):
        inner = start + "  "
        return f"[{inner}{f',{inner}'.join([text(v, inner) for v in value])}{start}]" if value else "[]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return quoted(str(value))


_AT_VALUES = "\n" + 8 * " "  # the start of a line in a change, which is in a resource, in a list, in the document


def _resource(action: Action) -> dict[str, Any]:
    ref = action.ref
    out: dict[str, Any] = {
        "address": str(ref),
        "mode": "managed",
        "type": ref.kind,
        "name": ref.name,
        "namespace": ref.namespace,
        "api_version": ref.api_version,
        "provider_name": "kubernetes",
        "change": _change(action),
    }
    if action.before_ref is not None and action.before_ref != ref:
        out["previous_address"] = str(action.before_ref)
    if action.verb in _ACTION_REASONS:
        out["action_reason"] = _ACTION_REASONS[action.verb]
    return out | _extras(action)


def _extras(action: Action) -> dict[str, Any]:
    """What terraform has no key for; absent where there is nothing to say."""
    found = {
        "reasons": list(action.reasons),
        "notes": list(action.notes),
        "risks": list(action.risks),
        "rollout": action.rollout,
        "consequences": list(action.consequences),
        "wave": action.wave,
        "needs": [str(ref) for ref in action.needs],
        "ignored": [{"path": i.path, "reason": i.reason} for i in action.ignored],
        "location": str(action.span) if action.span else "",
    }
    return {k: v for k, v in found.items() if v}


def _change(action: Action) -> dict[str, Any]:
    actions = _ACTIONS[action.verb]
    same = action.after is action.before  # of most objects of a large plan
    before = _Rendered(text(action.before, _AT_VALUES))
    sensitive = _tree(action.before)
    out: dict[str, Any] = {
        "actions": actions[::-1] if action.create_first else actions,
        "before": before,
        "after": before if same else _known(action.after),
        "after_unknown": {} if same else _tree(action.after, KNOWN_AFTER_APPLY),
        "before_sensitive": sensitive,
        "after_sensitive": sensitive if same else _tree(action.after),
    }
    forced = list(_forced(action.change)) if action.change is not None else []
    if forced:
        out["replace_paths"] = [list(path) for path in forced]
    return out


def _known(value: Any) -> Any:
    """The value without what is known only after apply."""
    if isinstance(value, dict):
        return {k: _known(v) for k, v in value.items() if v is not KNOWN_AFTER_APPLY}
    if isinstance(value, list):
        return [_known(v) for v in value]
    return None if isinstance(value, Absent) else value


def _tree(value: Any, only: Placeholder | None = None) -> Any:
    """The mirror of a value with `true` where a mark stands: one mark only, or the sensitive ones."""
    if isinstance(value, dict):
        return {k: t for k, v in value.items() if (t := _tree(v, only)) not in (False, {}, [])}
    if isinstance(value, list):
        items = [_tree(v, only) for v in value]
        return items if any(i not in (False, {}, []) for i in items) else []
    if not isinstance(value, Placeholder):
        return {} if value is None else False
    return value is only if only is not None else value is not KNOWN_AFTER_APPLY


def _forced(change: Change) -> Iterator[Path]:
    if change.replace:
        yield change.path
    for child in change.children:
        yield from _forced(child)
