"""Values as the server's own Go types print them inside a message.

A message about a struct shows it as JSON of the internal type, which has no JSON names: fields stand in the order of
the Go struct under their Go names, and what is unset is there too. Follows pkg/apis/{core,apps,batch,policy}/types.go
and apiextensions-apiserver/pkg/apis/apiextensions/types.go.
`TYPES` has the structs that messages show, one line each: fields as `GoName=jsonName:Type`, the JSON name left out
where it is the Go name with a small first letter. A type is a scalar (`s` string, `i` number, `b` bool, written as its
zero value when unset), `*` anything that may be null, `[]` a list of plain values (null when empty), or another struct;
`*Struct`, `[]Struct` and `{}Struct`, a map, are null when unset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    "CustomResourceDefinitionVersion": "Name:s Served:b Storage:b Deprecated:b DeprecationWarning:* "
    "Schema:*CustomResourceValidation Subresources:*CustomResourceSubresources "
    "AdditionalPrinterColumns:[]CustomResourceColumnDefinition SelectableFields:[]SelectableField",
    "CustomResourceValidation": "OpenAPIV3Schema=openAPIV3Schema:*JSONSchemaProps",
    "CustomResourceSubresources": "Status:* Scale:*CustomResourceSubresourceScale",
    "CustomResourceSubresourceScale": "SpecReplicasPath:s StatusReplicasPath:s LabelSelectorPath:*",
    "CustomResourceColumnDefinition": "Name:s Type:s Format:s Description:s Priority:i JSONPath=jsonPath:s",
    "SelectableField": "JSONPath=jsonPath:s",
    "ExternalDocumentation": "Description:s URL=url:s",
    "ValidationRule": "Rule:s Message:s MessageExpression:s Reason:* FieldPath:s OptionalOldSelf:*",
    "JSONSchemaProps": "ID=id:s Schema=$schema:s Ref=$ref:* Description:s Type:s Nullable:b Format:s Title:s Default:* "
    "Maximum:* ExclusiveMaximum:b Minimum:* ExclusiveMinimum:b MaxLength:* MinLength:* Pattern:s MaxItems:* MinItems:* "
    "UniqueItems:b MultipleOf:* Enum:[] MaxProperties:* MinProperties:* Required:[] Items:*SchemaOrArray "
    "AllOf:[]JSONSchemaProps OneOf:[]JSONSchemaProps AnyOf:[]JSONSchemaProps Not:*JSONSchemaProps "
    "Properties:{}JSONSchemaProps AdditionalProperties:*SchemaOrBool PatternProperties:{}JSONSchemaProps "
    "Dependencies:* AdditionalItems:*SchemaOrBool Definitions:{}JSONSchemaProps ExternalDocs:*ExternalDocumentation "
    "Example:* XPreserveUnknownFields=x-kubernetes-preserve-unknown-fields:* "
    "XEmbeddedResource=x-kubernetes-embedded-resource:b XIntOrString=x-kubernetes-int-or-string:b "
    "XListMapKeys=x-kubernetes-list-map-keys:[] XListType=x-kubernetes-list-type:* XMapType=x-kubernetes-map-type:* "
    "XValidations=x-kubernetes-validations:[]ValidationRule",
}
_ZEROS: Mapping[str, Any] = {"s": "", "i": 0, "b": False}


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
    special = _SPECIAL.get(name)
    return special(value) if special is not None else {f.go: _field(value.get(f.json), f.type) for f in _fields(name)}


def _field(value: Any, kind: str) -> Any:
    if kind in _ZEROS:
        return _ZEROS[kind] if value is None else value
    if value is None or kind in {"*", "[]"}:
        return value if value or kind == "*" else None
    if kind.startswith("[]"):
        return [internal(item or {}, kind[2:]) for item in value] or None
    if kind.startswith("{}"):
        return {key: internal(value[key] or {}, kind[2:]) for key in sorted(value)} or None
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


def _schema_or_array(value: Any) -> Value:
    several = value if isinstance(value, list) else None
    return {
        "Schema": None if several is not None else internal(value, "JSONSchemaProps"),
        "JSONSchemas": several and [internal(item or {}, "JSONSchemaProps") for item in several],
    }


def _schema_or_bool(value: Any) -> Value:
    if isinstance(value, bool):
        return {"Allows": value, "Schema": None}
    return {"Allows": True, "Schema": internal(value, "JSONSchemaProps")}


_SPECIAL: Mapping[str, Callable[[Any], Value]] = {
    "LabelSelector": label_selector,
    "SchemaOrArray": _schema_or_array,
    "SchemaOrBool": _schema_or_bool,
}
