"""Containers in a description: image, ports, state, resources, probes, environment, mounts."""

from __future__ import annotations

from collections.abc import Sequence

from kplan import quantity
from kplan.render import age
from kplan.render.describe.context import Value
from kplan.render.describe.lines import Lines, go_list
from kplan.render.fields import NONE, items, mapping, number, plain, text, texts
from kplan.workloads import dicts, get


def containers(
    out: Lines,
    title: str,
    listed: Sequence[Value],
    statuses: Sequence[Value] = (),
    *,
    pod: Value | None = None,
    inside: bool = False,
) -> None:
    """A list of containers. `pod` resolves fields of the pod; `inside` is the form within a pod template."""
    out.add(int(inside), f"{title}:" + ("" if listed else f" {NONE}"))
    by_name = {text(s, "name"): s for s in statuses}
    for container in listed:
        status = by_name.get(text(container, "name"))
        out.add(1, f"{' ' * inside}{text(container, 'name')}:")
        _basics(out, container, status)
        _words(out, "Command:", container, "command")
        _words(out, "Args:", container, "args")
        if status is not None:
            _states(out, status)
        resources(out, 2, mapping(container, "resources"))
        for key, name in (
            ("livenessProbe", "Liveness:"),
            ("readinessProbe", "Readiness:"),
            ("startupProbe", "Startup:"),
        ):
            if isinstance(container.get(key), dict):
                out.add(2, name, probe(container[key]))
        _environment(out, container, pod or {})
        _mounts(out, container)


def _basics(out: Lines, container: Value, status: Value | None) -> None:
    if status is not None:
        out.add(2, "Container ID:", text(status, "containerID"))
    out.add(2, "Image:", text(container, "image"))
    if status is not None:
        out.add(2, "Image ID:", text(status, "imageID"))
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = [_port(p, field) for p in dicts(container, "ports")]
        out.add(2, f"{title}{'s' * (len(ports) > 1)}:", ", ".join(ports) or NONE)
    seccomp(out, 2, mapping(container, "securityContext"))


def seccomp(out: Lines, level: int, context: Value) -> None:
    """The seccomp profile of a security context, if it names one."""
    profile = mapping(context, "seccompProfile")
    if profile:
        out.add(level, "SeccompProfile:", text(profile, "type"))
        if profile.get("type") == "Localhost":
            out.add(level, "LocalhostProfile:", text(profile, "localhostProfile"))


def _port(port: Value, field: str) -> str:
    name = f" ({text(port, 'name')})" if port.get("name") else ""
    return f"{number(port, field)}/{text(port, 'protocol') or 'TCP'}{name}"


def _words(out: Lines, title: str, container: Value, field: str) -> None:
    words = texts(container, field)
    if words:
        out.add(2, title)
    for word in words:
        for line in word.split("\n"):
            out.add(3, line)


def _states(out: Lines, status: Value) -> None:
    _state(out, "State:", mapping(status, "state"))
    if get(status, "lastState", "terminated") is not None:
        _state(out, "Last State:", mapping(status, "lastState"))
    out.add(2, "Ready:", str(status.get("ready") is True))
    out.add(2, "Restart Count:", str(number(status, "restartCount")))


def _state(out: Lines, title: str, state: Value) -> None:
    if isinstance(state.get("running"), dict):
        out.add(2, title, "Running")
        out.add(3, "Started:", age.rfc1123z(get(state, "running", "startedAt")))
    elif isinstance(state.get("terminated"), dict):
        out.add(2, title, "Terminated")
        _end(out, state["terminated"])
    else:
        out.add(2, title, "Waiting")
        if text(state, "waiting", "reason"):
            out.add(3, "Reason:", text(state, "waiting", "reason"))


def _end(out: Lines, end: Value) -> None:
    for name in ("reason", "message"):
        if end.get(name):
            out.add(3, f"{name.capitalize()}:", text(end, name))
    out.add(3, "Exit Code:", str(number(end, "exitCode")))
    if number(end, "signal") > 0:
        out.add(3, "Signal:", text(end, "signal"))
    out.add(3, "Started:", age.rfc1123z(end.get("startedAt")))
    out.add(3, "Finished:", age.rfc1123z(end.get("finishedAt")))


def resources(out: Lines, level: int, given: Value) -> None:
    """Limits and requests."""
    for title in ("limits", "requests"):
        amounts = mapping(given, title)
        if amounts:
            out.add(level, f"{title.capitalize()}:")
        for name in sorted(amounts):
            out.add(level + 1, f"{name}:", amount(amounts[name]))


def amount(value: object) -> str:
    """A quantity in canonical form; what is none as it is."""
    return quantity.normalise(value) or plain(value)


def probe(given: Value) -> str:
    """A probe on one line: `http-get http://:80/ delay=0s timeout=1s period=10s #success=1 #failure=3`."""
    attributes = (
        f"delay={number(given, 'initialDelaySeconds')}s timeout={number(given, 'timeoutSeconds')}s "
        f"period={number(given, 'periodSeconds')}s #success={number(given, 'successThreshold')} "
        f"#failure={number(given, 'failureThreshold')}"
    )
    return f"{_handler(given)} {attributes}"


def _handler(given: Value) -> str:
    if isinstance(given.get("exec"), dict):
        return f"exec {go_list(texts(given, 'exec', 'command'))}"
    if isinstance(given.get("httpGet"), dict):
        http = given["httpGet"]
        path = text(http, "path")
        scheme = text(http, "scheme").lower() or "http"
        return (
            f"http-get {scheme}://{text(http, 'host')}:{text(http, 'port')}{'' if path.startswith('/') else '/'}{path}"
        )
    if isinstance(given.get("tcpSocket"), dict):
        return f"tcp-socket {text(given, 'tcpSocket', 'host')}:{text(given, 'tcpSocket', 'port')}"
    if isinstance(given.get("grpc"), dict):
        return f"grpc <pid>:{number(given, 'grpc', 'port')} {text(given, 'grpc', 'service')}"
    return "unknown"


def _environment(out: Lines, container: Value, pod: Value) -> None:
    if items(container, "envFrom"):
        out.add(2, "Environment Variables from:")
    for source in dicts(container, "envFrom"):
        kind, key = ("ConfigMap", "configMapRef") if source.get("configMapRef") else ("Secret", "secretRef")
        prefix = f" with prefix '{text(source, 'prefix')}'" if source.get("prefix") else ""
        out.add(3, text(source, key, "name"), f"{kind}{prefix}", _optional(mapping(source, key)))
    variables = dicts(container, "env")
    out.add(2, "Environment:", *([] if variables else [NONE]))
    for variable in variables:
        name = f"{text(variable, 'name')}:"
        source = mapping(variable, "valueFrom")
        if source:
            out.add(3, name, *_from(source, container, pod))
            continue
        for i, line in enumerate(text(variable, "value").split("\n")):
            out.add(3, name if i == 0 else "", line)


def _from(source: Value, container: Value, pod: Value) -> tuple[str, ...]:
    """Where the value of a variable comes from, and for references whether they may be missing."""
    if isinstance(source.get("secretKeyRef"), dict):
        ref = source["secretKeyRef"]
        return f"<set to the key '{text(ref, 'key')}' in secret '{text(ref, 'name')}'>", _optional(ref)
    if isinstance(source.get("configMapKeyRef"), dict):
        ref = source["configMapKeyRef"]
        return f"<set to the key '{text(ref, 'key')}' of config map '{text(ref, 'name')}'>", _optional(ref)
    if isinstance(source.get("fieldRef"), dict):
        path, version = text(source, "fieldRef", "fieldPath"), text(source, "fieldRef", "apiVersion") or "v1"
        return (f"{_field(pod, path)} ({version}:{path})",)
    resource = text(source, "resourceFieldRef", "resource")
    return (f"{_resource(container, resource) if pod else ''} ({resource})",)


def _optional(ref: Value) -> str:
    return f"Optional: {'true' if ref.get('optional') is True else 'false'}"


def _field(pod: Value, path: str) -> str:
    """A field of the pod as the downward API gives it; "" for what is not told here."""
    step, bracket, key = path.partition("['")
    if bracket:
        return text(pod, *step.split("."), key.removesuffix("']"))
    return text(pod, *path.split("."))


def _resource(container: Value, resource: str) -> str:
    side, _, name = resource.partition(".")
    found = get(container, "resources", side, name)
    if found is None:
        return "node allocatable" if resource in ("limits.cpu", "limits.memory") else "0"
    try:
        return str(quantity.parse(plain(found)).value)
    except quantity.QuantityError:
        return plain(found)


def _mounts(out: Lines, container: Value) -> None:
    mounts = sorted(dicts(container, "volumeMounts"), key=lambda m: text(m, "mountPath"))
    out.add(2, "Mounts:", *([] if mounts else [NONE]))
    for m in mounts:
        flags = "ro" if m.get("readOnly") is True else "rw"
        flags += f',path="{text(m, "subPath")}"' if m.get("subPath") else ""
        out.add(3, f"{text(m, 'mountPath')} from {text(m, 'name')} ({flags})")
    devices = sorted(dicts(container, "volumeDevices"), key=lambda d: text(d, "devicePath"))
    if devices:
        out.add(2, "Devices:")
    for d in devices:
        out.add(3, f"{text(d, 'devicePath')} from {text(d, 'name')}")
