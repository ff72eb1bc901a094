"""Nodes: conditions, room, and how much of it pods ask for. Layout of k8s.io/kubectl/pkg/describe (describeNode)."""

from __future__ import annotations

from kplan import resourcelist
from kplan.render import age
from kplan.render.columns.cluster import roles
from kplan.render.describe import events
from kplan.render.describe.containers import amount
from kplan.render.describe.context import Context, Value, name_of, namespace_of
from kplan.render.describe.lines import Lines, head
from kplan.render.fields import UNSET, mapping, text, texts
from kplan.resourcelist import Amounts
from kplan.workloads import dicts, get

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_INFO = (
    ("Machine ID:", "machineID"),
    ("System UUID:", "systemUUID"),
    ("Boot ID:", "bootID"),
    ("Kernel Version:", "kernelVersion"),
    ("OS Image:", "osImage"),
    ("Operating System:", "operatingSystem"),
    ("Architecture:", "architecture"),
    ("Container Runtime Version:", "containerRuntimeVersion"),
    ("Kubelet Version:", "kubeletVersion"),
)
_LEASES = "kube-node-lease"


def node(out: Lines, obj: Value, context: Context) -> None:
    """A Node."""
    head(out, obj, "name")
    out.add(0, "Roles:", roles(obj))
    head(out, obj, "labels", "annotations")
    out.add(0, "CreationTimestamp:", age.rfc1123z(get(obj, "metadata", "creationTimestamp")))
    out.several(0, "Taints:", sorted(map(_taint, dicts(obj, "spec", "taints"))))
    out.add(0, "Unschedulable:", "true" if get(obj, "spec", "unschedulable") is True else "false")
    _lease(out, obj, context)
    _conditions(out, obj)
    out.add(0, "Addresses:")
    for address in dicts(obj, "status", "addresses"):
        out.add(1, f"{text(address, 'type')}:", text(address, "address"))
    for title in ("capacity", "allocatable"):
        room = mapping(obj, "status", title)
        if room:
            out.add(0, f"{title.capitalize()}:")
        for name in sorted(room):
            out.add(1, f"{name}:", amount(room[name]))
    out.add(0, "System Info:")
    for title, field in _INFO:
        out.add(1, title, text(obj, "status", "nodeInfo", field))
    for title, field in (("PodCIDR:", "podCIDR"), ("PodCIDRs:", "podCIDRs"), ("ProviderID:", "providerID")):
        value = get(obj, "spec", field)
        if value:
            out.add(0, title, ",".join(texts(obj, "spec", field)) if isinstance(value, list) else text(value))
    _pods(out, obj, context)
    events.write(out, obj, context)


def _taint(taint: Value) -> str:
    value = f"={text(taint, 'value')}" if taint.get("value") else ""
    return f"{text(taint, 'key')}{value}:{text(taint, 'effect')}"


def _lease(out: Lines, obj: Value, context: Context) -> None:
    """When the kubelet last said that it lives; a node without a lease has no such part."""
    lease = next((x for x in context.find("Lease", _LEASES) if name_of(x) == name_of(obj)), None)
    if lease is None:
        return
    out.add(0, "Lease:")
    out.add(1, "HolderIdentity:", text(lease, "spec", "holderIdentity") or UNSET)
    for title, field in (("AcquireTime:", "acquireTime"), ("RenewTime:", "renewTime")):
        time = get(lease, "spec", field)
        out.add(1, title, age.rfc1123z(time) if time else UNSET)


def _conditions(out: Lines, obj: Value) -> None:
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
        out.add(1, "----", "------", "-----------------", "------------------", "------", "-------")
    for c in found:
        times = (f"{age.rfc1123z(c.get(k))} " for k in ("lastHeartbeatTime", "lastTransitionTime"))
        cells = (f"{text(c, 'status')} ", *times, f"{text(c, 'reason')} ", text(c, "message"))
        out.add(1, f"{text(c, 'type')} ", *cells)


def _pods(out: Lines, obj: Value, context: Context) -> None:
    """The pods that take room of a node, and the sums of what they ask for."""
    room = resourcelist.amounts(mapping(obj, "status", "allocatable") or mapping(obj, "status", "capacity"))
    here = [p for p in context.find("Pod", None) if text(p, "spec", "nodeName") == name_of(obj)]
    pods = [p for p in here if get(p, "status", "phase") not in ("Succeeded", "Failed")]
    out.add(0, "Non-terminated Pods:", f"({len(pods)} in total)")
    out.add(1, "Namespace", "Name", "", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    out.add(1, "---------", "----", "", "------------", "----------", "---------------", "-------------", "---")
    requests: Amounts = {}
    limits: Amounts = {}
    for pod in pods:
        asked, most = (resourcelist.of_pod(mapping(pod, "spec"), side) for side in ("requests", "limits"))
        resourcelist.add(requests, asked)
        resourcelist.add(limits, most)
        cells = [_share(name, side, room) for name in ("cpu", "memory") for side in (asked, most)]
        born = age.since(get(pod, "metadata", "creationTimestamp"), context.now)
        out.add(1, namespace_of(pod), name_of(pod), "", *cells, born)
    _sums(out, room, requests, limits)


def _sums(out: Lines, room: Amounts, requests: Amounts, limits: Amounts) -> None:
    out.add(0, "Allocated resources:")
    out.add(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    out.add(1, "Resource", "Requests", "Limits")
    out.add(1, "--------", "--------", "------")
    pages = sorted(name for name in room if name.startswith("hugepages-"))
    for name in (*_STANDARD, *pages):
        out.add(1, name, _share(name, requests, room), _share(name, limits, room))
    for name in sorted(room.keys() - {*_STANDARD, *pages, "pods"}):
        out.add(1, name, *(resourcelist.text(name, side.get(name, 0)) for side in (requests, limits)))


def _share(name: str, side: Amounts, room: Amounts) -> str:
    """An amount and its part of the node's room in whole per cent."""
    asked, all_ = side.get(name, 0), room.get(name, 0)
    return f"{resourcelist.text(name, asked)} ({100 * asked // all_ if all_ else 0}%)"
