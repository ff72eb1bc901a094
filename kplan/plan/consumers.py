"""Which running pods notice that a ConfigMap or a Secret has new content, and which do not.

Environment variables are read when a container starts; mounted files follow within the kubelet's sync period and cache
delay; a subPath mount never follows (kubernetes.io/docs/concepts/configuration/configmap).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from kplan.hints import Any
from kplan.model import Key, Ref
from kplan.plan.values import items
from kplan.store import ref_of
from kplan.tuples import NamedTuple
from kplan.workloads import PodTemplate, containers, get, pod_template

Value = dict[str, Any]

ENV = "reads it into environment variables: running pods keep the old values until they restart"
FILES = "mounts it: files in running pods change within about a minute"
SUB_PATH = "mounts it with subPath: files in running pods do not change until they restart"


class Use(NamedTuple):
    """A workload that uses a ConfigMap or Secret, and what its running pods notice of a change."""

    workload: Ref
    effect: str


def consumers(objects: Iterable[Value]) -> Mapping[Key, list[Use]]:
    """All uses of ConfigMaps and Secrets by the pod templates of these objects."""
    found: dict[Key, list[Use]] = defaultdict(list)
    for value in objects:
        pod = pod_template(value)
        if pod is None:
            continue
        ref = ref_of(value)
        for kind, name, effect in dict.fromkeys(_uses(pod)):
            found[Key("", kind, ref.namespace, name)].append(Use(ref, effect))
    return found


def _uses(pod: PodTemplate) -> Iterator[tuple[str, str, str]]:
    for container in containers(pod):
        yield from _env(container.value)
    for volume in items(pod.spec, "volumes"):
        effect = SUB_PATH if _all_by_sub_path(pod, volume.get("name")) else FILES
        for source in (volume, *items(volume, "projected", "sources")):
            for kind, field, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                found = get(source, field, name) or get(source, field, "name")
                if isinstance(found, str):
                    yield kind, found, effect


def _env(container: Value) -> Iterator[tuple[str, str, str]]:
    for kind, one, many in (("ConfigMap", "configMapKeyRef", "configMapRef"), ("Secret", "secretKeyRef", "secretRef")):
        names = [get(e, "valueFrom", one, "name") for e in items(container, "env")]
        names += [get(e, many, "name") for e in items(container, "envFrom")]
        for name in names:
            if isinstance(name, str):
                yield kind, name, ENV


def _all_by_sub_path(pod: PodTemplate, volume: Any) -> bool:
    mounts = [m for c in containers(pod) for m in items(c.value, "volumeMounts") if m.get("name") == volume]
    return bool(mounts) and all(m.get("subPath") or m.get("subPathExpr") for m in mounts)
