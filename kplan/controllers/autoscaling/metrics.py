"""What the metrics APIs of a simulated cluster answer, from a plain dict.

```
{"pods":     {"NAMESPACE/POD": {"cpu": "250m", "memory": "64Mi", "requests_per_second": 12,
                                "containers": {"app": {"cpu": "200m"}}}},
 "load":     {"NAMESPACE/POD": {"cpu": "2"}},
 "objects":  {"NAMESPACE/KIND/NAME": {"requests_per_second": "2k"}},
 "external": {"METRIC": 30, "NAMESPACE/METRIC": "30"}}
```
Amounts are quantities. POD may be a pattern as in a shell (`web-*`); an exact name counts before a pattern, an earlier
pattern before a later one. `pods` is what each pod uses, `load` what all ready pods of an autoscaler that fit use
together: it is shared by as many as there are. Resources and other metrics of pods stand side by side. The `containers`
of a pod are for ContainerResource metrics and add up where the pod itself has no amount. Values do not age: they count
as measured now.

Follows pkg/controller/podautoscaler/metrics/client.go in what it says when there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from kplan import quantity
from kplan.controllers import pods as status
from kplan.controllers.autoscaling.replicas import Measured, MetricError
from kplan.errors import KplanError
from kplan.model import ABSENT

Value = dict[str, Any]

PARTS = ("pods", "load", "objects", "external")
_CONTAINERS = "containers"


def check(given: object) -> None:
    """Raise KplanError, with the place, for metrics that are not in the form above."""
    if not isinstance(given, Mapping):
        raise KplanError("metrics: must be a mapping", hint=f"its parts are {', '.join(PARTS)}")
    for part, entries in given.items():
        if part not in PARTS:
            raise KplanError(f"metrics: unknown part {part!r}", hint=f"parts are {', '.join(PARTS)}")
        for name, entry in _mapping(entries, f"metrics.{part}").items():
            where = f"metrics.{part}[{name}]"
            if part == "external":
                _milli(entry, where)
            else:
                _check_entry(entry, where, containers=part == "pods")


def _check_entry(entry: object, where: str, *, containers: bool) -> None:
    for metric, amount in _mapping(entry, where).items():
        if containers and metric == _CONTAINERS:
            for name, amounts in _mapping(amount, f"{where}.{metric}").items():
                _check_entry(amounts, f"{where}.{metric}[{name}]", containers=False)
        else:
            _milli(amount, f"{where}.{metric}")


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise KplanError(f"{where}: must be a mapping")
    return value


def _milli(value: object, where: str) -> int:
    text = quantity.normalise(value)
    if text is None:
        raise KplanError(f"{where}: {value!r} is not a quantity")
    return quantity.parse(text).milli


class Metrics:
    """The metrics of a cluster; amounts come in thousandths. `given` None means that there is no metrics API.

    Each question raises MetricError with the text of the metrics client if there is no answer.
    """

    def __init__(self, given: Mapping[str, Any] | None) -> None:
        if given is not None:
            check(given)
        self._given = given

    def resource(self, name: str, pods: Sequence[Value], container: str = "") -> Measured:
        """What each pod, or one container of it, uses of a resource; pods without an answer are left out."""
        if self._given is None:
            what = "the server could not find the requested resource (get pods.metrics.k8s.io)"
            raise MetricError(f"unable to fetch metrics from resource metrics API: {what}")
        found = self._of_pods(name, pods, container)
        if not found:
            raise MetricError("no metrics returned from resource metrics API")
        return found

    def custom(self, name: str, pods: Sequence[Value]) -> Measured:
        """The metric of each pod; pods without it are left out."""
        self._custom_api()
        found = self._of_pods(name, pods, "")
        if not found:
            raise MetricError("no metrics returned from custom metrics API")
        return found

    def of_object(self, namespace: str, kind: str, resource: str, name: str, metric: str) -> int:
        """The metric of one object; `resource` is its kind as messages name it (`services`)."""
        given = self._custom_api()
        entry = (given.get("objects") or {}).get(f"{namespace}/{kind}/{name}") or {}
        if metric not in entry:
            what = f"the server could not find the metric {metric} for {resource} {name}"
            raise MetricError(f"unable to fetch metrics from custom metrics API: {what}")
        return _milli(entry[metric], "metrics.objects")

    def external(self, namespace: str, metric: str) -> int:
        """The metric of something outside of the cluster."""
        if self._given is None:
            what = f"the server could not find the requested resource (get {metric}.external.metrics.k8s.io)"
            raise MetricError(f"unable to fetch metrics from external metrics API: {what}")
        entries = self._given.get("external") or {}
        amount = entries.get(f"{namespace}/{metric}", entries.get(metric, ABSENT))
        if amount is ABSENT:
            raise MetricError("no metrics returned from external metrics API")
        return _milli(amount, "metrics.external")

    def _custom_api(self) -> Mapping[str, Any]:
        if self._given is None:
            what = "no custom metrics API (custom.metrics.k8s.io) registered"
            raise MetricError(f"unable to fetch metrics from custom metrics API: {what}")
        return self._given

    def _of_pods(self, metric: str, pods: Sequence[Value], container: str) -> Measured:
        found = {}
        shares: dict[str, list[str]] = {}
        for pod in pods:
            name = str(pod["metadata"]["name"])
            path = f"{pod['metadata'].get('namespace', '')}/{name}"
            amount = _amount(self._entry("pods", path), metric, container, pod)
            if amount is None and status.is_ready(pod) and status.is_active(pod):
                key = self._key("load", path, metric)
                if key is not None and not container:
                    shares.setdefault(key, []).append(name)
            if amount is not None:
                found[name] = amount
        for key, names in shares.items():
            total = _milli((self._given or {})["load"][key][metric], "metrics.load")
            found.update(dict.fromkeys(names, total // len(names)))
        return found

    def _entry(self, part: str, path: str) -> Mapping[str, Any]:
        key = self._key(part, path)
        return (self._given or {})[part][key] if key is not None else {}

    def _key(self, part: str, path: str, metric: str | None = None) -> str | None:
        """The entry for a pod: by its name, else the first pattern that fits (and has the metric)."""
        entries = (self._given or {}).get(part) or {}
        if path in entries and (metric is None or metric in entries[path]):
            return path
        fits = (k for k, v in entries.items() if fnmatchcase(path, k) and (metric is None or metric in v))
        return next(fits, None)


def _amount(entry: Mapping[str, Any], metric: str, container: str, pod: Value) -> int | None:
    parts = entry.get(_CONTAINERS) or {}
    where = "metrics.pods"
    if container:
        if metric in (parts.get(container) or {}):
            return _milli(parts[container][metric], where)
        names = [c.get("name") for c in pod["spec"].get("containers") or ()]
        return _milli(entry[metric], where) if names == [container] and metric in entry else None
    if metric in entry:
        return _milli(entry[metric], where)
    amounts = [_milli(amounts[metric], where) for amounts in parts.values() if metric in amounts]
    return sum(amounts) if amounts else None
