"""The columns of nodes, namespaces, events, budgets, quotas and the plain kinds of the core group.

Follows pkg/printers/internalversion/printers.go and kube-aggregator's table of APIServices.
"""

from __future__ import annotations

from kplan.render import age
from kplan.render.columns.cell import AGE, NAME, Now, Value, columns, count, field, number, truth
from kplan.render.fields import NONE, UNKNOWN, condition, mapping, plain, text
from kplan.render.fields import number as number_of
from kplan.workloads import dicts, get

_ROLE = "node-role.kubernetes.io/"
_OLD_ROLE = "kubernetes.io/role"


def node_status(node: Value, _: Now = None) -> str:
    """Ready, NotReady or Unknown, and SchedulingDisabled behind it for a cordoned node."""
    ready = condition(node, "Ready")
    status = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{status},SchedulingDisabled" if get(node, "spec", "unschedulable") is True else status


def roles(node: Value, _: Now = None) -> str:
    """The roles that labels give a node, sorted; `<none>`."""
    found = set()
    for key, value in mapping(node, "metadata", "labels").items():
        if key.startswith(_ROLE) and key != _ROLE:
            found.add(key.removeprefix(_ROLE))
        elif key == _OLD_ROLE and value:
            found.add(plain(value))
    return ",".join(sorted(found)) or NONE


def _address(node: Value, kind: str) -> str:
    found = (text(a, "address") for a in dicts(node, "status", "addresses") if a.get("type") == kind)
    return next(found, NONE)


def first_seen(event: Value, now: Now) -> str:
    """How long ago an event was first seen."""
    return age.since(get(event, "firstTimestamp") or get(event, "eventTime"), now)


def last_seen(event: Value, now: Now) -> str:
    """How long ago an event was last seen."""
    time = get(event, "series", "lastObservedTime") or get(event, "lastTimestamp")
    return age.since(time, now) if age.read(time) else first_seen(event, now)


def _count(event: Value, _: Now) -> str:
    return str(number_of(event, "series", "count") or number_of(event, "count") or 1)


def source(event: Value, _: Now = None) -> str:
    """Who reported an event: `kubelet, node-1`."""
    who = text(event, "source", "component") or text(event, "reportingComponent")
    host = text(event, "source", "host") or (
        text(event, "reportingInstance") if not get(event, "source", "component") else ""
    )
    return ", ".join(filter(None, (who, host)))


def _object(event: Value, _: Now) -> str:
    about = mapping(event, "involvedObject") or mapping(event, "regarding")
    return "/".join(filter(None, (text(about, "kind").lower(), text(about, "name"))))


def _data(obj: Value, _: Now) -> str:
    return str(len(mapping(obj, "data")) + len(mapping(obj, "binaryData")))


def _usage(obj: Value, limits: bool) -> str:
    """`pods: 1/4, requests.cpu: 1/2` from what a quota allows and what is used of it."""
    hard, used = mapping(obj, "status", "hard"), mapping(obj, "status", "used")
    names = (n for n in sorted(hard) if n.startswith("limits") == limits)
    return ", ".join(f"{n}: {plain(used.get(n)) or '0'}/{plain(hard[n])}" for n in names)


def _service(obj: Value, _: Now) -> str:
    service = mapping(obj, "spec", "service")
    return f"{text(service, 'namespace')}/{text(service, 'name')}" if service else "Local"


def _available(obj: Value, _: Now) -> str:
    found = condition(obj, "Available")
    if found is None:
        return "Unknown"
    return "True" if found.get("status") == "True" else f"{text(found, 'status')} ({text(found, 'reason')})"


def _requested(obj: Value, _: Now) -> str:
    seconds = get(obj, "spec", "expirationSeconds")
    return age.human(seconds) if isinstance(seconds, int) else NONE


def signing(obj: Value, _: Now = None) -> str:
    """Where a CertificateSigningRequest stands: Pending, `Approved,Issued`, Denied …"""
    types = [text(c, "type") for c in dicts(obj, "status", "conditions")]
    status = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    if "Failed" in types:
        status += ",Failed"
    return f"{status},Issued" if get(obj, "status", "certificate") else status


NODES = columns(
    NAME,
    ("Status", node_status),
    ("Roles", roles),
    AGE,
    ("Version", "status.nodeInfo.kubeletVersion"),
    ("*Internal-IP", lambda obj, _: _address(obj, "InternalIP")),
    ("*External-IP", lambda obj, _: _address(obj, "ExternalIP")),
    ("*OS-Image", field("status.nodeInfo.osImage", UNKNOWN)),
    ("*Kernel-Version", field("status.nodeInfo.kernelVersion", UNKNOWN)),
    ("*Container-Runtime", field("status.nodeInfo.containerRuntimeVersion", UNKNOWN)),
)
NAMESPACES = columns(NAME, ("Status", "status.phase"), AGE)
EVENTS = columns(
    ("Last Seen", last_seen),
    ("Type", "type"),
    ("Reason", "reason"),
    ("Object", _object),
    ("*Subobject", "involvedObject.fieldPath"),
    ("*Source", source),
    ("Message", lambda obj, _: (text(obj, "message") or text(obj, "note")).strip()),
    ("*First Seen", first_seen),
    ("*Count", _count),
    ("*Name", "metadata.name"),
)
CONFIG_MAPS = columns(NAME, ("Data", _data), AGE)
SECRETS = columns(NAME, ("Type", "type"), ("Data", count("data")), AGE)
SERVICE_ACCOUNTS = columns(NAME, ("Secrets", count("secrets")), AGE)
QUOTAS = columns(NAME, ("Request", lambda o, _: _usage(o, False)), ("Limit", lambda o, _: _usage(o, True)), AGE)
PRIORITY_CLASSES = columns(
    NAME,
    ("Value", number("value")),
    ("Global-Default", truth("globalDefault")),
    AGE,
    ("PreemptionPolicy", "preemptionPolicy"),
)
LEASES = columns(NAME, ("Holder", "spec.holderIdentity"), AGE)
RUNTIME_CLASSES = columns(NAME, ("Handler", "handler"), AGE)
API_SERVICES = columns(NAME, ("Service", _service), ("Available", _available), AGE)
SIGNING_REQUESTS = columns(
    NAME,
    AGE,
    ("SignerName", "spec.signerName"),
    ("Requestor", "spec.username"),
    ("RequestedDuration", _requested),
    ("Condition", signing),
)
