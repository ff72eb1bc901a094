"""Volumes in a description: what kind each is, and the fields that say which."""

from __future__ import annotations

from collections.abc import Mapping

from kplan.render.describe.claims import claim
from kplan.render.describe.context import Value
from kplan.render.describe.lines import Lines, labels
from kplan.render.fields import NONE, UNSET, mapping, text
from kplan.workloads import dicts

Field = tuple[str, str, str]  # title, path, what stands for a field that was never set

# key of the volume source: the sentence that explains it, and its fields
SOURCES: Mapping[str, tuple[str, tuple[Field, ...]]] = {
    "hostPath": (
        "HostPath (bare host directory volume)",
        (("Path:", "path", ""), ("HostPathType:", "type", "")),
    ),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium:", "medium", ""), ("SizeLimit:", "sizeLimit", UNSET)),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName:", "secretName", ""), ("Optional:", "optional", "false")),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name:", "name", ""), ("Optional:", "optional", "false")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName:", "claimName", ""), ("ReadOnly:", "readOnly", "false")),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server:", "server", ""), ("Path:", "path", ""), ("ReadOnly:", "readOnly", "false")),
    ),
    "iscsi": (
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        (
            ("TargetPortal:", "targetPortal", ""),
            ("IQN:", "iqn", ""),
            ("Lun:", "lun", "0"),
            ("ISCSIInterface", "iscsiInterface", ""),
            ("FSType:", "fsType", ""),
            ("ReadOnly:", "readOnly", "false"),
        ),
    ),
    "csi": (
        "CSI (a Container Storage Interface (CSI) volume source)",
        (
            ("Driver:", "driver", ""),
            ("FSType:", "fsType", ""),
            ("VolumeHandle:", "volumeHandle", ""),
            ("ReadOnly:", "readOnly", "false"),
        ),
    ),
    "image": (
        "Image (a container image or OCI artifact)",
        (("Reference:", "reference", ""), ("PullPolicy:", "pullPolicy", "")),
    ),
    "local": (
        "LocalVolume (a persistent volume backed by local storage on a node)",
        (("Path:", "path", ""),),
    ),
}


def volumes(out: Lines, spec: Value, *, inside: bool = False) -> None:
    """The volumes of a pod spec; `inside` is the form within a pod template."""
    found = dicts(spec, "volumes")
    out.add(int(inside), "Volumes:", *([] if found else [NONE]))
    for volume in found:
        out.add(1, f"{' ' * inside}{text(volume, 'name')}:")
        source(out, volume)


def source(out: Lines, volume: Value) -> None:
    """What a volume, or the spec of a PersistentVolume, gets its files from."""
    for key, (sentence, fields) in SOURCES.items():
        if isinstance(volume.get(key), dict):
            out.add(2, "Type:", sentence)
            for title, path, absent in fields:
                if path == "volumeHandle" and path not in volume[key]:
                    continue  # only a PersistentVolume has one
                out.add(2, title, text(volume[key], path) or absent)
            if key == "csi":
                labels(out, 2, "VolumeAttributes:", mapping(volume[key], "volumeAttributes"))
            return
    if isinstance(volume.get("projected"), dict):
        _projected(out, volume["projected"])
    elif isinstance(volume.get("downwardAPI"), dict):
        _downward(out, volume["downwardAPI"])
    elif isinstance(volume.get("ephemeral"), dict):
        out.add(
            2,
            "Type:",
            "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
        )
        part = out.nested(2)
        claim(part, mapping(volume, "ephemeral", "volumeClaimTemplate"))
        out.extend(part)
    else:
        out.add(2, "Type:", next((k for k, v in volume.items() if k != "name" and isinstance(v, dict)), "<unknown>"))


def _projected(out: Lines, given: Value) -> None:
    out.add(2, "Type:", "Projected (a volume that contains injected data from multiple sources)")
    for one in dicts(given, "sources"):
        if isinstance(one.get("secret"), dict):
            out.add(2, "SecretName:", text(one, "secret", "name"))
            out.add(2, "Optional:", text(one, "secret", "optional") or "false")
        elif isinstance(one.get("configMap"), dict):
            out.add(2, "ConfigMapName:", text(one, "configMap", "name"))
            out.add(2, "Optional:", text(one, "configMap", "optional") or "false")
        elif isinstance(one.get("downwardAPI"), dict):
            out.add(2, "DownwardAPI:", "true")
        elif isinstance(one.get("serviceAccountToken"), dict):
            out.add(2, "TokenExpirationSeconds:", text(one, "serviceAccountToken", "expirationSeconds"))


def _downward(out: Lines, given: Value) -> None:
    out.add(2, "Type:", "DownwardAPI (a volume populated by information about the pod)")
    out.add(2, "Items:")
    for item in dicts(given, "items"):
        what = text(item, "fieldRef", "fieldPath") or text(item, "resourceFieldRef", "resource")
        out.add(3, f"{what} -> {text(item, 'path')}")
