"""What a recorded answer of a Kubernetes 1.36 API server is compared with: kplan's answer, in the same words.

Rows are those of tests/data/recorded, made by tools/sample_recordings.py. `agreement` gives what agrees, by aspect; an
aspect that a row says nothing about is left out.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import kplan

Value = dict[str, Any]
Agreement = dict[str, bool]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_VOLATILE = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink")


def admission(row: Mapping[str, Any]) -> Agreement:
    """A manifest that was created."""
    found = kplan.admit(copy.deepcopy(row["object"]))
    agrees = _judged(row, found)
    if agrees["verdict"] and found.object is not None:
        added, changed, removed = delta(without_chance(row["object"]), normalised(found.object))
        added.pop("/metadata/namespace", None)
        wanted = {k: v for k, v in row.get("added", {}).items() if k != "/metadata/namespace"}
        agrees["defaults"] = (added, changed, removed) == (wanted, row.get("changed", {}), row.get("removed", []))
    return agrees


def mutation(row: Mapping[str, Any], bases: Mapping[str, Value]) -> Agreement:
    """An accepted object, changed at one place and created; by an older release if the row has a `version`."""
    agrees = _judged(row, kplan.admit(altered(bases[row["base"]], row), version=row.get("version", "1.36")))
    return _verdict_and_causes(agrees) if "version" in row else agrees


def update(row: Mapping[str, Any], bases: Mapping[str, Value]) -> Agreement:
    """The same kind of change, made to the stored object."""
    base = bases[row["base"]]
    namespace, account = (
        base["metadata"].get("namespace", "default"),
        (base.get("spec") or {}).get("serviceAccountName"),
    )
    names = {"default", account if base["kind"] == "Pod" and account else "default"}
    cluster = kplan.Cluster(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            *(
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": n, "namespace": namespace}}
                for n in sorted(names)
            ),
        ]
    )
    cluster.apply([base], mode="replace")
    stored = cluster.get(base)
    assert stored is not None
    return _verdict_and_causes(_judged(row, cluster.apply([altered(stored, row)], mode="replace", dry_run=True)[0]))


def _verdict_and_causes(agrees: Agreement) -> Agreement:
    return {aspect: agrees[aspect] for aspect in ("verdict", "causes") if aspect in agrees}


def application(row: Mapping[str, Any]) -> Agreement:
    """`kubectl apply` of a newer revision of what an older one made."""
    cluster = kplan.Cluster()
    cluster.apply([row["before"]])
    old = cluster.get(row["before"])
    (found,) = cluster.apply([row["after"]], dry_run=True)
    if not found.accepted or old is None or found.object is None:
        return {"verdict": "error" in row}
    wanted = row.get("added", {}), row.get("changed", {}), row.get("removed", [])
    return {"verdict": "error" not in row, "result": delta(_bare(old), _bare(found.object)) == wanted}


def document(row: Mapping[str, Any]) -> Agreement:
    """A document as kubectl reads it, or that it does not."""
    found = kplan.admit(row["text"]).input
    if found is None or "error" in row:
        return {"verdict": (found is None) == ("error" in row)}
    return {"verdict": True, "value": _json(found.get("spec")) == _json(row["spec"])}


def _judged(row: Mapping[str, Any], found: kplan.Admission | kplan.Applied) -> Agreement:
    accepted = row["code"] < 300
    agrees = {"verdict": found.accepted == accepted}
    if not agrees["verdict"]:
        return agrees
    if accepted:
        agrees["warnings"] = sorted(row.get("warnings", [])) == sorted(found.warnings)
    elif row["code"] == 422:
        most = row.get("cut", 1 << 20)
        wanted, given = row["causes"], [(c.field, c.reason, c.message) for c in found.causes]
        agrees["causes"] = sorted(tuple(c[:2]) for c in wanted) == sorted(c[:2] for c in given)
        agrees["messages"] = _sentences(wanted, most) == _sentences(given, most)
    else:
        agrees["status"] = found.status == row["code"]
    return agrees


def _sentences(causes: Iterable[Any], most: int) -> list[str]:
    return sorted(_UID.sub("<uid>", cause[-1])[:most] for cause in causes)


def altered(obj: Value, row: Mapping[str, Any]) -> Value:
    """A copy of the object with the row's value at the row's place, or without the place if there is none."""
    obj = copy.deepcopy(obj)
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in row["at"].split("/")[1:])
    place: Any = obj
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if "value" in row:
        place[key] = row["value"]
    elif isinstance(place, list):
        place.pop(key)
    else:
        place.pop(key, None)
    return obj


def normalised(obj: Value) -> Value:
    """The object without what no two servers have in common, and with tokens for what one draws by chance."""
    obj = copy.deepcopy(obj)
    meta = obj.get("metadata", {})
    for name in _VOLATILE:
        meta.pop(name, None)
    if meta.get("generateName") and str(meta.get("name", "")).startswith(meta["generateName"]):
        meta.pop("name")
    if obj.get("kind") == "Service":
        _allocated(obj.get("spec", {}))
    if isinstance(obj.get("status"), dict):
        obj["status"].pop("lastPhaseTransitionTime", None)
    out: Value = without_chance(obj)
    return out


def without_chance(value: Any) -> Any:
    """A JSON value with tokens for the names and uids in it that a server draws."""
    text = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<rand>", json.dumps(value))
    return json.loads(_UID.sub("<uid>", text))


def _allocated(spec: Value) -> None:
    if spec.get("clusterIP") not in (None, "", "None"):
        spec["clusterIP"] = "<allocated>"
    if spec.get("clusterIPs") not in (None, [], ["None"]):
        spec["clusterIPs"] = ["<allocated>"]
    for port in spec.get("ports") or []:
        if port.get("nodePort"):
            port["nodePort"] = "<nodePort>"
    if spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = "<nodePort>"


def _bare(obj: Value) -> Value:
    obj = normalised(obj)
    notes = obj["metadata"].get("annotations") or {}
    notes.pop(LAST_APPLIED, None)
    if not notes:
        obj["metadata"].pop("annotations", None)
    return obj


def delta(old: Any, new: Any) -> tuple[Value, Value, list[str]]:
    """What an object has more than another, what otherwise (pointer -> value), and what it has not (pointers)."""
    before, after = dict(_flat(old)), dict(_flat(new))
    added = {k: v for k, v in after.items() if k not in before}
    changed = {k: v for k, v in after.items() if k in before and not _same(before[k], v)}
    removed = [k for k in before if k not in after and not any(a.startswith(f"{k}/") for a in after)]
    return added, changed, sorted(removed)


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, (dict, list)) or not value:
        yield at, value
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _flat(inner, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}")


def _same(a: Any, b: Any) -> bool:
    return a == b and type(a) is type(b)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def shares(agreements: Iterable[Agreement]) -> dict[str, tuple[int, int]]:
    """By aspect: how many of how many agree."""
    found: dict[str, tuple[int, int]] = {}
    for agreement in agreements:
        for aspect, agrees in agreement.items():
            yes, of = found.get(aspect, (0, 0))
            found[aspect] = yes + agrees, of + 1
    return found
