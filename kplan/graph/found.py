"""What the rules of the table find in an object: looked for once in each layout, then only fetched."""

from __future__ import annotations

from kplan.graph.made import claim_templates
from kplan.graph.rules import Found, Place, Rule, table, walk
from kplan.hints import Any
from kplan.model import Key, Object, Path
from kplan.tuples import NamedTuple
from kplan.workloads import POD_PATHS, get, pod_template

Ways = tuple[tuple[Rule, Path], ...]
# Where edges start in an object: a rule and the path at which it applies, or what no rule says.
Way = tuple[Rule | None, Path]
IRREGULAR: Way = (None, ())


def found(obj: Object, identity: Key) -> list[Found]:
    """Every rule that applies to an object, with what stands there and its path."""
    out, replaced = _walked(obj, identity), replaced_volumes(obj)
    return [one for one in out if one[2][: replaced.depth] not in replaced.paths] if replaced.paths else out


def _walked(obj: Object, identity: Key) -> list[Found]:
    out: list[Found] = []
    rules = table()
    walk(rules.common, obj.value, (), out)
    tree = rules.kinds.get((identity.group, identity.kind))
    if tree is not None:
        walk(tree, obj.value, (), out)
    pod = pod_template(obj.value)
    if pod is not None:
        walk(rules.pod_spec, pod.spec, (*pod.path, "spec"), out)
    return out


class Replaced(NamedTuple):
    """The paths of the volumes of a pod that claims of a StatefulSet stand in for, all of one length."""

    paths: frozenset[Path] = frozenset()
    depth: int = 0


def replaced_volumes(obj: Object) -> Replaced:
    """Which volumes of an object's pods are none of their own: they bear the name of a claim template."""
    names = {name for _, name in claim_templates(obj)}
    if not names:
        return Replaced()
    place = (*POD_PATHS.get(obj.ref.kind, ("spec", "template")), "spec", "volumes")
    volumes = obj.part(*place)
    found = [i for i, v in enumerate(volumes) if get(v, "name") in names] if isinstance(volumes, list) else []
    return Replaced(frozenset((*place, i) for i in found), len(place) + 1)


def ways(obj: Object, identity: Key, tree: Any) -> Ways | None:
    """The rules and paths for all objects of the layout of this one, those in replaced volumes too; None where values
    decide about them."""
    rules = table()
    path = POD_PATHS.get(obj.ref.kind)
    if (
        path is None
        and "spec" in tree
        and "template" in (tree["spec"] if isinstance(tree["spec"], dict) else ("template",))
    ):
        return None
    spec: Any = tree
    for step in (*path, "spec") if path is not None else ():
        if not isinstance(spec, dict) or step not in spec:
            return None
        spec = spec[step]
    own = rules.kinds.get((identity.group, identity.kind)) or Place()
    if _hides(rules.common, tree) or _hides(own, tree):
        return None
    if path is not None and (not isinstance(spec, dict) or _hides(rules.pod_spec, spec)):
        return None
    return tuple((rule, where) for rule, _, where in _walked(obj, identity))


def _hides(place: Place, tree: Any) -> bool:
    """Whether a flow collection stands where rules look inside: its text decides what they find."""
    if isinstance(tree, dict):
        return any(_hides(place.fields[name], part) for name, part in tree.items() if name in place.fields)
    if isinstance(tree, list):
        return place.items is not None and any(_hides(place.items, part) for part in tree)
    return tree.flow >= 0 and bool(place.fields or place.items)
