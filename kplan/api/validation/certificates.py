"""CertificateSigningRequests. Follows pkg/apis/certificates/validation/validation.go."""

from __future__ import annotations

import base64
import binascii
import re

from kplan.api.validation import Context, metadata
from kplan.api.validation.field import Errors
from kplan.api.validation.projections import signer_name
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "certificates.k8s.io"
MIN_SECONDS = 600
PEM_TYPE = "PEM block type must be CERTIFICATE REQUEST"
USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)


def _create(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec: Value = obj.get("spec") or {}
    problem = request_problem(spec.get("request") or "")
    if problem:
        errors.invalid("spec.request", spec.get("request"), problem)
    _usages(spec.get("usages") or [], errors)
    signer = spec.get("signerName") or ""
    if signer == "kubernetes.io/legacy-unknown":
        errors.invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version")
    else:
        signer_name(errors, "spec.signerName", signer)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < MIN_SECONDS:
        errors.invalid(
            "spec.expirationSeconds",
            seconds,
            f"may not specify a duration less than {MIN_SECONDS} seconds (10 minutes)",
        )


def request_problem(encoded: str) -> str:
    """Why base64 text is no PEM certificate request; "" if it looks like one. The request itself is not parsed."""
    try:
        raw = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        raw = b""
    found = _PEM.search(raw)
    return "" if found is not None and found[1] == b"CERTIFICATE REQUEST" else PEM_TYPE


def _usages(usages: list[str], errors: Errors) -> None:
    if not usages:
        errors.required("spec.usages")
    seen: set[str] = set()
    for i, usage in enumerate(usages):
        if usage not in USAGES:
            errors.not_supported(f"spec.usages[{i}]", usage or "", USAGES)
        if usage in seen:
            errors.duplicate(f"spec.usages[{i}]", usage)
        seen.add(usage)


def _update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    """The spec of a stored request is never changed: the server puts the old one back."""
    metadata.update(new, old, errors)


CREATE = {(GROUP, "CertificateSigningRequest"): _create}
UPDATE = {(GROUP, "CertificateSigningRequest"): _update}
