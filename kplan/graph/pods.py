"""The labels that pods will really carry: those of the template, and those that controllers add to them.

Follows pkg/controller (deployment/sync.go, statefulset/stateful_set_utils.go, daemon/daemon_controller.go,
job/utils.go) and the admission plugin PodTopologyLabels.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from kplan.hints import Any
from kplan.labels import Requirement
from kplan.model import Object
from kplan.record import field, record
from kplan.tuples import NamedTuple
from kplan.workloads import POD_PATHS, get, may_make_pods, slim_pod

Added = dict[str, Container[str]]


@record
class Numbered:
    """The texts `prefix` and a whole number from `first` on, `count` of them; None is no end."""

    prefix: str
    first: int = 0
    count: int | None = None

    def __contains__(self, text: object) -> bool:
        if not isinstance(text, str) or not text.startswith(self.prefix):
            return False
        digits = text[len(self.prefix) :]
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or str(int(digits)) != digits:
            return False
        return self.first <= int(digits) and (self.count is None or int(digits) < self.first + self.count)


class Anything:
    """Every text: a value that only the cluster will know."""

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str)


ANYTHING = Anything()
_TOPOLOGY = {"topology.kubernetes.io/zone": ANYTHING, "topology.kubernetes.io/region": ANYTHING}


@record
class Labels:
    """Labels that are fixed, labels that are added later with one of several values, and whether there may be more."""

    fixed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, Container[str]] = field(default_factory=dict)
    more: bool = False

    def satisfy(self, condition: Requirement) -> bool | None:
        """Whether a condition can hold; None where that cannot be said."""
        key = condition.key
        if key in self.fixed:
            return condition.matches(self.fixed)
        values = self.added.get(key)
        if values is not None:
            if condition.operator == "In":
                return any(v in values for v in condition.values)
            return condition.operator != "DoesNotExist"
        return None if self.more else condition.matches({})

    def satisfy_all(self, conditions: tuple[Requirement, ...]) -> bool | None:
        """Whether all conditions can hold; None where no one fails and one cannot be said."""
        sure: bool | None = True
        for condition in conditions:
            holds = self.satisfy(condition)
            if holds is False:
                return False
            sure = sure if holds else None
        return sure


class Ordinals(NamedTuple):
    """The numbers of a StatefulSet's pods."""

    first: int
    size: int


def ordinals(statefulset: Object) -> Ordinals:
    """The ordinals that a StatefulSet asks for: one pod from 0 where it says nothing."""
    first, size = statefulset.part("spec", "ordinals", "start"), statefulset.part("spec", "replicas")
    return Ordinals(first if isinstance(first, int) else 0, size if isinstance(size, int) else 1)


def pods(obj: Object) -> Labels | None:
    """The labels of the pods that an object is or makes; None for an object that makes none.

    Where the template cannot be read, or a custom resource's controller makes the pods, there may be more labels.
    """
    own = (obj.ref.group, obj.ref.kind)
    if own not in _ADDED and not may_make_pods(obj):
        return None
    added = _ADDED.get(own)
    plain = obj.part(*POD_PATHS[obj.ref.kind], "metadata", "labels") if added is not None else None
    if added is not None and plain and isinstance(plain, dict):
        return Labels({k: v for k, v in plain.items() if isinstance(v, str)}, added(obj))
    template = slim_pod(obj)
    if template is None:
        return Labels(more=True) if own in _ADDED else None
    labels = get(template.value, "metadata", "labels")
    if "containers" not in template.spec and not labels:
        return Labels(more=True)
    readable = labels is None or isinstance(labels, dict)
    extra = added(obj) if added else _TOPOLOGY
    return Labels(template.labels, extra, more=added is None or not readable)


def _always(**more: Container[str]) -> Callable[[Object], Added]:
    """Labels that are the same for all objects of a kind."""
    same = _TOPOLOGY | {name.replace("_", "-"): values for name, values in more.items()}
    return lambda _obj: same


def _of_statefulset(obj: Object) -> Added:
    first, size = ordinals(obj)
    return _TOPOLOGY | {
        "controller-revision-hash": ANYTHING,
        "statefulset.kubernetes.io/pod-name": Numbered(f"{obj.ref.name}-", first, size),
        "apps.kubernetes.io/pod-index": Numbered("", first, size),
    }


def _of_job(obj: Object) -> Added:
    named = obj.part("metadata", "name")
    return _job_labels(obj.part("spec"), (obj.ref.name,) if named else ANYTHING)


def _of_cronjob(obj: Object) -> Added:
    return _job_labels(obj.part("spec", "jobTemplate", "spec"), Numbered(f"{obj.ref.name}-"))


def _job_labels(spec: Any, names: Container[str]) -> Added:
    added = _TOPOLOGY | {
        "batch.kubernetes.io/job-name": names,
        "job-name": names,
        "batch.kubernetes.io/controller-uid": ANYTHING,
        "controller-uid": ANYTHING,
    }
    if get(spec, "completionMode") == "Indexed":
        count = get(spec, "completions")
        added["batch.kubernetes.io/job-completion-index"] = Numbered("", 0, count if isinstance(count, int) else None)
    return added


_ADDED = {
    ("", "Pod"): _always(),
    ("", "PodTemplate"): _always(),
    ("", "ReplicationController"): _always(),
    ("apps", "ReplicaSet"): _always(),
    ("extensions", "ReplicaSet"): _always(),
    ("apps", "Deployment"): _always(pod_template_hash=ANYTHING),
    ("extensions", "Deployment"): _always(pod_template_hash=ANYTHING),
    ("apps", "DaemonSet"): _always(controller_revision_hash=ANYTHING, pod_template_generation=Numbered("", 1)),
    ("extensions", "DaemonSet"): _always(controller_revision_hash=ANYTHING, pod_template_generation=Numbered("", 1)),
    ("apps", "StatefulSet"): _of_statefulset,
    ("batch", "Job"): _of_job,
    ("batch", "CronJob"): _of_cronjob,
}
