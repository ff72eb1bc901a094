"""VolumeBinding: the volumes of a pod must reach the node; claims that waited for the pod get a volume there.

Follows pkg/scheduler/framework/plugins/volumebinding (volume_binding.go, binder.go).
"""

from __future__ import annotations

from typing import NamedTuple

from kplan import labels
from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import ClaimUse, Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.volumes import Claim, StorageClass, Volume, Volumes, find_match

NAME = "VolumeBinding"
UNBOUND_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
OLD_NODE_CONFLICT = "node(s) had volume node affinity conflict"  # before 1.33
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class Choice(NamedTuple):
    """What a node would do for the claims of a pod: volumes to bind, volumes to make, or why it cannot."""

    bindings: tuple[tuple[Claim, Volume], ...] = ()
    provisions: tuple[Claim, ...] = ()
    reasons: tuple[str, ...] = ()


def filtering(pod: Pod, cluster: Snapshot, args: Args) -> Filtering | Rejection | None:
    """Refuse a pod whose claims are not usable, and nodes that its volumes do not reach."""
    claims = []
    for use in pod.shape.claims:
        claim = _usable(pod, use, cluster.volumes)
        if isinstance(claim, Rejection):
            return claim
        claims.append(claim)
    if not claims:
        return None
    if any(not c.bound and not _waits(c, cluster.volumes) for c in claims):
        return Rejection((UNBOUND_IMMEDIATE,), final=True)

    def check(node: Node) -> Rejection | None:
        reasons = choose(claims, node, cluster.volumes).reasons
        if args.minor < 33:
            reasons = tuple(OLD_NODE_CONFLICT if r == NODE_CONFLICT else r for r in reasons)
        return Rejection(reasons, final=True) if reasons else None

    return Filtering(check)


def _usable(pod: Pod, use: ClaimUse, volumes: Volumes) -> Claim | Rejection:
    claim = volumes.claim(pod.namespace, pod.name, use)
    name = use.of(pod.name)
    if claim is None:
        missing = f'persistentvolumeclaim "{name}"'
        making = f"waiting for ephemeral volume controller to create the {missing}"
        return Rejection((f"{missing} not found" if use.template is None else making,), final=True)
    if claim.lost:
        reason = f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.volume}"'
    elif claim.deleting:
        reason = f'persistentvolumeclaim "{name}" is being deleted'
    elif use.template is not None and claim.owner != pod.name:
        where = f"{pod.namespace}/{name} was not created for pod {pod.namespace}/{pod.name}"
        reason = f"PVC {where} (pod is not owner)"
    else:
        return claim
    return Rejection((reason,), final=True)


def _waits(claim: Claim, volumes: Volumes) -> bool:
    """Whether the claim is bound only once its pod has a node."""
    kind = volumes.classes.get(claim.class_name)
    return kind is not None and kind.delayed and not claim.volume


def choose(claims: list[Claim], node: Node, volumes: Volumes) -> Choice:
    """The volumes that the claims would get on a node, smallest claim first."""
    reasons = _bound_reasons([c for c in claims if c.bound], node, volumes)
    waiting = [c for c in claims if not c.bound]
    if any(c.selected not in ("", node.name) for c in waiting):
        return Choice(reasons=_in_order({*reasons, BIND_CONFLICT}))
    bindings: list[tuple[Claim, Volume]] = []
    provisions = [c for c in waiting if c.selected]
    for claim in sorted((c for c in waiting if not c.selected), key=lambda c: c.request):
        taken = [v.name for _, v in bindings]
        found = find_match(claim, volumes.of_class(claim.class_name), node_labels=node.labels, taken=taken)
        if found is None:
            provisions.append(claim)
        else:
            bindings.append((claim, found))
    refusal = next(filter(None, (_cannot_make(c, node, volumes) for c in provisions)), None)
    if refusal:
        reasons.add(refusal)
    return Choice(tuple(bindings), tuple(provisions), _in_order(reasons))


def _in_order(reasons: set[str]) -> tuple[str, ...]:
    return tuple(r for r in (NODE_CONFLICT, BIND_CONFLICT, NO_SPACE, NO_VOLUME) if r in reasons)


def _bound_reasons(claims: list[Claim], node: Node, volumes: Volumes) -> set[str]:
    for claim in claims:
        volume = volumes.volumes.get(claim.volume)
        if volume is None:
            return {NO_VOLUME}
        if not volume.reaches(node.labels):
            return {NODE_CONFLICT}
    return set()


def _cannot_make(claim: Claim, node: Node, volumes: Volumes) -> str:
    """Why no volume can be made for a claim on a node; empty if one can."""
    kind = volumes.classes[claim.class_name]
    if not kind.provisions or not kind.reaches(node.labels):
        return BIND_CONFLICT
    return "" if _has_space(claim, kind, node, volumes) else NO_SPACE


def _has_space(claim: Claim, kind: StorageClass, node: Node, volumes: Volumes) -> bool:
    if kind.provisioner not in volumes.tracked or not claim.request:
        return True
    return any(
        c.class_name == kind.name
        and c.limit >= claim.request
        and c.topology is not None
        and labels.match_all(c.topology, node.labels)
        for c in volumes.capacities
    )


def reserve(pod: Pod, node: Node, cluster: Snapshot) -> None:
    """Bind the claims of a pod that goes to a node, so that later pods see the volumes as taken."""
    if not pod.shape.claims:
        return
    volumes = cluster.volumes
    found = (volumes.claim(pod.namespace, pod.name, use) for use in pod.shape.claims)
    choice = choose([c for c in found if c is not None and (c.bound or _waits(c, volumes))], node, volumes)
    for claim, volume in choice.bindings:
        volumes.bind(claim, volume)
    for claim in choice.provisions:
        if volumes.classes[claim.class_name].provisions:
            volumes.provision(claim, node.name, node.labels)
