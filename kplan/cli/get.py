"""`kplan get`: the objects of the predicted cluster, in kubectl's tables or as they would be stored."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kplan import release
from kplan.cli import options, output
from kplan.cli.predicted import Predicted, complain, predicted, surroundings
from kplan.cli.selection import Chosen, Wanted, choose, elsewhere, requirements, wanted
from kplan.errors import KplanError

if TYPE_CHECKING:
    from kplan.render.get import Listed
    from kplan.schema import Catalog

Value = dict[str, Any]

EXAMPLES = """\
kplan get pods -f manifests/                          the pods that there will be
kplan get deploy,svc -f manifests/ -n shop -o wide    two kinds, with more columns
kplan get deploy/web -f web.yaml -o yaml              one object as it would be stored
kplan get all -A -f manifests/ --nodes nodes.yaml     in every namespace, on these nodes
"""

view_options = (
    click.option("-f", "--filename", metavar="PATH", multiple=True, help="Manifests: file, folder, `-`. Repeatable."),
    click.option("--nodes", metavar="PATH", multiple=True, help="Nodes, and what else is in the cluster. Repeatable."),
    click.option("-n", "--namespace", default="default", help="Look here, and apply here what names no namespace."),
    click.option("-A", "--all-namespaces", is_flag=True, help="Look in all namespaces."),
    click.option("-l", "--selector", metavar="SELECTOR", help="Only objects with these labels: a=1,b!=2,c in (x,y)."),
    options.script,
    options.metrics,
    options.load_balancer_pool,
    options.kube_version,
    options.exclude,
)


def view(function: Any) -> Any:
    """Give a command the options that `get` and `describe` share."""
    for option in reversed(view_options):
        function = option(function)
    return function


@click.command(cls=options.Command, examples=EXAMPLES)
@click.argument("what", nargs=-1, metavar="KIND[,KIND…] [NAME…] | KIND/NAME…")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["wide", "yaml", "json", "name"]),
    help="More columns, whole objects, or only names. [default: a table]",
)
@click.option("-L", "--label-columns", metavar="LABEL", multiple=True, help="A column for this label. Repeatable.")
@click.option("--show-labels", is_flag=True, help="A column with all labels.")
@click.option("--no-headers", is_flag=True, help="No line with the names of the columns.")
@view
def command(**given: Any) -> int:
    """Print objects of the cluster that the manifests lead to, as `kubectl get` would.

    A KIND is a plural, a singular or a short name (`deployments`, `deploy`, `deployments.apps`), or `all`. Values of
    secrets are masked in every format.

    Exit codes: 0, or 1 if kplan could not run, an object named is not there, or manifests were refused.
    """
    seen = look(given)
    asked = wanted(given["what"], kinds_of(seen))
    found = chosen(seen, asked, given)
    output.write(_text(found, seen, asked, given))
    if given["form"] not in ("yaml", "json"):
        say_nothing_found(seen, found, given)
    finish(seen, found)
    return 0


def look(given: dict[str, Any]) -> Predicted:
    """The cluster to look at. Raises KplanError without manifests."""
    if not given["filename"] and not given["nodes"]:
        raise KplanError("no manifests given", hint="-f PATH says where they are")
    version = release.parse(given["kube_version"] or release.DEFAULT)
    return predicted(
        given["filename"],
        given["nodes"],
        version,
        namespace=given["namespace"],
        exclude=given["exclude"],
        around=surroundings(given),
    )


def kinds_of(seen: Predicted) -> Catalog:
    """The kinds that this cluster knows, custom ones too."""
    from kplan.api.customresources import catalog_of

    return catalog_of(seen.cluster.version, seen.cluster.store)


def chosen(seen: Predicted, asked: list[Wanted], given: dict[str, Any], *, prefixes: bool = False) -> list[Chosen]:
    """The objects that the options pick; with `prefixes` a name that nothing has may be the start of one."""
    selector = requirements(given["selector"])
    if selector and any(w.names for w in asked):
        raise KplanError("names and --selector cannot be used together")
    where = None if given["all_namespaces"] else given["namespace"]
    if where is None and any(w.names for w in asked):
        raise KplanError("an object is looked up by name in one namespace", hint="leave out -A, or the name")
    return list(choose(asked, seen.cluster.store, namespace=where, selector=selector, prefixes=prefixes))


def say_nothing_found(seen: Predicted, found: Sequence[Chosen], given: dict[str, Any]) -> None:
    """Say on stderr that no object fits, unless names were asked for."""
    if any(c.objects or c.missing for c in found):
        return
    namespaced = all(c.info.namespaced for c in found) and not given["all_namespaces"]
    where = f" in {given['namespace']} namespace." if namespaced else ""
    sys.stderr.write(f"No resources found{where}\n")
    if namespaced and not given["selector"]:
        others = (elsewhere(c, seen.cluster.store) for c in found)
        sys.stderr.write(next((f"hint: there are some in -n {name}; -A shows all\n" for name in others if name), ""))


def finish(seen: Predicted, found: Sequence[Chosen]) -> None:
    """Raise KplanError for names that nothing has and for what did not become part of the cluster."""
    missing = [f'{c.resource} "{name}" not found' for c in found for name in c.missing]
    for message in missing if seen.is_partial else missing[:-1]:
        sys.stderr.write(f"error: {message}\n")
    complain(seen)
    if missing:
        last = [c._replace(missing=c.missing[-1:]) for c in found if c.missing][-1]
        other = elsewhere(last, seen.cluster.store)
        raise KplanError(missing[-1], hint=f"it is in -n {other}" if other else "")


def _text(found: list[Chosen], seen: Predicted, asked: list[Wanted], given: dict[str, Any]) -> str:
    from kplan.render import get

    form = given["form"]
    if form in ("yaml", "json"):
        return _whole(found, asked, form)
    listed = [_listed(c, seen) for c in found]
    if form == "name":
        return get.names(listed)
    look_ = get.Look(
        now=seen.now,
        wide=form == "wide",
        namespaces=given["all_namespaces"],
        kinds=len({(w.info.group, w.info.kind) for w in asked}) > 1,
        headers=not given["no_headers"],
        all_labels=given["show_labels"],
        labels=tuple(label for text in given["label_columns"] for label in text.split(",")),
    )
    return get.tables(_merged(listed), look_)


def _listed(one: Chosen, seen: Predicted) -> Listed:
    from kplan.plan.secrets import Masks, mask
    from kplan.render.get import Listed

    masks = Masks()
    info = one.info
    columns = kinds_of(seen).crd_version(info).get("additionalPrinterColumns")
    printed = [c for c in columns if isinstance(c, dict)] if isinstance(columns, list) else []
    objects = [mask(o, masks) for o in one.objects]
    return Listed(info.group, info.kind, info.namespaced, objects, printed if info.custom else None)


def _merged(listed: list[Listed]) -> list[Listed]:
    """Neighbours of one kind as one table: `pod/a pod/b`."""
    out: list[Listed] = []
    for one in listed:
        if out and (out[-1].group, out[-1].kind) == (one.group, one.kind):
            out[-1] = out[-1]._replace(objects=[*out[-1].objects, *one.objects])
        else:
            out.append(one)
    return out


def _whole(found: list[Chosen], asked: list[Wanted], form: str) -> str:
    """The objects themselves: one that is asked for by name alone, else a List."""
    from kplan.api.encode import encoded
    from kplan.plan.secrets import Masks, mask
    from kplan.render.get import json
    from kplan.yamlio.write import dump

    masks = Masks()
    objects = [mask(encoded(o, c.info), masks) for c in found for o in c.objects]
    single = len(asked) == 1 and len(asked[0].names) == 1
    if single and not objects:
        return ""
    value = (
        objects[0]
        if single
        else {"apiVersion": "v1", "kind": "List", "items": objects, "metadata": {"resourceVersion": ""}}
    )
    return dump(value) if form == "yaml" else json(value)
