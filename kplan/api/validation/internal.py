"""Values as the server's own Go types print them inside a message.

A message about a struct shows it as JSON of the internal type, which has no JSON names: fields stand in the order of
the Go struct under their Go names, and what is unset is there too. Follows pkg/apis/{core,apps,batch,policy}/types.go.
`TYPES` has the structs that messages show, one line each: fields as `GoName=jsonName:Type`, the JSON name left out
where it is the Go name with a small first letter. A type is a scalar (`s` string, `i` number, written as its zero value
when unset), `*` anything that may be null, `[]` a list of plain values (null when empty), or another struct; `*Struct`
and `[]Struct` are null when unset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kplan.hints import Any
from kplan.tuples import NamedTuple

Value = dict[str, Any]

TYPES: Mapping[str, str] = {
    "Capabilities": "Add:[] Drop:[]",
    "SELinuxOptions": "User:s Role:s Type:s Level:s",
    "WindowsOptions": "GMSACredentialSpecName=gmsaCredentialSpecName:* GMSACredentialSpec=gmsaCredentialSpec:* "
    "RunAsUserName:* HostProcess:*",
    "SeccompProfile": "Type:s LocalhostProfile:*",
    "AppArmorProfile": "Type:s LocalhostProfile:*",
    "SecurityContext": "Capabilities:*Capabilities Privileged:* SELinuxOptions=seLinuxOptions:*SELinuxOptions "
    "WindowsOptions:*WindowsOptions RunAsUser:* RunAsGroup:* RunAsNonRoot:* ReadOnlyRootFilesystem:* "
    "AllowPrivilegeEscalation:* ProcMount:* SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile",
    "PodResourceClaim": "Name:s ResourceClaimName:* ResourceClaimTemplateName:*",
    "ContainerResizePolicy": "ResourceName:s RestartPolicy:s",
    "ClusterTrustBundleProjection": "Name:* SignerName:* LabelSelector:*LabelSelector Optional:* Path:s",
    "NodeSelectorRequirement": "Key:s Operator:s Values:[]",
    "NodeSelectorTerm": "MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement",
    "NodeSelector": "NodeSelectorTerms:[]NodeSelectorTerm",
    "VolumeNodeAffinity": "Required:*NodeSelector",
    "RollingUpdateDeployment": "MaxUnavailable:i MaxSurge:i",
    "DeploymentStrategy": "Type:s RollingUpdate:*RollingUpdateDeployment",
    "RollingUpdateDaemonSet": "MaxUnavailable:i MaxSurge:i",
    "DaemonSetUpdateStrategy": "Type:s RollingUpdate:*RollingUpdateDaemonSet",
    "RollingUpdateStatefulSetStrategy": "Partition:i MaxUnavailable:*",
    "StatefulSetUpdateStrategy": "Type:s RollingUpdate:*RollingUpdateStatefulSetStrategy",
    "SuccessPolicyRule": "SucceededIndexes:* SucceededCount:*",
    "SuccessPolicy": "Rules:[]SuccessPolicyRule",
    "PodFailurePolicyOnExitCodesRequirement": "ContainerName:* Operator:s Values:[]",
    "PodFailurePolicyOnPodConditionsPattern": "Type:s Status:s",
    "PodFailurePolicyRule": "Action:s OnExitCodes:*PodFailurePolicyOnExitCodesRequirement "
    "OnPodConditions:[]PodFailurePolicyOnPodConditionsPattern",
    "PodFailurePolicy": "Rules:[]PodFailurePolicyRule",
    "PodDisruptionBudgetSpec": "MinAvailable:* Selector:*LabelSelector MaxUnavailable:* UnhealthyPodEvictionPolicy:*",
}
_ZEROS: Mapping[str, Any] = {"s": "", "i": 0}


class _Field(NamedTuple):
    go: str
    json: str
    type: str


@cache
def _fields(name: str) -> tuple[_Field, ...]:
    out = []
    for text in TYPES[name].split():
        names, _, kind = text.rpartition(":")
        go, _, json = names.partition("=")
        out.append(_Field(go, json or go[0].lower() + go[1:], kind))
    return tuple(out)


def internal(value: Value, name: str) -> Value:
    """A struct of the API as its internal type: the value to show in a message."""
    if name == "LabelSelector":
        return label_selector(value)
    return {f.go: _field(value.get(f.json), f.type) for f in _fields(name)}


def _field(value: Any, kind: str) -> Any:
    if kind in _ZEROS:
        return _ZEROS[kind] if value is None else value
    if value is None or kind in {"*", "[]"}:
        return value if value or kind == "*" else None
    if kind.startswith("[]"):
        return [internal(item, kind[2:]) for item in value] or None
    return internal(value, kind.removeprefix("*"))


def label_selector(value: Value) -> Value:
    """A metav1.LabelSelector in the order of its fields."""
    out: Value = {}
    if value.get("matchLabels"):
        out["matchLabels"] = dict(sorted(value["matchLabels"].items()))
    if value.get("matchExpressions"):
        out["matchExpressions"] = [_requirement(e) for e in value["matchExpressions"]]
    return out


def _requirement(value: Value) -> Value:
    out: Value = {"key": value.get("key") or "", "operator": value.get("operator") or ""}
    return out | ({"values": value["values"]} if value.get("values") else {})
