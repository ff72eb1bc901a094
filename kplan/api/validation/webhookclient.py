"""How the API server reaches a webhook: a URL or a Service, and the review versions it speaks.

Follows k8s.io/apiserver/pkg/util/webhook/validation.go, which admission webhooks and conversion webhooks share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kplan.api.validation import names
from kplan.api.validation.field import Errors, go_quote
from kplan.hints import Any

Value = dict[str, Any]

REVIEW_VERSIONS = ("v1", "v1beta1")
_FORM = "; desired format: https://host[/path]"
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][-+.A-Za-z0-9]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


def client_config(config: Value, errors: Errors, at: str) -> None:
    """Exactly one of url and service, and that one well-formed."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        errors.required(at, "exactly one of url or service is required")
    elif url is not None:
        _url(url, errors, f"{at}.url")
    else:
        _service(service or {}, errors, f"{at}.service")


def _url(url: str, errors: Errors, at: str) -> None:
    fault = _unreadable(url)
    if fault:
        errors.required(at, f"url must be a valid URL: parse {go_quote(url)}: {fault}{_FORM}")
        return
    m = _URL.fullmatch(url)
    assert m is not None  # every part is optional
    scheme = (m["scheme"] or "").lower()
    user, _, host = (m["authority"] or "").rpartition("@")
    if scheme != "https":
        errors.invalid(at, scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not host:
        errors.invalid(at, host, f"host must be specified{_FORM}")
    if user:
        errors.invalid(at, user, "user information is not permitted in the URL")
    if m["fragment"]:
        errors.invalid(at, m["fragment"], "fragments are not permitted in the URL")
    if m["query"]:
        errors.invalid(at, m["query"], "query parameters are not permitted in the URL")


def _unreadable(url: str) -> str:
    """Why Go's url.Parse does not take a text; "" if it does."""
    if any(c < " " or c == "\x7f" for c in url):
        return "net/url: invalid control character in URL"
    before_query = url.partition("#")[0].partition("?")[0]
    if url.startswith(":"):
        return "missing protocol scheme"
    first = before_query.partition("/")[0]
    if ":" in first and not re.match(r"[A-Za-z][-+.A-Za-z0-9]*:", first):
        return "first path segment in URL cannot contain colon"
    bad = _BAD_ESCAPE.search(before_query)
    if bad is not None:
        return f"invalid URL escape {go_quote(bad[0])}"
    m = _URL.fullmatch(url)
    host = (m["authority"] or "").rpartition("@")[2] if m else ""
    if " " in host:
        return 'invalid character " " in host name'
    port = re.fullmatch(r"(?:\[[^\]]*\]|[^:]*)(?::(.*))?", host)
    if port is None or (port[1] and not port[1].isdecimal()):
        return f"invalid port {go_quote(':' + host.rpartition(':')[2])} after host"
    return ""


def _service(service: Value, errors: Errors, at: str) -> None:
    # The server passes the two the wrong way round, and so reports one for the other.
    for part, blamed in (("namespace", "name"), ("name", "namespace")):
        if not service.get(part):
            errors.required(f"{at}.{blamed}")
    port = service.get("port")
    wrong = names.port_number(port if port is not None else 443)
    if wrong:
        errors.invalid(f"{at}.port", port, f"port is not valid: {','.join(wrong)}")
    path = service.get("path")
    if path and path != "/":
        _service_path(path, errors, f"{at}.path")


def _service_path(path: str, errors: Errors, at: str) -> None:
    if path == "//":
        errors.invalid(at, path, "segment[0] may not be empty")
        return
    if not path.startswith("/"):
        errors.invalid(at, path, "must start with a '/'")
    for i, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            errors.invalid(at, path, f"segment[{i}] may not be empty")
        else:
            names.invalid(errors, at, path, tuple(f"segment[{i}]: {m}" for m in names.dns1123_subdomain(step)))


def review_versions(versions: Sequence[str | None], errors: Errors, at: str, *, needed: str) -> None:
    """The versions of the review that a webhook understands; `needed` is said when there are none."""
    if not versions:
        errors.required(at, needed)
        return
    seen: set[str] = set()
    for i, version in enumerate(v or "" for v in versions):
        if version in seen:
            errors.invalid(f"{at}[{i}]", version, "duplicate version")
        else:
            names.invalid(errors, f"{at}[{i}]", version, names.dns1035_label(version))
        seen.add(version)
    if seen.isdisjoint(REVIEW_VERSIONS):
        errors.invalid(at, [v or "" for v in versions], f"must include at least one of {', '.join(REVIEW_VERSIONS)}")
