"""Trust bundles and certificates in projected volumes, which a cluster takes only with features switched on."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.projections import projected, signer_name, trust_bundle_name

CERTIFICATE = {"signerName": "example.com/signer", "keyType": "ED25519", "keyPath": "key"}

BUNDLES: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "a", "path": "b"}, []),
    ({"name": "example.com:signer:a", "path": "b"}, []),
    ({"signerName": "example.com/signer", "path": "b", "labelSelector": {}}, []),
    ({"path": "b"}, ["v.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified"]),
    ({"name": "a"}, ["v.sources[0].clusterTrustBundle.path: Required value"]),
    (
        {"name": "a", "path": "/b", "labelSelector": {"matchLabels": {"c": "d"}}},
        [
            (
                'v.sources[0].clusterTrustBundle.labelSelector: Invalid value: {"matchLabels":{"c":"d"}}: '
                "labelSelector must be unset if name is specified"
            ),
            'v.sources[0].clusterTrustBundle.path: Invalid value: "/b": must be a relative path',
        ],
    ),
    (
        {"name": "a", "signerName": "b", "path": "c"},
        [
            (
                'v.sources[0].clusterTrustBundle: Invalid value: {"Name":"a","SignerName":"b","LabelSelector":null,'
                '"Optional":null,"Path":"c"}: only one of name and signerName may be used'
            )
        ],
    ),
]

CERTIFICATES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"maxExpirationSeconds": 91 * 24 * 3600}, []),
    ({"keyPath": None}, ["podCertificate"]),
    ({"keyType": "DSA"}, ["podCertificate.keyType"]),
    ({"maxExpirationSeconds": 3599}, ["podCertificate.maxExpirationSeconds"]),
    ({"maxExpirationSeconds": 91 * 24 * 3600 + 1}, ["podCertificate.maxExpirationSeconds"]),
    ({"maxExpirationSeconds": 86401, "signerName": "kubernetes.io/a"}, ["podCertificate.maxExpirationSeconds"]),
    ({"certificateChainPath": "../a"}, ["podCertificate.certificateChainPath"]),
    ({"userAnnotations": {"example.com/a": "b", "C/d": ""}}, []),
    ({"userAnnotations": {"a": "b"}}, ["podCertificate.userAnnotations"]),
    ({"signerName": None}, ["podCertificate.signerName"]),
]


def faults(**source: Any) -> list[str]:
    errors = Errors()
    projected(errors, "v", {"sources": [source]}, PodOptions(36))
    return [f"{c.field}: {c.message}" for c in errors.causes]


@pytest.mark.parametrize(("bundle", "found"), BUNDLES)
def test_trust_bundles(bundle: dict[str, Any], found: list[str]) -> None:
    assert faults(clusterTrustBundle=bundle) == found


@pytest.mark.parametrize(("change", "fields"), CERTIFICATES)
def test_certificates(change: dict[str, Any], fields: list[str]) -> None:
    found = faults(podCertificate=CERTIFICATE | change)
    assert [f.partition(":")[0].removeprefix("v.sources[0].") for f in found] == fields


def test_two_files_of_one_name() -> None:
    errors = Errors()
    files = {"clusterTrustBundle": {"name": "a", "path": "key"}}, {"podCertificate": CERTIFICATE}
    projected(errors, "v", {"sources": list(files)}, PodOptions(36))
    assert [f"{c.field}: {c.message}" for c in errors.causes] == [
        'v: Invalid value: "key": conflicting duplicate paths'
    ]


@pytest.mark.parametrize(
    ("name", "signer", "start"),
    [
        ("a", "", None),
        ("a:b", "", "ClusterTrustBundle without signer name must not have"),
        ("A", "", "a lowercase RFC 1123 subdomain"),
        ("example.com:x:a", "example.com/x", None),
        (
            "a",
            "example.com/x",
            "ClusterTrustBundle for signerName example.com/x must be named with prefix example.com:x:",
        ),
        ("example.com:x:A", "example.com/x", "a lowercase RFC 1123 subdomain"),
    ],
)
def test_names_of_trust_bundles(name: str, signer: str, start: str | None) -> None:
    found = trust_bundle_name(name, signer)
    assert len(found) == (start is not None)
    assert all(m.startswith(str(start)) for m in found)


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("example.com/a.b", []),
        ("", ["Required value"]),
        ("example.com", ["must be a fully qualified domain and path of the form 'example.com/signer-name'"]),
        ("a.b/c/d", ["must be a fully qualified domain and path of the form 'example.com/signer-name'"]),
        ("example/a", ["should be a domain with at least two segments separated by dots"]),
    ],
)
def test_signer_names(name: str, messages: list[str]) -> None:
    errors = Errors()
    signer_name(errors, "s", name)
    assert [c.message.rpartition(": ")[2] for c in errors.causes] == messages
