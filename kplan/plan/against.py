"""A plan against a live cluster: what to ask for, and which of the answers take part.

Only what the manifests name is compared: what else is there belongs to others. With a prune selector come the objects
that `kubectl apply --prune -l SELECTOR` would delete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kplan import labels
from kplan.model import Document, Key, Ref, Span, Unreadable
from kplan.plan.pairing import stored_as
from kplan.plan.secrets import LAST_APPLIED
from kplan.plan.values import items, submap
from kplan.schema.catalog import Catalog
from kplan.source.live import Answer, Asked
from kplan.store import ref_of

Value = dict[str, Any]
Selector = Sequence[labels.Requirement]

# What kubectl prunes without --prune-allowlist (kubectl reference, `kubectl apply`): (group, kind).
_PRUNED_IN_NAMESPACES = (
    *(("", kind) for kind in "ConfigMap Endpoints PersistentVolumeClaim Pod ReplicationController".split()),
    *(("", kind) for kind in ("Secret", "Service")),
    *(("batch", kind) for kind in ("Job", "CronJob")),
    ("networking.k8s.io", "Ingress"),
    *(("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
)
_PRUNED_ANYWHERE = (("", "Namespace"), ("", "PersistentVolume"))
_PRUNED = frozenset((*_PRUNED_IN_NAMESPACES, *_PRUNED_ANYWHERE))


@dataclass(frozen=True, slots=True)
class Question:
    """What a plan against a live cluster is about.

    `documents` are the manifests, in their namespaces where their kind is known; those of unknown kinds that name none
    are looked for in `namespace`. `prune` is None if nothing is pruned.
    """

    documents: tuple[Document, ...]
    kinds: Catalog
    namespace: str
    prune: Selector | None = None

    def kind_of(self, ref: Ref) -> Asked:
        """What the cluster is asked for because of this manifest."""
        key = self.identity(ref)
        version = ref.version if key.group == ref.group else ""
        info = self.kinds.kind(ref.api_version, ref.kind)
        nowhere = info is not None and not info.namespaced
        return Asked(key.group, version, ref.kind, "" if nowhere else key.namespace or self.namespace)

    def identity(self, ref: Ref) -> Key:
        """The identity of this manifest's object in the cluster."""
        info = self.kinds.kind(ref.api_version, ref.kind)
        key = stored_as(ref.key)
        return key if info is None or info.namespaced else key._replace(namespace="")

    def asked(self) -> list[Asked]:
        """All that the cluster is asked for, in the order of the manifests."""
        wanted = dict.fromkeys(self.kind_of(ref_of(d.value)) for d in self.documents)
        if self.prune is None:
            return list(wanted)
        known = {(one.group, one.kind, one.namespace) for one in wanted}
        visited = dict.fromkeys(one.namespace for one in wanted if one.namespace)
        pruned = [(group, kind, namespace) for namespace in visited for group, kind in _PRUNED_IN_NAMESPACES]
        pruned += [(group, kind, "") for group, kind in _PRUNED_ANYWHERE]
        return [
            *wanted,
            *(Asked(g, "v1", kind, namespace) for g, kind, namespace in pruned if (g, kind, namespace) not in known),
        ]


@dataclass(frozen=True, slots=True)
class Compared:
    """The objects of the cluster and the manifests that take part, and everything that is to be told."""

    current: tuple[Value, ...]
    desired: tuple[Document, ...]
    unreadable: tuple[Unreadable, ...]
    warnings: tuple[str, ...]


def unplaced(documents: Iterable[Document], kinds: Catalog) -> bool:
    """Whether any of the manifests belongs to the namespace that kubectl takes where none is named."""
    for document in documents:
        ref = ref_of(document.value)
        info = kinds.kind(ref.api_version, ref.kind)
        if not ref.namespace and (info is None or info.namespaced):
            return True
    return False


def compared(question: Question, answer: Answer, name: str) -> Compared:
    """Which objects and manifests take part in the plan; `name` is what the user calls the cluster.

    A manifest whose live object could not be read takes no part and makes the plan incomplete.
    """
    desired, unreadable = [], []
    in_namespaces = {_kind(ref_of(o).key) for o in answer.objects if ref_of(o).namespace}
    for document in question.documents:
        ref = ref_of(document.value)
        why = answer.failures.get(question.kind_of(ref))
        if why:
            unreadable.append(Unreadable(document.span(), f"{ref} cannot be compared: {why}", "cluster"))
        elif not ref.namespace and _kind(stored_as(ref.key)) in in_namespaces:
            desired.append(_placed(document, question.namespace))
        else:
            desired.append(document)
    asked_for = {question.kind_of(ref_of(d.value)) for d in question.documents}
    for one, why in answer.failures.items():
        if one not in asked_for:
            message = f"nobody can tell what to prune of {one}: {why}"
            unreadable.append(Unreadable(Span(name, 1, 1, 1, 1), message, "cluster"))
    wanted = {question.identity(ref): ref for d in desired for ref in (ref_of(d.value),)}
    current = tuple(_current(answer.objects, wanted, question.prune))
    return Compared(current, tuple(desired), tuple(unreadable), tuple(_missing_kinds(question, answer)))


def _kind(key: Key) -> tuple[str, str]:
    return key.group, key.kind


def _placed(document: Document, namespace: str) -> Document:
    meta = {**document.value["metadata"], "namespace": namespace}
    return replace(document, value={**document.value, "metadata": meta})


def _current(objects: Iterable[Value], wanted: Mapping[Key, Ref], prune: Selector | None) -> Iterable[Value]:
    """The live objects of the manifests, each once and in the manifest's version if it was read in several, and what
    is to be pruned."""
    found: dict[Key, Value] = {}
    for value in objects:
        ref = ref_of(value)
        manifest = wanted.get(ref.key)
        if manifest is None and (prune is None or not _pruned(value, ref, prune)):
            continue
        if ref.key not in found or (manifest is not None and ref.version == manifest.version):
            found[ref.key] = value
    return found.values()


def _pruned(value: Value, ref: Ref, selector: Selector) -> bool:
    """Whether `kubectl apply --prune -l` deletes it: of a kind on its list, labelled so, and applied by kubectl."""
    meta = submap(value, "metadata")
    have = {str(k): str(v) for k, v in submap(meta, "labels").items()}
    if (ref.group, ref.kind) not in _PRUNED or not labels.match_all(selector, have):
        return False
    applied = any(m.get("operation") == "Apply" and m.get("manager") == "kubectl" for m in items(meta, "managedFields"))
    return applied or LAST_APPLIED in submap(meta, "annotations")


def _missing_kinds(question: Question, answer: Answer) -> Iterable[str]:
    """One sentence for every kind that neither the cluster nor the manifests define."""
    told = set()
    for document in question.documents:
        ref = ref_of(document.value)
        info = question.kinds.kind(ref.api_version, ref.kind)
        if question.kind_of(ref) in answer.absent and not (info and info.custom) and ref[:3] not in told:
            told.add(ref[:3])
            yield f"the cluster has no kind {ref.kind} in {ref.api_version}: applying its objects would fail"
