"""Pod Security Standards: which level a namespace enforces, and what in a pod is against it.

Follows k8s.io/pod-security-admission (api/helpers.go, policy/registry.go, admission/admission.go). Checks run in the
order of their ids, Baseline before Restricted; a Restricted check can take the place of a Baseline one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kplan.api.admission.podsecurity import baseline, restricted
from kplan.api.admission.podsecurity.verdict import Check, Pod, Violation
from kplan.api.request import Request, invalid
from kplan.api.validation.field import Errors
from kplan.hints import Any
from kplan.model import Cause
from kplan.tuples import NamedTuple
from kplan.workloads import pod_template

Value = dict[str, Any]

PREFIX = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")
LEVELS = ("privileged", "baseline", "restricted")
TEMPLATE_KINDS = frozenset(
    "PodTemplate ReplicationController ReplicaSet Deployment StatefulSet DaemonSet Job CronJob".split()
)

# id -> the form of the check by the minor since which it holds; an absent older form means no check.
BASELINE: Mapping[str, Mapping[int, Check]] = {
    "appArmorProfile": {0: baseline.app_armor},
    "capabilities_baseline": {0: baseline.capabilities},
    "hostNamespaces": {0: baseline.host_namespaces},
    "hostPathVolumes": {0: baseline.host_path_volumes},
    "hostPorts": {0: baseline.host_ports},
    "hostProbesAndHostLifecycle": {34: baseline.probe_hosts},
    "privileged": {0: baseline.privileged},
    "procMount": {0: baseline.proc_mount, 35: baseline.proc_mount_1_35},
    "seLinuxOptions": {0: baseline.selinux, 31: baseline.selinux_1_31},
    "seccompProfile_baseline": {0: baseline.seccomp_annotations, 19: baseline.seccomp},
    "sysctls": {n: lambda pod, n=n: baseline.sysctls(pod, n) for n in baseline.SAFE_SYSCTLS},  # type: ignore[misc]
    "windowsHostProcess": {0: baseline.host_process},
}
RESTRICTED: Mapping[str, Mapping[int, Check]] = {
    "allowPrivilegeEscalation": {
        8: restricted.allow_privilege_escalation,
        25: restricted.allow_privilege_escalation_1_25,
    },
    "capabilities_restricted": {22: restricted.capabilities, 25: restricted.capabilities_1_25},
    "procMount_restricted": {35: baseline.proc_mount},
    "restrictedVolumes": {0: restricted.volume_types},
    "runAsNonRoot": {0: restricted.run_as_non_root, 35: restricted.run_as_non_root_1_35},
    "runAsUser": {23: restricted.run_as_user, 35: restricted.run_as_user_1_35},
    "seccompProfile_restricted": {19: restricted.seccomp, 25: restricted.seccomp_1_25},
}
OVERRIDES = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}


class Level(NamedTuple):
    """A level at a version, as a namespace's labels give it; `version` is "latest" or "v1.N"."""

    name: str
    version: str

    def minor(self, server: int) -> int:
        """The minor whose checks count; a version newer than the server means its latest."""
        m = re.fullmatch(r"v1\.(\d+)", self.version)
        return min(int(m[1]), server) if m else server

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


def level_of(namespace: Value | None, mode: str) -> Level:
    """What a namespace asks for in `enforce`, `audit` or `warn` mode; a label that cannot be read means restricted."""
    labels = ((namespace or {}).get("metadata") or {}).get("labels") or {}
    name = labels.get(PREFIX + mode, "privileged")
    version = labels.get(f"{PREFIX}{mode}-version", "latest")
    return Level(name if name in LEVELS else "restricted", version if _is_version(version) else "latest")


def evaluate(pod: Pod, level: Level, server: int) -> list[Violation]:
    """Everything in the pod that is against a level, in the server's order; `server` is the minor of the release."""
    if level.name == "privileged":
        return []
    minor = level.minor(server)
    tables = [BASELINE] if level.name == "baseline" else [BASELINE, RESTRICTED]
    checks = {id_: form for table in tables for id_, forms in table.items() if (form := form_of(forms, minor))}
    replaced = {OVERRIDES[id_] for id_ in checks if id_ in OVERRIDES}
    return [v for id_, check in checks.items() if id_ not in replaced and (v := check(pod))]


def form_of(forms: Mapping[int, Check], minor: int) -> Check | None:
    """The form that a check has in the release 1.`minor`."""
    since = max((n for n in forms if n <= minor), default=None)
    return None if since is None else forms[since]


def pod_of(obj: Value) -> Pod | None:
    """The part of an object that the checks look at; None if it makes no pods."""
    template = pod_template(obj)
    if template is None:
        return None
    meta = template.value.get("metadata") or {}
    return Pod(meta.get("annotations") or {}, template.spec)


def label_causes(namespace: Value) -> list[Cause]:
    """What is wrong with the labels of a namespace that ask for levels and versions."""
    labels = (namespace.get("metadata") or {}).get("labels") or {}
    errors = Errors()
    for mode in MODES:
        for label, fits, detail in (
            (PREFIX + mode, LEVELS.__contains__, f"must be one of {', '.join(LEVELS)}"),
            (f"{PREFIX}{mode}-version", _is_version, 'must be "latest" or "v1.x"'),
        ):
            if label in labels and not fits(labels[label] or ""):
                errors.invalid(f"metadata.labels[{label}]", labels[label] or "", detail)
    return errors.causes


def _is_version(text: str) -> bool:
    return text == "latest" or re.fullmatch(r"v1\.(0|[1-9][0-9]*)", text) is not None


def _validate_namespace(namespace: Value, request: Request) -> None:
    """Wrong labels may stay as they are, but not change."""
    causes = label_causes(namespace)
    if causes and (request.old is None or label_causes(request.old) != causes):
        raise invalid(request.group, namespace, causes)


def validate(obj: Value, request: Request) -> None:
    """Refuse a Pod against the level that its namespace enforces, and a Namespace whose levels cannot be read."""
    if request.kind == "Namespace":
        if not request.group:
            _validate_namespace(obj, request)
        return
    if _is_settled(obj, request):
        return
    pod = pod_of(obj)
    level = level_of(request.namespace_object, "enforce")
    violations = evaluate(pod, level, request.minor) if pod else []
    if violations:
        text = ", ".join(map(str, violations))
        raise request.forbidden(f'violates PodSecurity "{level}": {text}')


def _is_settled(obj: Value, request: Request) -> bool:
    """Whether this is a pod that was judged when it came, and is not changed in anything that would be judged."""
    if request.kind != "Pod" or request.old is None:
        return False
    from kplan.api.admission.podsecurity.existing import is_significant

    return not is_significant(obj, request.old)


def _of_existing(namespace: Value, request: Request) -> list[str]:
    if request.old is None or request.store is None:
        return []
    level, before = level_of(namespace, "enforce"), level_of(request.old, "enforce")
    relaxed = LEVELS.index(level.name) <= LEVELS.index(before.name)
    if level.name == "privileged" or (level.version == before.version and relaxed):
        return []
    from kplan.api.admission.podsecurity import existing

    def reasons(pod: Value) -> list[str]:
        judged = pod_of(pod)
        return [v.reason for v in evaluate(judged, level, request.minor)] if judged else []

    return existing.warnings(request.name, str(level), request.store.all("Pod", request.name), reasons)


def warnings(obj: Value, request: Request) -> list[str]:
    """What the server tells the creator of a pod or workload in a namespace that warns.

    A workload also hears of the enforced level where that is the stricter one, because its pods will be refused. Who
    raises what a namespace enforces hears of the pods that are there.
    """
    if request.kind == "Namespace" and not request.group:
        return _of_existing(obj, request)
    pod = pod_of(obj)
    if pod is None or request.namespace_object is None or _is_settled(obj, request):
        return []
    level = level_of(request.namespace_object, "warn")
    if obj.get("kind") in TEMPLATE_KINDS:
        enforced = level_of(request.namespace_object, "enforce")
        if LEVELS.index(enforced.name) > LEVELS.index(level.name):
            level = enforced
    violations = evaluate(pod, level, request.minor)
    return [f'would violate PodSecurity "{level}": {", ".join(map(str, violations))}'] if violations else []
