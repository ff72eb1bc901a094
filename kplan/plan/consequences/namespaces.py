"""What a Namespace takes with it."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Action
from kplan.plan.consequences.scene import Scene
from kplan.plan.sides import counted
from kplan.store import ref_of

Value = dict[str, Any]

_MOST = 3


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """The objects that go with a Namespace though nothing else in the plan destroys them."""
    if (action.ref.group, action.ref.kind) != ("", "Namespace") or action.verb not in ("delete", "replace"):
        return
    names = [f"{ref.kind} {ref.name}" for ref in map(ref_of, scene.new.within(action.ref.name))]
    if names:
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        what = f"{counted(len(names), 'object')} that the plan keeps {'goes' if len(names) == 1 else 'go'} with it"
        yield f"{what}: {', '.join(names[:_MOST])}{more}"
