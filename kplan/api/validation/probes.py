"""Probes, lifecycle hooks and what they do: run, connect, sleep.

Follows pkg/apis/core/validation/validation.go (validateProbe, validateHandler, validateLifecycle and around).
"""

from __future__ import annotations

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions, uses_zero_sleep
from kplan.hints import Any

Value = dict[str, Any]

_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_WINDOWS_SIGNALS = ("SIGKILL", "SIGTERM")
_LINUX_SIGNALS = sorted(
    (
        "SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE "
        "SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU "
        "SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMAX SIGRTMIN"
    ).split()
    + [f"SIGRTMAX-{n}" for n in range(1, 15)]
    + [f"SIGRTMIN+{n}" for n in range(1, 16)]
)
_PROBE_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_ACTIONS = ("exec", "httpGet", "tcpSocket", "sleep")


def probes(errors: Errors, path: str, container: Value) -> None:
    """The three probes of a container that may have them."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            _probe(errors, f"{path}.{name}", probe)
            if name == "readinessProbe":
                _no_grace_period(errors, f"{path}.{name}", probe)
            elif probe.get("successThreshold", 0) != 1:
                errors.invalid(f"{path}.{name}.successThreshold", probe.get("successThreshold", 0), "must be 1")


def _no_grace_period(errors: Errors, field: str, probe: Value) -> None:
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None:
        errors.invalid(f"{field}.terminationGracePeriodSeconds", seconds, "must not be set for readinessProbes")


def _probe(errors: Errors, field: str, probe: Value) -> None:
    _handler(errors, field, probe, _PROBE_ACTIONS)
    for name in _NUMBERS:
        names.non_negative(errors, f"{field}.{name}", probe.get(name))
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        errors.invalid(f"{field}.terminationGracePeriodSeconds", seconds, "must be greater than 0")


def lifecycle(errors: Errors, field: str, value: Value, spec: Value, options: PodOptions) -> None:
    """The hooks of a container and the signal that stops it; `spec` is that of the pod."""
    grace = spec.get("terminationGracePeriodSeconds")
    for name in ("postStart", "preStop"):
        hook = value.get(name)
        if hook is not None and _handler(errors, f"{field}.{name}", hook, _HOOK_ACTIONS) == "sleep":
            _sleep(errors, f"{field}.{name}.sleep", hook["sleep"].get("seconds") or 0, grace, options)
    if value.get("stopSignal") is not None:
        _stop_signal(errors, f"{field}.stopSignal", value["stopSignal"], spec.get("os"))


def _stop_signal(errors: Errors, field: str, signal: str, os: Value | None) -> None:
    if os is None:
        errors.forbidden(field, "may not be set for containers with empty `spec.os.name`")
    elif os.get("name") == "windows":
        errors.one_of(field, signal, _WINDOWS_SIGNALS)
    elif os.get("name") == "linux":
        errors.one_of(field, signal, _LINUX_SIGNALS)


def _handler(errors: Errors, field: str, handler: Value, kinds: tuple[str, ...]) -> str:
    """Check the one action of a handler, all but `sleep`, and say which it is; "" if there is none."""
    found = [kind for kind in kinds if handler.get(kind) is not None]
    if not found:
        errors.required(field, "must specify a handler type")
        return ""
    first, action = found[0], handler[found[0]]
    if first == "exec":
        if not action.get("command"):
            errors.required(f"{field}.exec.command")
    elif first == "httpGet":
        _http_get(errors, f"{field}.httpGet", action)
    elif first != "sleep":
        port_or_name(errors, f"{field}.{first}.port", action.get("port", 0))
    for kind in found[1:]:
        errors.forbidden(f"{field}.{kind}", "may not specify more than 1 handler type")
    return first


def _http_get(errors: Errors, field: str, action: Value) -> None:
    if not action.get("path"):
        errors.required(f"{field}.path")
    port_or_name(errors, f"{field}.port", action.get("port", 0))
    errors.one_of(f"{field}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        names.invalid(errors, f"{field}.httpHeaders", name, names.http_header(name))


def port_or_name(errors: Errors, field: str, port: int | str) -> None:
    """A port by number, or by its name in the container."""
    wrong = names.port_name(port) if isinstance(port, str) else names.port_number(port)
    names.invalid(errors, field, port, wrong)


def _sleep(errors: Errors, field: str, seconds: int, grace: int | None, options: PodOptions) -> None:
    if grace is None:
        return
    if options.has("PodLifecycleSleepActionAllowZero", uses_zero_sleep):
        if not 0 <= seconds <= grace:
            errors.invalid(
                field, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            )
    elif not 0 < seconds <= grace:
        errors.invalid(
            field,
            seconds,
            f"must be greater than 0 and less than terminationGracePeriodSeconds ({grace}). "
            "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.",
        )
