"""Where the data of a volume comes from: the sources that pods and PersistentVolumes share.

Follows pkg/apis/core/validation/validation.go (validateHostPathVolumeSource and its many siblings). `SOURCES` maps the
field of a source to its check; what a source merely needs is in `REQUIRED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.paths import local_descending, no_backsteps
from kplan.hints import Any
from kplan.patterns import lazy

Value = dict[str, Any]
Check = Callable[[Errors, str, Value], None]

HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")

# Fields that a source needs, and no more than that.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "persistentVolumeClaim": ("claimName",),
    "glusterfs": ("endpoints", "path"),
    "rbd": ("monitors", "image"),
    "cephfs": ("monitors",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "scaleIO": ("gateway", "system", "volumeName"),
}

_DISK_CACHES = ("None", "ReadOnly", "ReadWrite")
_DISK_KINDS = ("Dedicated", "Managed", "Shared")
_MANAGED_URI = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
_ISCSI_NAMES = {
    "iqn": lazy(r"iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9\-.]+:[^,;*&$|\t\n\f\r ]+\Z"),
    "eui": lazy(r"\Aeui.[A-Za-z0-9]{16}\Z"),
    "naa": lazy(r"\Anaa.[A-Za-z0-9]{32}\Z"),
}
_REGISTRY = "must be a host:port pair or multiple pairs separated by commas"


def needs(errors: Errors, field: str, value: Value, *wanted: str) -> None:
    """Report every one of some fields that is absent or empty."""
    for name in wanted:
        if not value.get(name):
            errors.required(f"{field}.{name}")


def _needing(wanted: tuple[str, ...]) -> Check:
    return lambda errors, field, source: needs(errors, field, source, *wanted)


def secret_name(errors: Errors, field: str, source: Value, *more: str) -> None:
    """The `secretRef` of a source, if it has one: it needs a name, in a PersistentVolume also a namespace."""
    reference = source.get("secretRef")
    if reference is not None:
        needs(errors, f"{field}.secretRef", reference, "name", *more)


def host_path(errors: Errors, field: str, source: Value) -> None:
    """A path of the node."""
    path = source.get("path") or ""
    if not path:
        errors.required(f"{field}.path")
        return
    no_backsteps(errors, f"{field}.path", path)
    if source.get("type") is not None:
        errors.one_of(f"{field}.type", source["type"], HOST_PATH_TYPES)


def git_repo(errors: Errors, field: str, source: Value) -> None:
    """A clone of a repository."""
    needs(errors, field, source, "repository")
    local_descending(errors, f"{field}.directory", source.get("directory") or "")


def _partition(errors: Errors, field: str, source: Value) -> None:
    partition = source.get("partition") or 0
    if not 0 <= partition <= 255:
        errors.invalid(f"{field}.partition", partition, names.inclusive_range(1, 255))


def gce_persistent_disk(errors: Errors, field: str, source: Value) -> None:
    """A disk of Google's cloud."""
    needs(errors, field, source, "pdName")
    _partition(errors, field, source)


def aws_elastic_block_store(errors: Errors, field: str, source: Value) -> None:
    """A disk of Amazon's cloud."""
    needs(errors, field, source, "volumeID")
    _partition(errors, field, source)


def nfs(errors: Errors, field: str, source: Value) -> None:
    """An NFS export."""
    needs(errors, field, source, "server", "path")
    path = source.get("path") or ""
    if not path.startswith("/"):
        errors.invalid(f"{field}.path", path, "must be an absolute path")


def iscsi(errors: Errors, field: str, source: Value) -> None:
    """An iSCSI disk."""
    starting = " starting with iqn, eui, or naa"
    needs(errors, field, source, "targetPortal", "iqn")
    if source.get("iqn"):
        iscsi_name(errors, f"{field}.iqn", source["iqn"], starting)
    iscsi_rest(errors, field, source)
    if source.get("initiatorName") is not None:
        iscsi_name(errors, f"{field}.initiatorname", source["initiatorName"], starting)


def iscsi_name(errors: Errors, field: str, name: str, starting: str = "") -> None:
    """A qualified name of iSCSI; `starting` is what the sentence adds when even the beginning is wrong."""
    pattern = _ISCSI_NAMES.get(name[:3])
    if pattern is None:
        errors.invalid(field, name, f"must be valid format{starting}")
    elif not pattern.search(name):
        errors.invalid(field, name, "must be valid format")


def iscsi_rest(errors: Errors, field: str, source: Value) -> None:
    """The unit and the secret of an iSCSI disk."""
    lun = source.get("lun") or 0
    if not 0 <= lun <= 255:
        errors.invalid(f"{field}.lun", lun, names.inclusive_range(0, 255))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.required(f"{field}.secretRef")


def flocker(errors: Errors, field: str, source: Value) -> None:
    """A Flocker dataset."""
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        errors.required(field, "one of datasetName and datasetUUID is required")
    if name and uuid:
        errors.invalid(field, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        errors.invalid(f"{field}.datasetName", name, "must not contain '/'")


def cinder(errors: Errors, field: str, source: Value) -> None:
    """A disk of OpenStack."""
    needs(errors, field, source, "volumeID")
    secret_name(errors, field, source)


def quobyte(errors: Errors, field: str, source: Value) -> None:
    """A Quobyte volume."""
    registry = source.get("registry") or ""
    if not registry:
        errors.required(f"{field}.registry", _REGISTRY)
    elif names.size(source.get("tenant") or "") > 64:
        errors.required(f"{field}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in registry.split(","):
            if not _is_host_and_port(pair):
                errors.invalid(f"{field}.registry", registry, _REGISTRY)
    needs(errors, field, source, "volume")


def _is_host_and_port(text: str) -> bool:
    """Whether Go's net.SplitHostPort splits a text."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return False
    if host.startswith("["):
        end = text.find("]")
        if end < 0 or text[end + 1 : end + 2] != ":" or end + 1 != len(host):
            return False
        host = host[1:end]
    elif ":" in host:
        return False
    return not set("[]") & set(host + port)


def fc(errors: Errors, field: str, source: Value) -> None:
    """A Fibre Channel disk."""
    targets, lun = source.get("targetWWNs") or [], source.get("lun")
    if not targets and not source.get("wwids"):
        errors.required(f"{field}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if targets and source.get("wwids"):
        errors.invalid(f"{field}.targetWWNs", targets, "targetWWNs and wwids can not be specified simultaneously")
    if targets and lun is None:
        errors.required(f"{field}.lun", "lun is required if targetWWNs is specified")
    elif targets and lun is not None and not 0 <= lun <= 255:
        errors.invalid(f"{field}.lun", lun, names.inclusive_range(0, 255))


def flex_volume(errors: Errors, field: str, source: Value) -> None:
    """A volume of a driver outside Kubernetes."""
    needs(errors, field, source, "driver")
    for key in sorted(source.get("options") or {}):
        namespace = "." + key.partition("/")[0].lower()
        if namespace.endswith((".kubernetes.io", ".k8s.io")):
            errors.invalid(f"{field}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


def azure_disk(errors: Errors, field: str, source: Value) -> None:
    """A disk of Microsoft's cloud."""
    needs(errors, field, source, "diskName", "diskURI")
    cache, kind, uri = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    if cache is not None:
        errors.one_of(f"{field}.cachingMode", cache, _DISK_CACHES)
    if kind is not None:
        errors.one_of(f"{field}.kind", kind, _DISK_KINDS)
        if kind == "Managed" and not uri.startswith("/subscriptions/"):
            errors.not_supported(f"{field}.diskURI", uri, [_MANAGED_URI])
        if kind != "Managed" and not uri.startswith("https://"):
            errors.not_supported(f"{field}.diskURI", uri, [_BLOB_URI])


def storageos(errors: Errors, field: str, source: Value) -> None:
    """A StorageOS volume of a pod."""
    storageos_names(errors, field, source)
    secret_name(errors, field, source)


def storageos_names(errors: Errors, field: str, source: Value) -> None:
    """The name and the namespace of a StorageOS volume."""
    needs(errors, field, source, "volumeName")
    for name in ("volumeName", "volumeNamespace"):
        value = source.get(name)
        if value:
            names.invalid(errors, f"{field}.{name}", value, names.dns1123_label(value))


def csi_driver_name(errors: Errors, field: str, name: str) -> None:
    """The name of a CSI driver."""
    if not name:
        errors.required(field)
        return
    if names.size(name) > 63:
        errors.too_long(field, 63)
    names.invalid(errors, field, name, names.dns1123_subdomain(name.lower()))


def csi(errors: Errors, field: str, source: Value) -> None:
    """A volume that lives as long as its pod, made by a CSI driver."""
    csi_driver_name(errors, f"{field}.driver", source.get("driver") or "")
    secret = source.get("nodePublishSecretRef")
    if secret is None:
        return
    name = secret.get("name")
    if not name:
        errors.required(f"{field}.nodePublishSecretRef.name")
    else:
        names.invalid(errors, f"{field}.name", name, names.dns1123_subdomain(name))


SOURCES: Mapping[str, Check] = {
    **{name: _needing(wanted) for name, wanted in REQUIRED.items()},
    "hostPath": host_path,
    "gitRepo": git_repo,
    "gcePersistentDisk": gce_persistent_disk,
    "awsElasticBlockStore": aws_elastic_block_store,
    "nfs": nfs,
    "iscsi": iscsi,
    "flocker": flocker,
    "cinder": cinder,
    "quobyte": quobyte,
    "fc": fc,
    "flexVolume": flex_volume,
    "azureDisk": azure_disk,
    "storageos": storageos,
    "csi": csi,
}
