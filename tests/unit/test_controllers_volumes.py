"""Claims and volumes: who finds whom, who waits for whom, and what becomes of a volume whose claim has gone."""

from __future__ import annotations

from typing import Any

import pytest

import kplan

Value = dict[str, Any]


def external(driver: str) -> tuple[str, str, str]:
    who = f"either by the external provisioner '{driver}' or manually by the system administrator"
    check = "please verify that the provisioner is running and correctly registered"
    what = f"Waiting for a volume to be created {who}. If volume creation is delayed, {check}."
    return "Normal", "ExternalProvisioning", what


def node(name: str) -> Value:
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"allocatable": allocatable}}


def volume(
    name: str = "v", size: str = "1Gi", mode: str = "ReadWriteOnce", policy: str = "Retain", **spec: Any
) -> Value:
    given = {"capacity": {"storage": size}, "accessModes": [mode], "persistentVolumeReclaimPolicy": policy, **spec}
    if not {"hostPath", "csi", "nfs", "local"} & set(spec):
        given["hostPath"] = {"path": f"/srv/{name}"}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": given}


def claim(name: str = "c", size: str = "1Gi", mode: str = "ReadWriteOnce", cls: str | None = "", **spec: Any) -> Value:
    given = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, **spec}
    if cls is not None:
        given["storageClassName"] = cls
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": given}


def storage_class(name: str = "fast", provisioner: str = "csi.example", *, wait: bool = False, **more: Any) -> Value:
    mode = "WaitForFirstConsumer" if wait else "Immediate"
    about = {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", **about, **more}


def pod(name: str = "p", claims: tuple[str, ...] = ("c",), **spec: Any) -> Value:
    volumes = [{"name": f"d{i}", "persistentVolumeClaim": {"claimName": c}} for i, c in enumerate(claims)]
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in volumes]
    container = {"name": "c", "image": "registry.example/app:run", "volumeMounts": mounts}
    given = {"containers": [container], "volumes": volumes, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": given}


def settled(*steps: list[Value], provision: bool = False) -> kplan.Cluster:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    found = kplan.Cluster([node("a"), namespace], provision=provision)
    for objects in steps:
        assert [a.message for a in found.apply(objects, mode="replace") if not a.accepted] == []
        found.settle()
    assert not found.unsettled
    return found


def get(c: kplan.Cluster, kind: str, name: str) -> Value:
    found = c.get({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}})
    assert found is not None, f"{kind} {name}"
    return found


def phase(c: kplan.Cluster, name: str) -> str:
    kind = "PersistentVolume" if name.startswith(("v", "pvc-")) else "PersistentVolumeClaim"
    return str(get(c, kind, name)["status"]["phase"])


def events(c: kplan.Cluster, reason: str = "") -> list[tuple[str, str, str]]:
    told = c.events_since_last_settle()
    return [(e.type, e.reason, e.message) for e in told if not reason or e.reason == reason]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (claim(size="2Gi"), "v3"),
        (claim(size="1Gi", mode="ReadWriteMany"), "vx"),
        (claim(selector={"matchLabels": {"tier": "gold"}}), "vg"),
        (claim(cls="manual"), "vm"),
        (claim(volumeMode="Block"), "vb"),
        (claim(size="99Gi"), ""),
        (claim(cls="nowhere"), ""),
    ],
)
def test_the_smallest_volume_that_suits(wanted: Value, chosen: str) -> None:
    gold = volume("vg", "9Gi")
    gold["metadata"]["labels"] = {"tier": "gold"}
    many = volume("vx", "9Gi", "ReadWriteMany")
    block = volume("vb", "9Gi", volumeMode="Block")
    volumes = [volume("v5", "5Gi"), volume("v3", "3Gi"), many, gold, volume("vm", storageClassName="manual"), block]
    c = settled(volumes, [wanted])
    assert get(c, "PersistentVolumeClaim", "c")["spec"].get("volumeName", "") == chosen
    assert phase(c, "c") == ("Bound" if chosen else "Pending")


def test_a_binding_is_written_on_both_sides() -> None:
    c = settled([volume("v", "3Gi")], [claim()])
    bound, owner = get(c, "PersistentVolume", "v"), get(c, "PersistentVolumeClaim", "c")
    assert bound["spec"]["claimRef"]["uid"] == owner["metadata"]["uid"]
    assert bound["metadata"]["annotations"] == {"pv.kubernetes.io/bound-by-controller": "yes"}
    assert bound["status"] == {"phase": "Bound", "lastPhaseTransitionTime": bound["status"]["lastPhaseTransitionTime"]}
    assert owner["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "3Gi"}}
    notes = owner["metadata"]["annotations"]
    assert notes["pv.kubernetes.io/bind-completed"] == notes["pv.kubernetes.io/bound-by-controller"] == "yes"


def test_a_volume_that_comes_later_is_found_within_15_seconds() -> None:
    c = settled([claim()])
    assert events(c) == [
        ("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
    ]
    c.apply([volume()])
    before = c.clock.now
    rests = c.settle()
    assert [r.changes for r in rests] == [
        ("create persistentvolume v", "phase persistentvolume v Pending->Available"),
        ("phase persistentvolume v Available->Bound", "phase persistentvolumeclaim c Pending->Bound"),
    ]
    assert 15 <= rests[1].at - before < 20
    assert events(c) == []


@pytest.mark.parametrize(
    ("volume_", "claim_", "message"),
    [
        (volume(size="1Gi"), claim(size="2Gi"), "requested PV is too small"),
        (volume(storageClassName="x"), claim(), "storageClassName does not match"),
        (volume(volumeMode="Block"), claim(), "incompatible volumeMode"),
        (volume(mode="ReadOnlyMany"), claim(), "incompatible accessMode"),
    ],
)
def test_a_wanted_volume_that_does_not_suit(volume_: Value, claim_: Value, message: str) -> None:
    claim_["spec"]["volumeName"] = "v"
    c = settled([volume_], [claim_])
    assert phase(c, "c") == "Pending"
    assert events(c) == [("Warning", "VolumeMismatch", f'Cannot bind to requested volume "v": {message}')]


def test_a_wanted_volume_is_taken_as_it_is() -> None:
    c = settled([volume(size="9Gi"), volume("v2")], [claim(volumeName="v")])
    assert "pv.kubernetes.io/bound-by-controller" not in get(c, "PersistentVolumeClaim", "c")["metadata"]["annotations"]
    c.apply([claim("late", volumeName="v")])
    c.settle()
    assert (phase(c, "late"), phase(c, "v2")) == ("Pending", "Available")
    assert events(c) == [("Warning", "FailedBinding", 'volume "v" already bound to a different claim.')]


def test_a_wanted_volume_may_be_missing() -> None:
    c = settled([claim(volumeName="v")])
    assert (phase(c, "c"), events(c)) == ("Pending", [])
    c.apply([volume()])
    c.settle()
    assert phase(c, "c") == "Bound"


def test_a_reserved_volume_waits_for_its_claim() -> None:
    c = settled([volume(claimRef={"name": "c", "namespace": "default"}), volume("v0")], [claim("other")])
    assert (phase(c, "v"), get(c, "PersistentVolumeClaim", "other")["spec"]["volumeName"]) == ("Available", "v0")
    c.apply([claim()])
    c.settle()
    assert get(c, "PersistentVolumeClaim", "c")["spec"]["volumeName"] == "v"
    assert "pv.kubernetes.io/bound-by-controller" not in get(c, "PersistentVolume", "v")["metadata"].get(
        "annotations", {}
    )


def test_a_claim_without_class_gets_the_default_one() -> None:
    default = storage_class()
    default["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    c = settled([claim(cls=None)])
    assert events(c)[0][1] == "FailedBinding"
    c.apply([default])
    c.settle()
    assert get(c, "PersistentVolumeClaim", "c")["spec"]["storageClassName"] == "fast"
    assert events(c) == [external("csi.example")]


@pytest.mark.parametrize(
    ("provisioner", "event"),
    [
        ("csi.example", external("csi.example")),
        ("kubernetes.io/aws-ebs", external("ebs.csi.aws.com")),
        (
            "kubernetes.io/no-provisioner",
            ("Warning", "ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner"),
        ),
        ("", ("Warning", "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')),
    ],
)
def test_a_bare_control_plane_makes_no_volumes(provisioner: str, event: tuple[str, str, str]) -> None:
    classes = [storage_class(provisioner=provisioner)] if provisioner else []
    c = settled([*classes, claim(cls="fast")])
    assert phase(c, "c") == "Pending"
    assert events(c) == [event]
    notes = get(c, "PersistentVolumeClaim", "c")["metadata"].get("annotations", {})
    asked = {k for k in notes if k.endswith("storage-provisioner")}
    assert len(asked) == (2 if event[1] == "ExternalProvisioning" else 0)


def test_a_provisioner_makes_and_deletes_volumes() -> None:
    c = settled([storage_class(mountOptions=["noatime"]), claim(cls="fast"), pod()], provision=True)
    name = f"pvc-{get(c, 'PersistentVolumeClaim', 'c')['metadata']['uid']}"
    made = get(c, "PersistentVolume", name)
    assert made["spec"]["csi"] == {"driver": "csi.example", "volumeHandle": name}
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert made["spec"]["mountOptions"] == ["noatime"]
    assert made["metadata"]["annotations"] == {"pv.kubernetes.io/provisioned-by": "csi.example"}
    assert get(c, "Pod", "p")["status"]["phase"] == "Running"
    assert events(c)[:3] == [
        external("csi.example"),
        ("Normal", "Provisioning", 'External provisioner is provisioning volume for claim "default/c"'),
        ("Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}"),
    ]
    c.delete("Pod", "p")
    c.delete("PersistentVolumeClaim", "c")
    c.settle()
    assert c.objects("PersistentVolume") == []


def test_the_policy_of_the_class_holds() -> None:
    c = settled([storage_class(reclaimPolicy="Retain"), claim(cls="fast")], provision=True)
    c.delete("PersistentVolumeClaim", "c")
    c.settle()
    assert [v["status"]["phase"] for v in c.objects("PersistentVolume")] == ["Released"]


def test_without_a_provisioner_its_volumes_stay_released() -> None:
    c = settled([storage_class(), claim(cls="fast")], provision=True)
    bare = kplan.Cluster(c.objects())
    bare.settle()
    bare.delete("PersistentVolumeClaim", "c")
    bare.settle()
    assert [v["status"]["phase"] for v in bare.objects("PersistentVolume")] == ["Released"]


def test_a_pod_keeps_its_node_until_its_volume_is_made() -> None:
    fast = storage_class(wait=True)
    big = {"containers": [{"name": "c", "image": "registry.example/a:run", "resources": {"requests": {"cpu": "3"}}}]}
    c = settled([fast, claim(cls="fast")])
    assert [e[1] for e in events(c)] == ["WaitForFirstConsumer"]
    waiting = pod()
    waiting["spec"]["containers"][0]["resources"] = big["containers"][0]["resources"]
    c.apply([waiting])
    c.apply([pod("other", (), **big)])
    c.settle()
    assert "nodeName" not in get(c, "Pod", "p")["spec"]
    assert get(c, "Pod", "p")["status"]["nominatedNodeName"] == "a"
    assert get(c, "PersistentVolumeClaim", "c")["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "a"
    assert events(c, "ExternalProvisioning") == [external("csi.example")]
    assert [e[2].split(".")[0] for e in events(c, "FailedScheduling")] == [
        "0/1 nodes are available: 1 Insufficient cpu"
    ]
    c.clock.advance(600)
    c.settle()
    why = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    assert ("Warning", "FailedScheduling", why) in events(c)


def test_a_volume_is_made_where_the_pod_goes() -> None:
    csi = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": "a"},
        "spec": {"drivers": [{"name": "csi.example", "nodeID": "a", "topologyKeys": ["kubernetes.io/hostname"]}]},
    }
    c = settled([csi, storage_class(wait=True), pod(), claim(cls="fast")], provision=True)
    assert get(c, "Pod", "p")["spec"]["nodeName"] == "a"
    (made,) = c.objects("PersistentVolume")
    terms = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms == [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}]}]
    assert events(c, "WaitForPodScheduled") == [("Normal", "WaitForPodScheduled", "waiting for pod p to be scheduled")]


def test_two_pods_do_not_get_the_same_volume() -> None:
    local = storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    volumes = [volume(f"v{i}", storageClassName="local") for i in range(2)]
    claims = [claim(f"c{i}", cls="local") for i in range(3)]
    c = settled([local, *volumes, *claims, *(pod(f"p{i}", (f"c{i}",)) for i in range(3))])
    taken = [get(c, "PersistentVolumeClaim", f"c{i}")["spec"].get("volumeName") for i in range(3)]
    assert sorted(map(str, taken)) == ["None", "v0", "v1"]
    assert sum(p["status"]["phase"] == "Running" for p in c.objects("Pod")) == 2


def test_a_pod_right_after_its_claim_meets_it_unbound() -> None:
    said = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    c = settled([volume(), claim(), pod()])
    assert events(c, "FailedScheduling") == [("Warning", "FailedScheduling", said)]
    assert get(c, "Pod", "p")["status"]["phase"] == "Running"
    late = settled([volume(), claim()], [pod()])
    assert events(late, "FailedScheduling") == []


def test_a_claim_says_what_it_waits_for_once() -> None:
    local = storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    c = settled([local, claim(cls="local")], [pod()])
    assert [e[1] for e in events(c)] == ["FailedScheduling"]
    c.apply([volume(storageClassName="local")])
    c.settle()
    assert [e[1] for e in events(c)] == ["Scheduled"]
    assert phase(c, "c") == "Bound"


def test_a_claim_in_use_is_protected() -> None:
    c = settled([volume(), claim()], [pod()])
    c.delete("PersistentVolumeClaim", "c")
    c.delete("PersistentVolume", "v")
    c.settle()
    assert get(c, "PersistentVolumeClaim", "c")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert get(c, "PersistentVolume", "v")["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    c.delete("Pod", "p")
    c.settle()
    assert [c.objects(k) for k in ("PersistentVolumeClaim", "PersistentVolume")] == [[], []]


def test_a_waiting_pod_does_not_protect_its_claim() -> None:
    c = settled([claim(), pod()])
    c.delete("PersistentVolumeClaim", "c")
    c.settle()
    assert c.objects("PersistentVolumeClaim") == []
    assert events(c, "FailedScheduling")[-1][2].startswith(
        '0/1 nodes are available: persistentvolumeclaim "c" not found'
    )


def test_objects_from_a_file_get_their_finalizers() -> None:
    c = kplan.Cluster([node("a"), volume(), claim()])
    c.settle()
    assert phase(c, "c") == phase(c, "v") == "Bound"
    assert get(c, "PersistentVolume", "v")["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert len(c.settle()) == 1


NO_DELETER = 'error getting deleter volume plugin for volume "v": '


@pytest.mark.parametrize(
    ("policy", "source", "after", "event"),
    [
        ("Retain", {}, "Released", None),
        ("Delete", {"hostPath": {"path": "/tmp/x"}}, "", None),
        (
            "Delete",
            {"hostPath": {"path": "/srv/x"}},
            "Failed",
            ("VolumeFailedDelete", "host_path deleter only supports /tmp/.+ but received provided /srv/x"),
        ),
        (
            "Delete",
            {"csi": {"driver": "csi.example", "volumeHandle": "h"}},
            "Failed",
            ("VolumeFailedDelete", NO_DELETER + "no deletable volume plugin matched"),
        ),
        ("Recycle", {"nfs": {"server": "s", "path": "/"}}, "Available", ("VolumeRecycled", "Volume recycled")),
        (
            "Recycle",
            {"csi": {"driver": "csi.example", "volumeHandle": "h"}},
            "Failed",
            ("VolumeFailedRecycle", "No recycler plugin found for the volume!"),
        ),
    ],
)
def test_reclaim(policy: str, source: Value, after: str, event: tuple[str, str] | None) -> None:
    c = settled([volume(policy=policy, **source)], [claim()])
    c.delete("PersistentVolumeClaim", "c")
    c.settle()
    assert [v["status"]["phase"] for v in c.objects("PersistentVolume")] == ([after] if after else [])
    assert [e[1:] for e in events(c)] == ([event] if event else [])
    if after == "Failed":
        assert get(c, "PersistentVolume", "v")["status"]["message"] == (event or ("", ""))[1]
    if after == "Available":
        assert "claimRef" not in get(c, "PersistentVolume", "v")["spec"]


def test_a_released_volume_is_not_taken_again() -> None:
    c = settled([volume()], [claim()])
    c.delete("PersistentVolumeClaim", "c")
    c.settle()
    c.apply([claim()])
    c.settle()
    assert (phase(c, "v"), phase(c, "c")) == ("Released", "Pending")


def test_a_claim_whose_volume_vanishes_is_lost() -> None:
    c = settled([volume()], [claim()])
    lost = get(c, "PersistentVolume", "v")
    c.store.remove(kplan.store.ref_of(lost).key)
    c.settle()
    assert get(c, "PersistentVolumeClaim", "c")["status"] == {"phase": "Lost"}
    why = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
    assert events(c) == [("Warning", "ClaimLost", why)]


def test_ephemeral_volumes_come_and_go_with_their_pod() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}
    template = {"metadata": {"labels": {"of": "p"}}, "spec": spec}
    user = pod(claims=(), volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}])
    user["spec"]["containers"][0]["volumeMounts"] = [{"name": "scratch", "mountPath": "/s"}]
    c = settled([storage_class(wait=True), user], provision=True)
    made = get(c, "PersistentVolumeClaim", "p-scratch")
    assert made["metadata"]["labels"] == {"of": "p"}
    assert made["metadata"]["ownerReferences"][0]["name"] == "p"
    assert get(c, "Pod", "p")["status"]["phase"] == "Running"
    c.delete("Pod", "p")
    c.settle()
    assert [c.objects(k) for k in ("Pod", "PersistentVolumeClaim", "PersistentVolume")] == [[], [], []]


@pytest.mark.parametrize(
    ("kind", "names"),
    [("ReplicaSet", {"p-<1>-scratch", "p-<2>-scratch"}), ("CronJob", {"p-<t1>-<1>-scratch", "p-<t1>-<2>-scratch"})],
)
def test_a_claim_is_named_after_a_pod_whose_name_is_drawn(kind: str, names: set[str]) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}
    user = pod(claims=(), volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}])
    template = {"metadata": {"labels": {"of": "p"}}, "spec": user["spec"]}
    meta = {"name": "p", "namespace": "default"}
    owner: Value = {"apiVersion": "apps/v1", "kind": kind, "metadata": meta}
    if kind == "CronJob":
        template["spec"]["restartPolicy"] = "Never"
        job = {"parallelism": 2, "completions": 2, "template": template}
        owner["apiVersion"], owner["spec"] = "batch/v1", {"schedule": "* * * * *", "jobTemplate": {"spec": job}}
    else:
        owner["spec"] = {"replicas": 2, "selector": {"matchLabels": {"of": "p"}}, "template": template}
    c = settled([storage_class(wait=True), owner], [], provision=True)
    assert {v["metadata"]["name"] for v in c.objects("PersistentVolumeClaim")} == names
    assert {v["status"]["phase"] for v in c.objects("PersistentVolumeClaim")} == {"Bound"}
    assert {
        v["metadata"]["ownerReferences"][0]["name"] + "-scratch" for v in c.objects("PersistentVolumeClaim")
    } == names
    assert [e for e in c.events() if e.reason == "EphemeralVolumeCreationFailed"] == []


@pytest.mark.parametrize(("kind", "name"), [("ReplicaSet", "web-<1>"), ("Job", "web-<1>"), ("CronJob", "web-<t1>-<1>")])
def test_ephemeral_volumes_of_pods_whose_names_are_open(kind: str, name: str) -> None:
    wanted = claim()["spec"]
    made = pod(claims=(), volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": wanted}}}])["spec"]
    made["containers"][0]["volumeMounts"] = [{"name": "scratch", "mountPath": "/s"}]
    labels = {"app": "web"}
    made["restartPolicy"] = "Always" if kind == "ReplicaSet" else "Never"
    spec: Value = {"template": {"metadata": {"labels": labels}, "spec": made}}
    if kind == "ReplicaSet":
        spec["selector"] = {"matchLabels": labels}
    if kind == "CronJob":
        spec = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
    group = "apps" if kind == "ReplicaSet" else "batch"
    meta = {"name": "web", "namespace": "default"}
    c = settled([volume()], [{"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "spec": spec}])
    c.settle()
    assert phase(c, f"{name}-scratch") == "Bound"
    assert get(c, "PersistentVolume", "v")["spec"]["claimRef"]["name"] == f"{name}-scratch"
    assert get(c, "Pod", name)["status"]["phase"] == "Running"


def test_a_claim_that_is_not_its_own_is_refused() -> None:
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    user = pod(claims=(), volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}])
    c = settled([claim("p-scratch")], [user])
    (event,) = events(c, "EphemeralVolumeCreationFailed")
    assert event[2].endswith("PVC default/p-scratch was not created for pod default/p (pod is not owner)")
    assert "nodeName" not in get(c, "Pod", "p")["spec"]


def test_a_claim_that_grows_waits_for_its_driver() -> None:
    kind = storage_class(allowVolumeExpansion=True)
    c = settled(
        [kind, volume(storageClassName="fast")], [claim(cls="fast")], [claim(cls="fast", size="5Gi", volumeName="v")]
    )
    assert events(c) == [("Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC")]
    assert get(c, "PersistentVolumeClaim", "c")["status"]["capacity"] == {"storage": "1Gi"}
    c.settle()
    assert events(c) == []
