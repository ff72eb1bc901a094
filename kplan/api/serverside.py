"""Server-side apply of one object, and the bookkeeping of field managers for all other ways of writing.

Follows KEP-555 and k8s.io/apimachinery/pkg/util/managedfields (fieldmanager.go, structuredmerge.go, skipnonapplied.go,
lastappliedmanager.go, lastappliedupdater.go).

Owners are kept from the first server-side apply of an object on, or if it came with managedFields. Before that the
server's rule for objects without managedFields holds: one manager owns all that is there. It is called
before-first-apply, or kubectl-client-side-apply if kubectl's annotation tells who wrote the object. Controllers of the
simulation write without bookkeeping: what they change stays with the manager that owned it, and conflicts with nobody.
Nor does a manager conflict with what it patched or replaced itself, for which a server would want force.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.api.decode import Mode, converter, copied
from kplan.api.encode import encoded
from kplan.api.lastapplied import CLIENT_SIDE_MANAGER, last_applied, remembering
from kplan.api.pipeline import created
from kplan.api.request import Refused, Server
from kplan.api.rereading import normal, reread
from kplan.api.ssa import managers as entries
from kplan.api.ssa import typed
from kplan.api.ssa.fieldsets import fields_of
from kplan.api.ssa.managers import APPLY, UPDATE, Manager
from kplan.api.ssa.ownership import Kind, applied, written
from kplan.api.ssa.paths import EMPTY, under
from kplan.api.ssa.shapes import resource_of_unknown_kind
from kplan.api.statusupdate import has_status, with_status
from kplan.api.stored import without_kind
from kplan.api.update import updated
from kplan.api.validation.field import go_quote
from kplan.schema import KindInfo, catalog

Value = dict[str, Any]

KUBECTL = "kubectl"  # the manager of kubectl apply --server-side
BEFORE_FIRST_APPLY = "before-first-apply"

_LONGEST_MANAGER = 128
_STATUS = ("f:status",)
# What an applied Node says about the machine, as no kubelet reports it; but for the labels that a kubelet always sets.
_OF_NODE = (
    ("f:metadata", "f:labels"),
    ("f:spec", "f:taints"),
    ("f:spec", "f:unschedulable"),
    ("f:status", "f:allocatable"),
)
_OF_KUBELET = tuple(("f:metadata", "f:labels", f"f:kubernetes.io/{name}") for name in ("hostname", "os", "arch"))
_NOT_READY = "node.kubernetes.io/not-ready"


class Applying(NamedTuple):
    """An apply call: the object with its kind (None: not known) and what is stored under its name, who applies it."""

    config: Value
    info: KindInfo | None
    stored: Value | None
    manager: str
    force: bool


def server_side(call: Applying, server: Server, warnings: list[str]) -> Value:
    """The object as it is stored after the call: `call.stored` itself if nothing changes. Raises Refused."""
    config, info, stored = call.config, call.info, call.stored
    kind = _kind(info, server)
    _check(call, kind)
    me = Manager(call.manager, APPLY, config["apiVersion"], time=server.now)
    if stored is None:
        new, owners = applied({}, config, {}, me, kind, force=call.force)
        return entries.with_managers(_created(new, call, server, warnings), owners)
    known = entries.read(stored)
    live = normal(entries.with_managers({**stored, "apiVersion": config["apiVersion"]}, {}), info, server.minor)
    allowed = fields_of(last_applied(live) or {}, kind.node) if call.manager == KUBECTL else EMPTY
    before = known or _first_managers(live, info, kind, me)
    new, owners = applied(live, config, before, me, kind, force=call.force, allowed=allowed)
    if call.manager == KUBECTL and last_applied(new) is not None:
        new = remembering(new, config)
    if same_owners(owners, known) and new == live:
        return stored
    final = _updated(new, live, call, server, warnings)
    return stored if same_owners(owners, known) and unchanged(final, live) else entries.with_managers(final, owners)


def _check(call: Applying, kind: Kind) -> None:
    """What is wrong with the call itself. The server answers 500 where an object does not fit the schema."""
    config, info, meta = call.config, call.info, call.config["metadata"]
    wrong = _wrong_manager(call.manager)
    if wrong:
        raise Refused(422, f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {wrong}')
    if meta.get("managedFields") is not None:
        raise Refused(400, "metadata.managedFields must be nil")
    wrong = typed.problem(config, kind.node)
    if wrong:
        raise Refused(500, f"failed to create typed patch object ({_name(config)}): {wrong}")
    if call.stored is None and meta.get("uid") and info is not None:
        resource = f"{info.plural}.{info.group}" if info.group else info.plural
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        raise Refused(409, f'Operation cannot be fulfilled on {resource} "{meta["name"]}": {why}')


def _wrong_manager(name: str) -> str:
    if not name:
        return "Required value: is required for apply patch"
    if len(name.encode()) > _LONGEST_MANAGER:
        return f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
    at, c = next(((i, c) for i, c in enumerate(name) if not c.isprintable()), (0, ""))
    return f"Invalid value: {go_quote(name)}: invalid character U+{ord(c):04X} (at position {at})" if c else ""


def _name(config: Value) -> str:
    meta = config["metadata"]
    return f"{meta.get('namespace') or ''}/{meta['name']}; {_gvk(config)}"


def _gvk(config: Value) -> str:
    version = config["apiVersion"]
    return f"{version if '/' in version else f'/{version}'}, Kind={config['kind']}"


def _kind(info: KindInfo | None, server: Server) -> Kind:
    if info is None:
        return Kind(resource_of_unknown_kind(catalog(server.release).definition("meta.v1.ObjectMeta")))
    return Kind(info.node, (_STATUS,) if has_status(info, server.store) and not _is_node(info) else ())


def _is_node(info: KindInfo | None) -> bool:
    return info is not None and (info.group, info.kind) == ("", "Node")


def _first_managers(live: Value, info: KindInfo | None, kind: Kind, me: Manager) -> dict[str, Manager]:
    """The managers of a stored object without managedFields before `me` applies another."""
    if _is_node(info):
        # Nodes come from a list of machines. Whoever applies one first counts as the one who wrote that list.
        fields = under(fields_of(live, kind.node), _OF_NODE)
        return {me.key: me.owning(fields - under(fields, _OF_KUBELET))}
    name = BEFORE_FIRST_APPLY if last_applied(live) is None else CLIENT_SIDE_MANAGER
    before = Manager(name, UPDATE, me.api_version, time=me.time)
    return written(_empty(info), live, {}, before, kind, me.time)


def _empty(info: KindInfo | None) -> Value:
    """An object of the kind of which nothing is set, as the server writes it."""
    if info is None or info.custom:
        return {}
    return encoded(converter(info.node, Mode())({}), info)


def _created(new: Value, call: Applying, server: Server, warnings: list[str]) -> Value:
    """The applied object as it is stored when it is new."""
    if call.info is None:
        return without_kind(new, server.release)
    made = created(_read(new, call, call.info, server), call.info, server, warnings)
    return _joined(made, call.config) if _is_node(call.info) else made


def _updated(new: Value, live: Value, call: Applying, server: Server, warnings: list[str]) -> Value:
    """The merged object as it is stored in place of `live`."""
    if call.info is None:
        return without_kind(new, server.release)
    read = _read(new, call, call.info, server)
    status = read.get("status")
    final = updated(read, live, call.info, server, warnings)
    return with_status(final, status, live, call.info, server) if _is_node(call.info) else final


def _read(new: Value, call: Applying, info: KindInfo, server: Server) -> Value:
    read, error, _ = reread(new, info, server.minor)
    if error:
        why = f"unable to convert unstructured object to {_gvk(new)}: {error}"
        raise Refused(500, f"failed to convert new object ({_name(call.config)}) to proper version: {why}")
    return read


def _joined(node: Value, config: Value) -> Value:
    """A new Node without the taint that admission gives it until its kubelet is ready, unless it says it is not."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    if any(c.get("type") == "Ready" and c.get("status") != "True" for c in conditions):
        return node
    spec = node.get("spec") or {}
    sent = (config.get("spec") or {}).get("taints") or ()
    taints = [t for t in spec.get("taints") or () if t.get("key") != _NOT_READY or t in sent]
    return {**node, "spec": {k: v for k, v in spec.items() if k != "taints"} | ({"taints": taints} if taints else {})}


def same_owners(these: entries.Managers, those: entries.Managers) -> bool:
    """Whether the same managers own the same fields, whenever they wrote them."""
    a, b = ({key: (m.api_version, m.fields) for key, m in side.items()} for side in (these, those))
    return a == b


def unchanged(new: Value, old: Value) -> bool:
    """Whether two forms of an object differ in nothing but what each write changes."""
    left = ("managedFields", "resourceVersion")
    a, b = ({**o, "metadata": {k: v for k, v in o["metadata"].items() if k not in left}} for o in (new, old))
    return a == b


class Writing(NamedTuple):
    """A write by another call than apply: of which kind, over which stored object, by whom."""

    info: KindInfo | None
    stored: Value
    manager: str
    subresource: str = ""


def is_tracked(stored: Value) -> bool:
    """Whether the owners of this object's fields are kept."""
    return bool(stored["metadata"].get("managedFields"))


def update_tracked(new: Value, call: Writing, server: Server, warnings: list[str]) -> Value:
    """What `updated` makes of a decoded object of which the owners are kept, with its managers after the write.

    `call.stored` itself if nothing changes. `new` is changed in place.
    """
    assert call.info is not None
    sent = copied(new)
    new["metadata"].pop("managedFields", None)
    final = managed(updated(new, call.stored, call.info, server, warnings), sent, call, server)
    same = same_owners(entries.read(final), entries.read(call.stored)) and unchanged(final, call.stored)
    return call.stored if same else final


def managed(final: Value, sent: Value, call: Writing, server: Server) -> Value:
    """`final` with the managers after a write of `sent` (decoded, before admission) over an object with managers.

    A client that sends managedFields of its own replaces what is stored, and ends the bookkeeping with an empty entry.
    """
    given = sent["metadata"].get("managedFields")
    if given == [{}] and not call.subresource:
        return entries.with_managers(final, {})
    live = {**call.stored, "apiVersion": final["apiVersion"]}
    known = (entries.read(sent) if not call.subresource else {}) or entries.read(live)
    me = Manager(call.manager, UPDATE, final["apiVersion"], call.subresource)
    kind = _kind(call.info, server)
    if call.subresource:  # which has put back already what it does not reach
        kind = Kind(kind.node)
    return entries.with_managers(final, written(live, sent, known, me, kind, server.now) if known else {})
