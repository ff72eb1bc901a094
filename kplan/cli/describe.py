"""`kplan describe`: objects of the predicted cluster in detail, as `kubectl describe` prints them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import click

from kplan.cli import options, output
from kplan.cli.get import chosen, finish, kinds_of, look, say_nothing_found, view
from kplan.cli.predicted import Predicted
from kplan.cli.selection import wanted

Value = dict[str, Any]

EXAMPLES = """\
kplan describe deploy/web -f manifests/                  what will become of this Deployment, and its events
kplan describe nodes -f manifests/ --nodes nodes.yaml    how full each node will be
kplan describe pods -l app=web -f manifests/             the pods with a label
"""


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("what", nargs=-1, metavar="KIND[,KIND…] [NAME…] | KIND/NAME…")
@click.option("--show-events/--no-show-events", "show_events", default=True, help="End with the object's events.")
@view
def command(**given: Any) -> int:
    """Print objects of the cluster that the manifests lead to in detail, as `kubectl describe` would.

    A NAME that no object has stands for all that start with it. Of secrets only the lengths of the values are shown.

    Exit codes: 0, or 1 if kplan could not run, an object named is not there, or manifests were refused.
    """
    from kplan.render import describe

    seen = look(given)
    asked = wanted(given["what"], kinds_of(seen))
    found = chosen(seen, asked, given, prefixes=True)
    context = _context(seen)._replace(show_events=given["show_events"])
    texts = [_described(o, context) for c in found for o in c.objects]
    output.write(describe.describe_all(texts))
    say_nothing_found(seen, found, given)
    finish(seen, found)
    return 0


def _context(seen: Predicted) -> Any:
    from kplan.render import age
    from kplan.render.describe import Context
    from kplan.render.describe.events import of_object

    store, now = seen.cluster.store, age.read(seen.now)

    def find(kind: str, namespace: str | None) -> Sequence[Value]:
        return list(store.all(kind, namespace))

    return Context(now=now, find=find, events=[of_object(e, now) for e in store.all("Event")])


def _described(obj: Value, context: Any) -> str:
    from kplan.plan.secrets import Masks, mask
    from kplan.render.describe import describe

    data = obj.get("data") if obj.get("kind") == "Secret" else None
    sizes = {k: _size(v) for k, v in data.items()} if isinstance(data, dict) else {}
    return describe(mask(obj, Masks()), context._replace(sizes=sizes))


def _size(value: object) -> int:
    """How many bytes a value of a Secret has."""
    try:
        return len(base64.b64decode(str(value or "").encode(), validate=True))
    except (binascii.Error, ValueError):
        return len(str(value))
