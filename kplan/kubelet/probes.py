"""Probes: taken to succeed, unless a script says which one fails.

Follows pkg/kubelet/prober and docs "Configure Liveness, Readiness and Startup Probes": a container that is not ready
runs on, one that fails its startup or liveness probe is killed and started again, later each time.
"""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

STARTUP, LIVENESS, READINESS = "startup", "liveness", "readiness"
_FIELDS = {STARTUP: "startupProbe", LIVENESS: "livenessProbe", READINESS: "readinessProbe"}


def fails(container: Value, which: str) -> bool:
    """Whether a script that lets this kind of probe fail concerns a container: it must have such a probe."""
    return which in _FIELDS and container.get(_FIELDS[which]) is not None


def events(container: Value, which: str, address: str) -> list[tuple[str, str, str]]:
    """What a kubelet tells of a probe that fails: type, reason and message of its events."""
    why = _reason(container[_FIELDS[which]], address)
    told = [("Warning", "Unhealthy", f"{which.capitalize()} probe failed: {why}")]
    if which != READINESS:
        told.append(("Normal", "Killing", f"Container {container['name']} failed {which} probe, will be restarted"))
    return told


def _reason(probe: Value, address: str) -> str:
    """What the usual failure of a handler is called; that of a command is what it prints, here nothing."""
    if "httpGet" in probe:
        return "HTTP probe failed with statuscode: 503"
    if "tcpSocket" in probe:
        return f"dial tcp {address}:{probe['tcpSocket'].get('port')}: connect: connection refused"
    return 'service unhealthy (responded with "NOT_SERVING")' if "grpc" in probe else ""
