"""Files in volumes: keys as files, the downward API, and projected volumes that put several sources together.

Follows pkg/apis/core/validation/validation.go (validateProjectionSources and around) and names.go (signer names).
"""

from __future__ import annotations

from kplan.api.validation import metadata, names
from kplan.api.validation.env import VOLUME_FIELDS, object_field, resource_field
from kplan.api.validation.field import Errors, go_quote
from kplan.api.validation.internal import internal
from kplan.api.validation.paths import local_non_reserved
from kplan.api.validation.podoptions import PodOptions, Value

FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_DUPLICATE_PATH = "conflicting duplicate paths"
_TEN_MINUTES, _TWO_TO_32 = 600, 1 << 32
_SIGNER_FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")
_HOUR, _DAY, _QUARTER = 3600, 24 * 3600, 91 * 24 * 3600


def file_mode(errors: Errors, field: str, mode: int | None) -> None:
    """The permission bits of a file; None is unset and fine."""
    if mode is not None and not 0 <= mode <= 0o777:
        errors.invalid(field, mode, FILE_MODE)


def key_to_path(errors: Errors, field: str, item: Value) -> None:
    """A key of a ConfigMap or Secret as a file."""
    path = item.get("path") or ""
    if not item.get("key"):
        errors.required(f"{field}.key")
    if not path:
        errors.required(f"{field}.path")
    local_non_reserved(errors, f"{field}.path", path)
    file_mode(errors, f"{field}.mode", item.get("mode"))


def downward_file(errors: Errors, field: str, item: Value) -> None:
    """A field or an amount of the pod as a file. The server names the list where it means the item."""
    path, reference, resource = item.get("path") or "", item.get("fieldRef"), item.get("resourceFieldRef")
    if not path:
        errors.required(f"{field}.path")
    local_non_reserved(errors, f"{field}.path", path)
    if reference is not None:
        object_field(errors, f"{field}.fieldRef", reference, VOLUME_FIELDS)
        if resource is not None:
            errors.invalid(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif resource is not None:
        resource_field(errors, f"{field}.resourceFieldRef", resource, needs_container=True)
    else:
        errors.required(field, "one of fieldRef and resourceFieldRef is required")
    file_mode(errors, f"{field}.mode", item.get("mode"))


def projected(errors: Errors, field: str, source: Value, options: PodOptions) -> None:
    """A volume of several sources, no two of which may write the same file."""
    file_mode(errors, f"{field}.defaultMode", source.get("defaultMode"))
    paths: set[str] = set()
    for i, projection in enumerate(source.get("sources") or ()):
        where = f"{field}.sources[{i}]"
        count = 0
        for kind, check in _PROJECTIONS.items():
            part = projection.get(kind)
            if part is not None:
                count += 1
                for path, shown in check(errors, field, f"{where}.{kind}", part, options):
                    if path in paths:
                        errors.invalid(field, shown, _DUPLICATE_PATH)
                    paths.add(path)
        if count > 1:
            errors.forbidden(where, "may not specify more than 1 volume type per source")


Files = list[tuple[str, str]]  # the path of every file, and what the message about a second one shows


def _keys(errors: Errors, _volume: str, field: str, source: Value, _options: PodOptions) -> Files:
    name = source.get("name") or ""
    if not name:
        errors.required(f"{field}.name")
    items = source.get("items") or []
    for i, item in enumerate(items):
        key_to_path(errors, f"{field}.items[{i}]", item)
    return [(item["path"], name) for item in items if item.get("path")]


def _downward(errors: Errors, _volume: str, field: str, source: Value, _options: PodOptions) -> Files:
    items = source.get("items") or []
    for item in items:
        downward_file(errors, field, item)
    return [(item["path"], item["path"]) for item in items if item.get("path")]


def _token(errors: Errors, volume: str, field: str, source: Value, options: PodOptions) -> Files:
    seconds, path = source.get("expirationSeconds") or 0, source.get("path") or ""
    if seconds < _TEN_MINUTES:
        errors.invalid(f"{field}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > _TWO_TO_32:
        errors.invalid(f"{field}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if not path:
        errors.required(f"{volume}.path")
    elif not options.kept(_has_outside_token):
        local_non_reserved(errors, f"{volume}.path", path)
    return []


def _has_outside_token(spec: Value) -> bool:
    errors = Errors()
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            token = source.get("serviceAccountToken")
            if token is not None:
                local_non_reserved(errors, "", token.get("path") or "")
    return bool(errors)


def _trust_bundle(errors: Errors, _volume: str, field: str, source: Value, _options: PodOptions) -> Files:
    name, signer, path = source.get("name"), source.get("signerName"), source.get("path") or ""
    selector = source.get("labelSelector")
    if name is not None and signer is not None:
        shown = internal(source, "ClusterTrustBundleProjection")
        errors.invalid(field, shown, "only one of name and signerName may be used")
    elif name is not None:
        if not name:
            errors.required(f"{field}.name", "must be a valid object name")
        for m in trust_bundle_name(name, name.rpartition(":")[0].replace(":", "/") if ":" in name else ""):
            errors.invalid(f"{field}.name", name, f"not a valid clustertrustbundlename: {m}")
        if selector is not None:
            shown = internal(selector, "LabelSelector")
            errors.invalid(f"{field}.labelSelector", shown, "labelSelector must be unset if name is specified")
    elif signer is not None:
        if not signer:
            errors.required(f"{field}.signerName", "must be a valid signer name")
        signer_name(errors, f"{field}.signerName", signer)
        metadata.label_selector(selector, errors, f"{field}.labelSelector")
    else:
        errors.required(field, "either name or signerName must be specified")
    if not path:
        errors.required(f"{field}.path")
    local_non_reserved(errors, f"{field}.path", path)
    return [(path, path)]


def trust_bundle_name(name: str, signer: str) -> names.Messages:
    """The rule for the name of a ClusterTrustBundle of a signer, "" for one without."""
    if not signer:
        if ":" in name:
            return ('ClusterTrustBundle without signer name must not have ":" in its name',)
        return names.dns1123_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return (f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}",)
    return names.dns1123_subdomain(name.removeprefix(prefix))


def signer_name(errors: Errors, field: str, name: str) -> None:
    """A signer of certificates: a domain of two labels or more, a slash, and a path of subdomains."""
    if not name:
        errors.required(field)
        return
    segments = name.split("/")
    if len(segments) != 2:
        errors.invalid(field, name, _SIGNER_FORM)
        return
    domain, path = segments
    if names.size(domain) > names.SUBDOMAIN_LENGTH:
        errors.too_long(field, names.SUBDOMAIN_LENGTH)
    _labels(errors, field, domain, names.dns1123_label)
    if "." not in domain:
        errors.invalid(field, domain, "should be a domain with at least two segments separated by dots")
    _labels(errors, field, path, names.dns1123_subdomain)
    longest = 2 * names.SUBDOMAIN_LENGTH + names.LABEL_LENGTH + 2
    if names.size(name) > longest:
        errors.too_long(field, longest)


def _labels(errors: Errors, field: str, text: str, check: names.Check) -> None:
    """Report the first wrong one of the parts between dots."""
    for label in text.split("."):
        wrong = check(label)
        for m in wrong:
            errors.invalid(field, text, f"validating label {go_quote(label)}: {m}")
        if wrong:
            return


def _certificate(errors: Errors, _volume: str, field: str, source: Value, _options: PodOptions) -> Files:
    signer = source.get("signerName") or ""
    signer_name(errors, f"{field}.signerName", signer)
    _user_annotations(errors, f"{field}.userAnnotations", source.get("userAnnotations") or {})
    errors.one_of(f"{field}.keyType", source.get("keyType") or "", _KEY_TYPES)
    seconds, field_seconds = source.get("maxExpirationSeconds"), f"{field}.maxExpirationSeconds"
    if seconds is not None:
        host = signer.partition("/")[0]
        longest = _DAY if host == "kubernetes.io" or host.endswith(".kubernetes.io") else _QUARTER
        if seconds < _HOUR:
            errors.invalid(field_seconds, seconds, f"if provided, maxExpirationSeconds must be >= {_HOUR}")
        if seconds > longest:
            errors.invalid(field_seconds, seconds, f"if provided, maxExpirationSeconds must be <= {longest}")
    given = [(name, source[name]) for name in _CERTIFICATE_PATHS if source.get(name)]
    for name, path in given:
        local_non_reserved(errors, f"{field}.{name}", path)
    if not given:
        errors.required(field, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath")
    return [(path, path) for _, path in given]


def _user_annotations(errors: Errors, field: str, annotations: dict[str, str]) -> None:
    for key in sorted(k.lower() for k in annotations):
        wrong = names.qualified_name(key)
        if not key:
            errors.required(field)
        elif wrong:
            names.invalid(errors, field, key, wrong)
        elif "/" not in key:
            errors.invalid(field, key, 'must be a domain-prefixed key (such as "acme.io/foo")')
    if metadata.annotations_size(annotations) > metadata.ANNOTATIONS_SIZE:
        errors.too_long(field, metadata.ANNOTATIONS_SIZE)


_PROJECTIONS = {
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _certificate,
}
