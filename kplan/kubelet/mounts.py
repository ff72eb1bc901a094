"""Volumes that cannot be set up, because what they are filled from is not there.

Follows pkg/kubelet/volumemanager (desired_state_of_world_populator.go, WaitForAttachAndMount) and pkg/volume/configmap,
secret and projected. What only a node knows, such as a path of the host, is taken to be there.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import claimusers
from kplan.controllers.control import Control
from kplan.kubelet.sources import CONFIG_MAP, SECRET, Problem, find
from kplan.model import Key

Value = dict[str, Any]

_DEFAULT_ACCOUNT = "default"  # in every namespace, as is its root certificate
_CONTAINERS = ("initContainers", "containers")


def problems(pod: Value, control: Control) -> list[Problem]:
    """Why the volumes of a pod cannot be mounted, as a kubelet reports it; those that no container mounts do not count.

    What was mounted once stays so: only a pod that has not started is asked about.
    """
    used = _mounted(pod)
    volumes = [v for v in pod["spec"].get("volumes") or () if v["name"] in used]
    found = _of_claims(pod, volumes, control)
    for volume in volumes:
        wrong = _of_volume(pod, volume, control)
        if wrong:
            said = [p.message for p in wrong]
            why = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
            keys = tuple(key for p in wrong for key in p.waits_for)
            found.append(Problem(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}', keys))
    return found


def _mounted(pod: Value) -> set[str]:
    """The names of the volumes that containers mount, as files or as devices."""
    return {
        mount["name"]
        for kind in _CONTAINERS
        for container in pod["spec"].get(kind) or ()
        for field in ("volumeMounts", "volumeDevices")
        for mount in container.get(field) or ()
    }


def _of_volume(pod: Value, volume: Value, control: Control) -> list[Problem]:
    if "configMap" in volume:
        source = volume["configMap"]
        return _of_source(CONFIG_MAP, {**source, "name": source.get("name", "")}, pod, control)
    if "secret" in volume:
        source = volume["secret"]
        return _of_source(SECRET, {**source, "name": source.get("secretName", "")}, pod, control)
    projected = (volume.get("projected") or {}).get("sources") or ()
    return [problem for source in projected for problem in _of_projection(source, pod, control)]


def _of_projection(source: Value, pod: Value, control: Control) -> list[Problem]:
    for field, kind in (("configMap", CONFIG_MAP), ("secret", SECRET)):
        if field in source:
            return _of_source(kind, source[field], pod, control)
    return _of_token(pod, control) if "serviceAccountToken" in source else []


def _of_source(kind: str, source: Value, pod: Value, control: Control) -> list[Problem]:
    """What is wrong with a ConfigMap or Secret whose keys become files: all of them, or those in `items`."""
    if source.get("optional"):
        return []
    found = find(kind, source.get("name") or "", pod, control, files=True)
    if found.keys is None:
        return [found.missing]
    missing = next((item["key"] for item in source.get("items") or () if item["key"] not in found.keys), None)
    if missing is None:
        return []
    what = (
        "configmap references non-existent config key" if kind == CONFIG_MAP else "references non-existent secret key"
    )
    return [Problem(f"{what}: {missing}", (found.key,))]


def _of_token(pod: Value, control: Control) -> list[Problem]:
    name = pod["spec"].get("serviceAccountName") or _DEFAULT_ACCOUNT
    key = Key("", "ServiceAccount", pod["metadata"].get("namespace") or "", name)
    if name == _DEFAULT_ACCOUNT or control.get(key) is not None:
        return []
    return [Problem(f'failed to fetch token: serviceaccounts "{name}" not found', (key,))]


def _of_claims(pod: Value, volumes: list[Value], control: Control) -> list[Problem]:
    """What is wrong with the claims of a pod: one report for all."""
    names, errors, keys = [], [], []
    for volume in volumes:
        for key in claimusers.keys({**pod, "spec": {"volumes": [volume]}}):
            why = _wrong_with_claim(key, control)
            if why:
                names.append(volume["name"])
                errors.append(f"error processing PVC {key.namespace}/{key.name}: {why}")
                keys.append(key)
    if not names:
        return []
    failed = f"[{' '.join(names)}]"
    what = f"unmounted volumes={failed}, unattached volumes=[], failed to process volumes={failed}"
    return [Problem(f"Unable to attach or mount volumes: {what}: {'; '.join(errors)}", tuple(keys))]


def _wrong_with_claim(key: Key, control: Control) -> str:
    claim = control.get(key)
    if claim is None:
        return f'failed to fetch PVC from API server: persistentvolumeclaims "{key.name}" not found'
    if claim["metadata"].get("deletionTimestamp"):
        return "PVC is being deleted"
    if (claim.get("status") or {}).get("phase") != "Bound":
        return "PVC is not bound"
    return ""
