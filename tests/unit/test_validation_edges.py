"""Odd objects that no recording holds: calls that the server has no answer for, names that cannot exist, and values at
the edge of what the public documentation of a field allows."""

from __future__ import annotations

import copy

import pytest

import kplan

NO_METHOD = "the server does not allow this method on the requested resource"


def refusals(text: str, version: str = "1.36") -> list[str]:
    """What the server has against a document, as `field: sentence`; its message if it names no causes."""
    answer = kplan.admit(text, version=version)
    if answer.accepted:
        return []
    return [f"{c.field}: {c.message}" for c in answer.causes] or [f"{answer.status} {answer.message}"]


BINDING = "apiVersion: v1\nkind: Binding\nmetadata: {name: a}\n"
STATUS = "apiVersion: v1\nkind: ComponentStatus\nmetadata: {name: etcd-0}\n"
ACCESS = """
apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
metadata: {name: a}
spec: {user: jane, resourceAttributes: {verb: get}}
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("target: {name: node-1}", []),
        ("target: {kind: Node, name: node-1}", []),
        ("target: {kind: Node}", ["target.name: Required value"]),
        (
            "target: {kind: Pod, name: node-1}",
            ['target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'],
        ),
    ],
)
def test_a_binding_names_a_node(target: str, expected: list[str]) -> None:
    assert refusals(BINDING + target) == expected


def test_what_the_server_only_shows_cannot_be_created() -> None:
    assert refusals(STATUS) == [f"405 {NO_METHOD}"]


@pytest.mark.parametrize(
    ("text", "modes"),
    [(STATUS, ("csa", "ssa", "replace")), (ACCESS, ("csa", "ssa")), (BINDING + "target: {name: n}", ("csa", "ssa"))],
)
def test_what_is_only_created_cannot_be_applied(text: str, modes: tuple[str, ...]) -> None:
    cluster = kplan.Cluster()
    for mode in modes:
        answer = cluster.apply([text], mode=mode, dry_run=True)[0]
        assert (answer.status, answer.message) == (405, NO_METHOD), mode


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: i}]\n  "


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("priorityClassName: Not_a_name", "no PriorityClass with name Not_a_name was found"),
        (
            "serviceAccountName: Not_a_name",
            'error looking up service account default/Not_a_name: serviceaccount "Not_a_name" not found',
        ),
        (
            "serviceAccountName: a/b",
            "error looking up service account default/a/b: invalid resource name \"a/b\": [may not contain '/']",
        ),
    ],
)
def test_what_cannot_exist_is_not_found_even_where_all_else_may(line: str, why: str) -> None:
    assert refusals(POD + line) == [f'403 pods "a" is forbidden: {why}']
    assert refusals(POD + line.split(":")[0] + ": a.b") == []


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template: {metadata: {LABELS}, spec: {containers: [{name: c, image: i}]}}
"""
NO_MATCH = "`selector` does not match template `labels`"


@pytest.mark.parametrize(
    ("labels", "shown"),
    [("labels: {}", "{}"), ("labels: null", "null"), ("name: a", "null"), ("labels: {b: c}", '{"b":"c"}')],
)
def test_what_was_sent_empty_is_not_null(labels: str, shown: str) -> None:
    refused = kplan.admit(DEPLOYMENT.replace("LABELS", labels))
    said = f"spec.template.metadata.labels: Invalid value: {shown}: {NO_MATCH}"
    assert [f"{c.field}: {c.message}" for c in refused.causes] == [said]
    assert refused.message == f'Deployment.apps "a" is invalid: {said}'


def test_an_empty_struct_is_not_what_is_shown() -> None:
    ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {}\n"
    assert refusals(ingress) == ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]


CSR = {
    "apiVersion": "certificates.k8s.io/v1",
    "kind": "CertificateSigningRequest",
    "metadata": {"name": "a"},
    "spec": {
        "request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KQQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K",
        "signerName": "example.org/ca",
        "usages": ["client auth"],
        "username": "somebody",
        "groups": ["system:masters"],
    },
}


def test_a_certificate_request_says_who_asks_and_not_whom_it_names() -> None:
    cluster = kplan.Cluster()
    stored = cluster.apply([CSR], mode="replace")[0].object
    assert stored is not None
    assert "username" not in stored["spec"]
    assert stored["spec"]["groups"] == ["system:authenticated"]
    stored["spec"]["groups"] = []
    again = cluster.apply([stored], mode="replace")[0].object
    assert again is not None
    assert again["spec"]["groups"] == ["system:authenticated"]


CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tools.example.org}
spec:
  group: example.org
  scope: Cluster
  names: {kind: Tool, plural: tools}
  versions:
  - name: v1
    served: true
    storage: false
    additionalPrinterColumns: [{name: A, type: string, jsonPath: .a}]
    schema: {openAPIV3Schema: {type: object, properties: {b: {items: {type: string}, type: array}, a: {type: string}}}}
"""
VERSION = (
    'Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,'
    '"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]'
)
OTHER = (
    '{"Name":"v2","Served":false,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":{'
    '"OpenAPIV3Schema":{"ID":"","Schema":"","Ref":null,"Description":"","Type":"object","Nullable":false,"Format":"",'
)


def test_versions_are_shown_as_the_server_holds_them() -> None:
    """What all versions have in common stands elsewhere."""
    storage = "must have exactly one version marked as storage version"
    assert f"spec.versions: {VERSION}: {storage}" in refusals(CRD)
    other = "  - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}\n"
    shown = next(r for r in refusals(CRD + other) if r.startswith("spec.versions: "))
    assert OTHER in shown
    assert '"Properties":{"a":{"ID":"",' in shown
    assert '"Items":{"Schema":{"ID":"",' in shown
    column = '{"Name":"A","Type":"string","Format":"","Description":"","Priority":0,"JSONPath":".a"}'
    assert f'"AdditionalPrinterColumns":[{column}]' in shown


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv4, endpoints: []}",
        "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: a}, spec: {drivers: [{name: d, nodeID: b}]}}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: []}",
    ],
)
def test_an_empty_list_is_the_same_as_none_once_it_is_stored(text: str) -> None:
    cluster = kplan.Cluster()
    first = cluster.apply([text])[0]
    assert first.object is not None
    emptied = copy.deepcopy(first.object)
    for holder in (emptied, *(emptied.get("spec") or {}).get("drivers", ())):
        holder.update({name: [] for name in ("endpoints", "rules", "topologyKeys") if name in holder})
    for again, mode in ((text, "csa"), (first.object, "replace"), (emptied, "replace")):
        answer = cluster.apply([again], mode=mode)[0]
        assert (answer.status, answer.object) == (200, first.object)
