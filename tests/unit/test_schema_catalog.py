"""The catalog: kinds by release, names, what is served, list keys, and that all data can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kplan import release
from kplan.errors import KplanError
from kplan.model import split_api_version
from kplan.schema import Catalog, Node, catalog, lifecycle, lifecycles
from kplan.schema.definitions import read
from kplan.schema.node import GoField

RELEASES = [f"1.{minor}" for minor in range(release.OLDEST, release.NEWEST + 1)]


def at(version: str, api_version: str, kind: str, *path: str) -> Node:
    """The node at a path, through lists and maps."""
    info = catalog(version).kind(api_version, kind)
    assert info is not None
    node = info.node
    for step in path:
        assert node.fields is not None
        node = node.fields[step]
        node = node if step == path[-1] else node.items or node.values or node
    return node


def nodes(root: Node, seen: set[int]) -> Iterator[Node]:
    """A node and all below it, each once."""
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += [n for n in (*(node.fields or {}).values(), node.items, node.values) if n is not None]


@pytest.mark.parametrize("version", RELEASES)
def test_all_data_of_a_release_can_be_read(version: str) -> None:
    seen: set[int] = set()
    kinds = list(catalog(version).kinds())
    assert len(kinds) > 70
    for info in kinds:
        for node in nodes(info.node, seen):
            assert node.go_type
            assert node.type in {"", "object", "array", "string", "integer", "number", "boolean"}
            assert set(node.required) <= set(node.fields or ())
            if node.list_type == "map":
                assert node.items is not None
                assert set(node.list_keys) <= set(node.items.fields or ())
    assert len(seen) > 900


def test_every_kind_has_its_names() -> None:
    subresources = {"Eviction", "Scale", "TokenRequest"}
    for version in RELEASES:
        assert {i.kind for i in catalog(version).kinds() if not i.plural} == subresources
    for group, kinds in read("facts/resources").items():
        for kind in kinds:
            assert any(
                catalog(v).kind(a, kind)
                for v in RELEASES
                for a in read("kubernetes/index")
                if a.rpartition("/")[0] == group
            ), f"{group} {kind} is of no release"


@pytest.mark.parametrize(
    ("version", "api_version", "kind", "served"),
    [
        ("1.36", "v1", "Pod", True),
        ("1.36", "apps/v1", "Deployment", True),
        ("1.36", "extensions/v1beta1", "Deployment", None),
        ("1.33", "resource.k8s.io/v1", "ResourceClaim", None),
        ("1.34", "resource.k8s.io/v1", "ResourceClaim", True),
        ("1.34", "resource.k8s.io/v1beta1", "ResourceClaim", False),
        ("1.31", "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", True),
        ("1.32", "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", None),
        ("1.29", "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", None),
        ("1.30", "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", True),
        ("1.35", "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", None),
        ("1.36", "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", True),
        ("1.33", "storage.k8s.io/v1", "VolumeAttributesClass", None),
        ("1.34", "storage.k8s.io/v1", "VolumeAttributesClass", True),
        ("1.33", "networking.k8s.io/v1", "ServiceCIDR", True),
        ("1.32", "networking.k8s.io/v1", "ServiceCIDR", None),
        ("1.36", "policy/v1", "Eviction", False),
        ("1.37", "certificates.k8s.io/v1", "PodCertificateRequest", True),
        ("1.36", "internal.apiserver.k8s.io/v1alpha1", "StorageVersion", False),
        ("1.36", "v1", "PodList", None),
        ("1.36", "v1", "Status", None),
        ("1.36", "../../x", "../y", None),
    ],
)
def test_which_kinds_a_release_has(version: str, api_version: str, kind: str, served: bool | None) -> None:
    info = catalog(version).kind(api_version, kind)
    assert (None if info is None else info.served) == served
    if served:
        assert catalog(version).served(api_version)


def test_names_and_scope() -> None:
    deployment = catalog("1.36").kind("apps/v1", "Deployment")
    assert deployment is not None
    assert deployment[:5] == ("apps", "v1", "Deployment", "deployments", True)
    assert (deployment.short_names, deployment.categories, deployment.custom) == (("deploy",), ("all",), False)
    assert deployment.api_version == "apps/v1"
    namespace = catalog("1.36").kind("v1", "Namespace")
    assert namespace is not None
    assert not namespace.namespaced
    assert "deletecollection" not in namespace.verbs
    assert namespace.api_version == "v1"


@pytest.mark.parametrize("version", ["1.28", "1.38", "2.0", "latest", ""])
def test_an_unknown_release_is_refused(version: str) -> None:
    with pytest.raises(KplanError):
        catalog(version)


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        ("deploy", "apps/v1 Deployment"),
        ("Deployment", "apps/v1 Deployment"),
        ("deployments.apps", "apps/v1 Deployment"),
        ("deployments.v1.apps", "apps/v1 Deployment"),
        ("hpa", "autoscaling/v2 HorizontalPodAutoscaler"),
        ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1 HorizontalPodAutoscaler"),
        ("events", "v1 Event"),
        ("events.events.k8s.io", "events.k8s.io/v1 Event"),
        ("po", "v1 Pod"),
        ("resourceclaims", "resource.k8s.io/v1 ResourceClaim"),
        ("widgets", ""),
    ],
)
def test_find_by_resource_name(resource: str, found: str) -> None:
    info = catalog("1.36").find(resource)
    assert (f"{info.api_version} {info.kind}" if info else "") == found


@pytest.mark.parametrize(
    ("api_version", "kind", "meant"),
    [
        ("extensions/v1beta1", "Deployment", "apps/v1 Deployment"),
        ("apps/v1", "Deploment", "apps/v1 Deployment"),
        ("v1", "deployment", "apps/v1 Deployment"),
        ("apps/v1", "CronJob", "batch/v1 CronJob"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2 HorizontalPodAutoscaler"),
        ("example.org/v1", "Nonsense", ""),
    ],
)
def test_did_you_mean_this_kind(api_version: str, kind: str, meant: str) -> None:
    assert catalog("1.36").suggest(api_version, kind) == meant
    assert catalog("1.36").no_match(api_version, kind) == f'no matches for kind "{kind}" in version "{api_version}"'


POD = ("v1", "Pod", "spec")
CONTAINER = (*POD, "containers")

# place, merge key of a strategic merge patch, its strategies, list type and keys of server-side apply
LIST_KEYS = [
    ((*POD, "containers"), "name", ("merge",), "map", ("name",)),
    ((*POD, "volumes"), "name", ("merge", "retainKeys"), "map", ("name",)),
    ((*POD, "imagePullSecrets"), "name", ("merge",), "map", ("name",)),
    ((*POD, "resourceClaims"), "name", ("merge", "retainKeys"), "map", ("name",)),
    ((*POD, "tolerations"), "", (), "atomic", ()),
    ((*POD, "hostAliases"), "ip", ("merge",), "map", ("ip",)),
    ((*POD, "topologySpreadConstraints"), "topologyKey", ("merge",), "map", ("topologyKey", "whenUnsatisfiable")),
    ((*CONTAINER, "ports"), "containerPort", ("merge",), "map", ("containerPort", "protocol")),
    ((*CONTAINER, "env"), "name", ("merge",), "map", ("name",)),
    ((*CONTAINER, "args"), "", (), "atomic", ()),
    ((*CONTAINER, "volumeMounts"), "mountPath", ("merge",), "map", ("mountPath",)),
    ((*CONTAINER, "volumeDevices"), "devicePath", ("merge",), "map", ("devicePath",)),
    ((*CONTAINER, "resources", "claims"), "", (), "map", ("name",)),
    (("v1", "Service", "spec", "ports"), "port", ("merge",), "map", ("port", "protocol")),
    (("v1", "ServiceAccount", "secrets"), "name", ("merge",), "map", ("name",)),
    (("v1", "ServiceAccount", "imagePullSecrets"), "", (), "atomic", ()),
    (("v1", "Pod", "metadata", "ownerReferences"), "uid", ("merge",), "map", ("uid",)),
    (("v1", "Pod", "metadata", "finalizers"), "", ("merge",), "set", ()),
    (("apps/v1", "Deployment", "spec", "strategy"), "", ("retainKeys",), "", ()),
    (("policy/v1", "PodDisruptionBudget", "spec", "selector"), "", ("replace",), "", ()),
    (("batch/v1", "Job", "status", "conditions"), "type", ("merge",), "atomic", ()),
    (("networking.k8s.io/v1", "Ingress", "spec", "rules"), "", (), "atomic", ()),
]


@pytest.mark.parametrize(("place", "key", "strategy", "list_type", "list_keys"), LIST_KEYS, ids=lambda v: str(v)[:60])
def test_how_lists_are_merged(
    place: tuple[str, ...], key: str, strategy: tuple[str, ...], list_type: str, list_keys: tuple[str, ...]
) -> None:
    node = at("1.36", *place)
    assert (node.patch_key, node.patch_strategy) == (key, strategy)
    assert (node.list_type, node.list_keys) == (list_type, list_keys)


def test_maps_that_are_one_value_to_server_side_apply() -> None:
    assert at("1.36", "v1", "Service", "spec", "selector").map_type == "atomic"
    assert at("1.36", "apps/v1", "Deployment", "spec", "selector").map_type == "atomic"
    assert at("1.36", "policy/v1", "PodDisruptionBudget", "spec", "selector").map_type == "atomic"
    assert at("1.36", "v1", "PersistentVolume", "spec", "claimRef").map_type == "granular"
    assert at("1.36", "v1", "ConfigMap", "data").map_type == ""


def test_list_keys_of_a_release_that_published_only_merge_keys() -> None:
    containers = at("1.29", *CONTAINER)
    assert (containers.list_type, containers.list_keys) == ("map", ("name",))


def test_fields_follow_the_release() -> None:
    assert "hostnameOverride" not in (at("1.33", *POD).fields or {})
    assert "hostnameOverride" in (at("1.34", *POD).fields or {})


@pytest.mark.parametrize(
    ("path", "go_type", "field"),
    [
        ((*POD, "restartPolicy"), "v1.RestartPolicy", GoField()),
        ((*POD, "overhead"), "v1.ResourceList", GoField()),
        ((*POD, "containers"), "[]v1.Container", GoField(omitempty=False)),
        ((*POD, "priority"), "int32", GoField(pointer=True)),
        ((*POD, "volumes", "secret"), "v1.SecretVolumeSource", GoField(pointer=True, embedded="VolumeSource")),
        (("v1", "Secret", "data"), "map[string][]uint8", GoField()),
        (("v1", "Pod", "metadata", "uid"), "types.UID", GoField()),
        (("v1", "Pod", "metadata", "creationTimestamp"), "v1.Time", GoField(omitzero=True)),
        (("v1", "Service", "spec", "ports", "targetPort"), "intstr.IntOrString", GoField()),
        (("apps/v1", "Deployment", "kind"), "string", GoField(embedded="TypeMeta")),
    ],
    ids=lambda v: ".".join(v) if isinstance(v, tuple) and v and isinstance(v[0], str) else "",
)
def test_what_go_calls_it_and_how_it_holds_it(path: tuple[str, ...], go_type: str, field: GoField) -> None:
    assert at("1.36", *path).go_type == go_type
    parent = at("1.36", *path[:-1]) if len(path) > 3 else catalog("1.36").kind(*path[:2]).node  # type: ignore[union-attr]
    assert (parent.items or parent).go_field(path[-1]) == field


def test_a_schema_that_holds_itself() -> None:
    schema = at("1.36", "apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec", "versions", "schema")
    props = (schema.fields or {})["openAPIV3Schema"]
    assert (props.fields or {})["properties"].values is props
    assert (props.fields or {})["items"].items is props
    assert (props.fields or {})["items"].format == "schema-or-array"


def test_lifecycles_agree_with_the_kinds_of_each_release() -> None:
    for api_version, kind, life in lifecycles():
        group, version = split_api_version(api_version)
        assert re.fullmatch(r"v\d+((alpha|beta)\d+)?", version)
        assert all(not v or re.fullmatch(r"1\.\d+", v) for v in life[:3])
        if group == "audit.k8s.io":  # a file that the API server reads, not an API
            continue
        for v in RELEASES:
            there = catalog(v).kind(api_version, kind) is not None
            introduced = release.minor(life.introduced) <= release.minor(v)
            assert there == (introduced and not life.is_removed(v)), f"{api_version} {kind} in {v}"
        if life.replacement:
            assert any(catalog(v).kind(*life.replacement.split()) for v in RELEASES)


@pytest.mark.parametrize(
    ("api_version", "kind", "facts"),
    [
        ("extensions/v1beta1", "Ingress", ("1.1", "1.14", "1.22", "networking.k8s.io/v1 Ingress")),
        ("policy/v1beta1", "PodSecurityPolicy", ("1.10", "1.21", "1.25", "")),
        ("batch/v1beta1", "CronJob", ("1.8", "1.21", "1.25", "batch/v1 CronJob")),
        ("networking.k8s.io/v1alpha1", "IPAddress", ("1.27", "1.30", "1.31", "networking.k8s.io/v1 IPAddress")),
        ("v1", "Endpoints", ("1.0", "1.33", "", "discovery.k8s.io/v1 EndpointSlice")),
    ],
)
def test_lifecycle_facts(api_version: str, kind: str, facts: tuple[str, str, str, str]) -> None:
    assert lifecycle(api_version, kind) == facts


def test_deprecated_and_removed() -> None:
    life = lifecycle("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")
    assert life is not None
    assert [life.is_deprecated(v) for v in ("1.28", "1.29", "1.32")] == [False, True, True]
    assert [life.is_removed(v) for v in ("1.29", "1.31", "1.32")] == [False, False, True]
    assert lifecycle("apps/v1", "Deployment") is None


def test_a_catalog_is_made_once() -> None:
    assert catalog("1.36") is catalog("1.36")
    assert isinstance(catalog(), Catalog)
