"""Claims, volumes and storage classes, and which volume a claim gets.

Follows k8s.io/component-helpers/storage/volume (pv_helpers.go) and pkg/controller/volume/persistentvolume: before a
pod is looked at, claims that do not wait for a pod are bound as the PV controller would bind them. A claim that an
external provisioner would serve is bound to a volume of the name `pvc-<uid or namespace-name>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kplan import labels
from kplan.api.admission.storageclasses import DEFAULT_KEYS
from kplan.labels import Requirement
from kplan.scheduler import terms
from kplan.scheduler.fields import items, mapping, size, string_map, strings, text
from kplan.scheduler.pod import ClaimUse
from kplan.scheduler.terms import NodeTerm
from kplan.store import Store

Value = dict[str, Any]
ClaimId = tuple[str, str]

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
ONE_POD = "ReadWriteOncePod"


class Claim(NamedTuple):
    """A PersistentVolumeClaim. `volume` is the name of its volume, `bound` whether the two are bound for good."""

    namespace: str
    name: str
    uid: str
    class_name: str
    request: int
    modes: frozenset[str]
    volume_mode: str
    attributes: str
    selector: tuple[Requirement, ...] | None
    volume: str = ""
    bound: bool = False
    selected: str = ""
    lost: bool = False
    deleting: bool = False
    owner: str = ""

    @property
    def id(self) -> ClaimId:
        """Namespace and name."""
        return self.namespace, self.name


class Volume(NamedTuple):
    """A PersistentVolume. `claim` is the one it is reserved for or bound to, as (namespace, name, uid)."""

    name: str
    capacity: int
    modes: frozenset[str]
    volume_mode: str
    class_name: str
    attributes: str
    labels: Mapping[str, str]
    affinity: tuple[NodeTerm, ...] | None
    claim: tuple[str, str, str] | None = None
    available: bool = True
    deleting: bool = False
    driver: str = ""
    handle: str = ""

    def reaches(self, node_labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels can use the volume."""
        return self.affinity is None or any(t.matches("", node_labels) for t in self.affinity)

    def is_for(self, claim: Claim) -> bool:
        """Whether the volume is reserved for, or bound to, this very claim."""
        if self.claim is None or self.claim[:2] != claim.id:
            return False
        return self.claim[2] in ("", claim.uid)


class StorageClass(NamedTuple):
    """A StorageClass; `delayed` is WaitForFirstConsumer."""

    name: str
    provisioner: str
    delayed: bool
    topologies: tuple[tuple[Requirement, ...], ...]

    @property
    def provisions(self) -> bool:
        """Whether somebody makes volumes for this class."""
        return self.provisioner not in ("", NO_PROVISIONER)

    def reaches(self, node_labels: Mapping[str, str]) -> bool:
        """Whether the class may make volumes for a node with these labels."""
        return not self.topologies or any(t and labels.match_all(t, node_labels) for t in self.topologies)


class Capacity(NamedTuple):
    """A CSIStorageCapacity: how large a volume of a class can be on the nodes that `topology` selects."""

    class_name: str
    topology: tuple[Requirement, ...] | None
    limit: int


@dataclass(slots=True)
class Volumes:
    """All storage objects of a cluster, after the PV controller has come to rest; as they are if not `settled`."""

    settled: bool = True
    claims: dict[ClaimId, Claim] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    classes: dict[str, StorageClass] = field(default_factory=dict)
    default_class: str = ""
    capacities: tuple[Capacity, ...] = ()
    tracked: frozenset[str] = frozenset()  # CSI drivers with storageCapacity
    limits: dict[str, dict[str, int]] = field(default_factory=dict)  # node -> driver -> most volumes
    attached: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)  # node -> (driver, handle)
    topology_keys: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # (node, driver) -> labels
    _of_class: dict[str, list[Volume]] = field(default_factory=dict)

    def claim(self, namespace: str, pod: str, use: ClaimUse) -> Claim | None:
        """The claim behind a pod's volume, or None.

        Where claims are settled, a generic ephemeral one is made when it is first asked for.
        """
        name = use.of(pod)
        found = self.claims.get((namespace, name))
        if found is None and use.template is not None and self.settled:
            meta = {**mapping(use.template, "metadata"), "name": name, "namespace": namespace}
            made = read_claim({"metadata": meta, "spec": mapping(use.template, "spec")}, self.default_class)
            self.claims[made.id] = made._replace(owner=pod)
            settle(self, self.claims[made.id])
            found = self.claims[made.id]
        return found

    def of_class(self, name: str) -> list[Volume]:
        """The volumes of a storage class, by name: the order decides between equal sizes."""
        if name not in self._of_class:
            found = (v for v in self.volumes.values() if v.class_name == name)
            self._of_class[name] = sorted(found, key=lambda v: v.name)
        return self._of_class[name]

    def bind(self, claim: Claim, volume: Volume) -> None:
        """Bind a claim and a volume to each other."""
        self._of_class.pop(volume.class_name, None)
        self.claims[claim.id] = claim._replace(volume=volume.name, bound=True)
        self.volumes[volume.name] = volume._replace(claim=(*claim.id, claim.uid), available=False)

    def provision(self, claim: Claim, node: str = "", node_labels: Mapping[str, str] | None = None) -> None:
        """Make the volume that the class's provisioner would make, for a node if one was selected, and bind it."""
        driver = self.classes[claim.class_name].provisioner
        keys = self.topology_keys.get((node, driver), ())
        have = node_labels or {}
        # only a driver that knows topology ties its volumes to a place
        place = (NodeTerm(tuple(Requirement(k, "In", (have.get(k, ""),)) for k in keys), ()),) if keys else None
        name = volume_name(*claim.id, claim.uid)
        made = Volume(
            name,
            claim.request,
            claim.modes,
            claim.volume_mode,
            claim.class_name,
            claim.attributes,
            {},
            place,
            driver=driver,
            handle=name,
        )
        self.bind(claim, made)


def volume_name(namespace: str, claim: str, uid: str) -> str:
    """The name of the volume that is made for a claim: by its uid, or by its name where it has none."""
    return f"pvc-{uid or f'{namespace}-{claim}'}"


def read(store: Store, *, settled: bool = True) -> Volumes:
    """The storage objects of a store, with claims bound as the PV controller binds them.

    If not `settled`, somebody else does the work of that controller, and claims are what they are.
    """
    out = Volumes(
        settled=settled,
        classes={c.name: c for c in map(_class, store.all("StorageClass"))},
        volumes={v.name: v for v in map(read_volume, store.all("PersistentVolume"))},
        default_class=default_class(store.all("StorageClass")),
        capacities=tuple(map(_capacity, store.all("CSIStorageCapacity"))),
        tracked=frozenset(
            text(d, "metadata", "name")
            for d in store.all("CSIDriver")
            if mapping(d, "spec").get("storageCapacity") is True
        ),
        attached=_attached(store),
    )
    for node in store.all("CSINode"):
        _csi_node(out, node)
    for value in store.all("PersistentVolumeClaim"):
        claim = read_claim(value, out.default_class)
        out.claims[claim.id] = claim
    for claim in tuple(out.claims.values()) if settled else ():
        settle(out, claim)
    return out


def settle(all_: Volumes, claim: Claim) -> None:
    """What the PV controller does with one claim: bind it, have a volume made, or leave it."""
    if claim.lost:
        return
    if claim.volume:
        wanted = all_.volumes.get(claim.volume)
        if wanted is not None and (wanted.claim is None or wanted.is_for(claim)):
            all_.bind(claim, wanted)
        return
    kind = all_.classes.get(claim.class_name)
    delayed = kind is not None and kind.delayed
    found = controller_match(all_.volumes.values(), claim, delayed=delayed)
    if found is not None:
        all_.bind(claim, found)
    elif kind is not None and kind.provisions and not delayed:
        all_.provision(claim)


def controller_match(volumes: Iterable[Volume], claim: Claim, *, delayed: bool) -> Volume | None:
    """The volume that the PV controller gives to a claim; a delayed one gets only what is reserved for it.

    The controller looks at volumes with the fewest access modes first.
    """
    usable = sorted((v for v in volumes if claim.modes <= v.modes), key=lambda v: v.name)
    for modes in sorted({v.modes for v in usable}, key=lambda m: (len(m), sorted(m))):
        found = find_match(claim, (v for v in usable if v.modes == modes), reserved_only=delayed)
        if found is not None:
            return found
    return None


def find_match(
    claim: Claim,
    volumes: Iterable[Volume],
    *,
    node_labels: Mapping[str, str] | None = None,
    taken: Iterable[str] = (),
    reserved_only: bool = False,
) -> Volume | None:
    """The smallest volume that suits a claim; one that is reserved for it wins if the node can use it.

    With `node_labels` this is the scheduler's choice for a node, otherwise the PV controller's.
    """
    best: Volume | None = None
    for v in volumes:
        if v.name in taken or not _could_serve(v, claim):
            continue
        reaches = node_labels is None or v.reaches(node_labels)
        if v.is_for(claim):
            return v if reaches else None
        if reserved_only or not reaches or not _free_for(v, claim, node_labels is not None):
            continue
        if best is None or v.capacity < best.capacity:
            best = v
    return best


def _could_serve(v: Volume, claim: Claim) -> bool:
    return (
        (v.claim is None or v.is_for(claim))
        and v.capacity >= claim.request
        and v.volume_mode == claim.volume_mode
        and v.attributes == claim.attributes
        and not v.deleting
    )


def _free_for(v: Volume, claim: Claim, check_modes: bool) -> bool:
    if not v.available or v.class_name != claim.class_name:
        return False
    if claim.selector is not None and not labels.match_all(claim.selector, v.labels):
        return False
    return not check_modes or claim.modes <= v.modes


def default_class(classes: Iterable[Value]) -> str:
    """The class of claims that name none: the newest default, by name among equals; empty if there is none."""
    found = [
        (text(c, "metadata", "creationTimestamp"), text(c, "metadata", "name"))
        for c in classes
        if any(_note(c, key) == "true" for key in DEFAULT_KEYS)
    ]
    newest = max((time for time, _ in found), default="")
    return min((name for time, name in found if time == newest), default="")


def read_claim(value: Value, default: str = "") -> Claim:
    """A PersistentVolumeClaim as read from an object; `default` is the class of one that names none."""
    spec = mapping(value, "spec")
    named = spec.get("storageClassName")
    class_name = _note(value, BETA_CLASS) or (named if isinstance(named, str) else default)
    phase, volume = text(value, "status", "phase"), text(spec, "volumeName")
    controller = next((r for r in items(value, "metadata", "ownerReferences") if r.get("controller") is True), {})
    return Claim(
        namespace=text(value, "metadata", "namespace") or "default",
        name=text(value, "metadata", "name"),
        uid=text(value, "metadata", "uid"),
        class_name=class_name,
        request=size(spec, "resources", "requests", "storage"),
        modes=frozenset(strings(spec, "accessModes")),
        volume_mode=text(spec, "volumeMode") or "Filesystem",
        attributes=text(spec, "volumeAttributesClassName"),
        selector=terms.selector(spec.get("selector")),
        volume=volume,
        bound=bool(volume) and (_note(value, BIND_COMPLETED) != "" or phase == "Bound"),
        selected=_note(value, SELECTED_NODE),
        lost=phase == "Lost",
        deleting=bool(text(value, "metadata", "deletionTimestamp")),
        owner=text(controller, "name") if controller.get("kind") == "Pod" else "",
    )


def read_volume(value: Value) -> Volume:
    """A PersistentVolume as read from an object."""
    spec = mapping(value, "spec")
    ref = mapping(spec, "claimRef")
    phase = text(value, "status", "phase")
    csi = mapping(spec, "csi")
    return Volume(
        name=text(value, "metadata", "name"),
        capacity=size(spec, "capacity", "storage"),
        modes=frozenset(strings(spec, "accessModes")),
        volume_mode=text(spec, "volumeMode") or "Filesystem",
        class_name=_note(value, BETA_CLASS) or text(spec, "storageClassName"),
        attributes=text(spec, "volumeAttributesClassName"),
        labels=string_map(value, "metadata", "labels"),
        affinity=terms.node_terms(mapping(spec, "nodeAffinity").get("required")),
        claim=(text(ref, "namespace"), text(ref, "name"), text(ref, "uid")) if ref else None,
        # the controller makes a new volume Available as soon as it sees it
        available=phase in ("", "Pending", "Available"),
        deleting=bool(text(value, "metadata", "deletionTimestamp")),
        driver=text(csi, "driver"),
        handle=text(csi, "volumeHandle"),
    )


def _class(value: Value) -> StorageClass:
    return StorageClass(
        text(value, "metadata", "name"),
        text(value, "provisioner"),
        text(value, "volumeBindingMode") == "WaitForFirstConsumer",
        terms.topology_terms(value.get("allowedTopologies")),
    )


def _capacity(value: Value) -> Capacity:
    field_ = "maximumVolumeSize" if "maximumVolumeSize" in value else "capacity"
    return Capacity(text(value, "storageClassName"), terms.selector(value.get("nodeTopology")), size(value, field_))


def _csi_node(out: Volumes, value: Value) -> None:
    node = text(value, "metadata", "name")
    for driver in items(value, "spec", "drivers"):
        name, most = text(driver, "name"), mapping(driver, "allocatable").get("count")
        if isinstance(most, int):
            out.limits.setdefault(node, {})[name] = most
        out.topology_keys[node, name] = strings(driver, "topologyKeys")


def _attached(store: Store) -> dict[str, frozenset[tuple[str, str]]]:
    handles = {
        text(v, "metadata", "name"): text(v, "spec", "csi", "volumeHandle") for v in store.all("PersistentVolume")
    }
    found: dict[str, set[tuple[str, str]]] = {}
    for a in store.all("VolumeAttachment"):
        handle = handles.get(text(a, "spec", "source", "persistentVolumeName"), "")
        if handle:
            found.setdefault(text(a, "spec", "nodeName"), set()).add((text(a, "spec", "attacher"), handle))
    return {node: frozenset(pairs) for node, pairs in found.items()}


def _note(value: Value, key: str) -> str:
    return string_map(value, "metadata", "annotations").get(key, "")
