"""Services and the pods behind them, as all controllers of endpoints see them.

Follows pkg/controller/util/endpoint/controller_utils.go and k8s.io/endpointslice/util.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kplan.controllers import pods
from kplan.controllers.control import Control
from kplan.controllers.selecting import Selecting
from kplan.model import Key
from kplan.store import Write, labels_of

Value = dict[str, Any]

HEADLESS = "service.kubernetes.io/headless"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"


def selector_of(service: Value) -> dict[str, str] | None:
    """The selector; None for a Service whose endpoints are not made from pods."""
    spec = service.get("spec") or {}
    selector = spec.get("selector") if spec.get("type") != "ExternalName" else None
    return selector or None


def is_headless(service: Value) -> bool:
    """Whether a Service has no cluster IP."""
    return service["spec"].get("clusterIP") in ("None", "", None)


def families(service: Value) -> list[str]:
    """The address families of a Service: IPv4, IPv6."""
    spec = service["spec"]
    given = list(spec.get("ipFamilies") or ())
    if given:
        return given
    if is_headless(service):
        return ["IPv4", "IPv6"]
    return [family(spec["clusterIP"])]


def family(address: str) -> str:
    """The family of an IP address."""
    return "IPv6" if ":" in address else "IPv4"


def addresses(pod: Value) -> list[str]:
    """The IP addresses of a pod."""
    status = pod.get("status") or {}
    listed = [a["ip"] for a in status.get("podIPs") or () if a.get("ip")]
    return listed or ([status["podIP"]] if status.get("podIP") else [])


def counts(pod: Value, *, terminating: bool) -> bool:
    """Whether a pod can be an endpoint: it has an address and has not ended; `terminating` ones may count or not."""
    if pods.has_ended(pod) or not addresses(pod):
        return False
    return terminating or not pods.is_terminating(pod)


def port_number(pod: Value, port: Value) -> int | None:
    """The port of a pod that a port of a Service leads to; None if the pod has no port of that name."""
    target = port.get("targetPort") or port["port"]
    if not isinstance(target, str):
        return int(target)
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        for p in container.get("ports") or ():
            if p.get("name") == target and p.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(p["containerPort"])
    return None


def host_name(pod: Value, service: Value) -> str:
    """The name of a pod under that of its Service; empty if it has none."""
    spec = pod["spec"]
    return (spec.get("hostname") or "") if spec.get("subdomain") == service["metadata"]["name"] else ""


def target(pod: Value) -> Value:
    """The reference from an endpoint to its pod."""
    meta = pod["metadata"]
    uid = {"uid": meta["uid"]} if meta.get("uid") else {}
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], **uid}


def is_leaving(namespace: str, control: Control) -> bool:
    """Whether a namespace is being deleted: nothing new can come into it."""
    found = control.get(Key("", "Namespace", "", namespace))
    return found is not None and bool(found["metadata"].get("deletionTimestamp"))


class Triggers:
    """When the last change of a Service's endpoints began: the annotation last-change-trigger-time.

    Follows k8s.io/endpointslice/util/trigger_time_tracker.go.
    """

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[dict[str, str], str]] = {}

    def since(self, key: Key, service: Value, behind: list[Value]) -> str:
        """The earliest of what is new since the last look at this Service, as RFC 3339; empty if nothing is."""
        created = service["metadata"].get("creationTimestamp") or ""
        times = {p["metadata"]["name"]: time for p in behind if (time := _ready_changed(p))}
        known = self._seen.get(key)
        self._seen[key] = (times, created)
        if known is None:
            return created
        new = [time for name, time in times.items() if time > known[0].get(name, "")]
        return min([*new, *([created] if created > known[1] else [])], default="")

    def forget(self, key: Key) -> None:
        """A Service is gone."""
        self._seen.pop(key, None)


def _ready_changed(pod: Value) -> str:
    return str((pods.condition(pod, "Ready") or {}).get("lastTransitionTime") or "")


class Made:
    """What a controller has made of each pod of one Service, as long as Service, pod and node are the same."""

    def __init__(self, make: Callable[[Value, Value, Value], Any]) -> None:
        self._make = make
        self._service: Value = {}
        self._made: dict[str, tuple[Value, Value, Any]] = {}

    def of(self, service: Value, behind: list[tuple[Value, Value]]) -> list[Any]:
        """What `make` says of these pods, each given with its node."""
        old = self._made if self._service is service else {}
        new = {}
        for pod, node in behind:
            name = pod["metadata"]["name"]
            known = old.get(name)
            if known is None or known[0] is not pod or known[1] is not node:
                known = (pod, node, self._make(service, pod, node))
            new[name] = known
        self._service, self._made = service, new
        return [made for _, _, made in new.values()]


class Memory:
    """What the controllers of endpoints remember of one cluster; nothing that decides more than when to look."""

    def __init__(self) -> None:
        self.services = Selecting(_label_selector)
        self.made: dict[tuple[str, Key], Made] = {}  # by controller and Service
        self.triggers: dict[str, Triggers] = {}  # by controller
        self.written: dict[Key, Value] = {}  # slices as a controller left them
        self._last: tuple[Write | None, list[Key]] = (None, [])

    def affected(self, write: Write) -> list[Key]:
        """The Services to which a change of a pod matters."""
        if self._last[0] is not write:
            self._last = (write, self._affected(write))
        return self._last[1]

    def _affected(self, write: Write) -> list[Key]:
        old, new, namespace = write.old, write.new, write.key.namespace
        before, after = _contribution(old), _contribution(new)
        had, has = labels_of(old), labels_of(new)
        if before == after and (had == has or after is None):
            return []
        found = self.services.matching(namespace, has) if after is not None else []
        if before is not None and (had != has or after is None):
            found += self.services.matching(namespace, had)
        return list(dict.fromkeys(found))


def memory(control: Control) -> Memory:
    """What is remembered of the cluster of this control."""
    return control.remembered("servicepods", Memory)


def _label_selector(service: Value) -> Value | None:
    selector = selector_of(service)
    return {"matchLabels": selector} if selector is not None else None


def _contribution(pod: Value | None) -> tuple[Any, ...] | None:
    """All that endpoints tell of a pod; None for one that can be no endpoint."""
    if pod is None or not counts(pod, terminating=True):
        return None
    spec = pod["spec"]
    own = (spec.get("nodeName"), spec.get("hostname"), spec.get("subdomain"), pod["metadata"].get("uid"))
    return (addresses(pod), pods.is_ready(pod), pods.is_terminating(pod), *own)


def of_service(write: Write, control: Control) -> list[Key]:
    """A Service that has changed."""
    memory(control).services.see(write)
    return [write.key]


def of_pod(write: Write, control: Control) -> list[Key]:
    """The Services to which a change of a pod matters."""
    return memory(control).affected(write)
