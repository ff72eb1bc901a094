"""What the API server does with one new object, stage after stage.

Follows k8s.io/apiserver/pkg/endpoints/handlers/create.go and pkg/registry/rest/create.go: read, decode with defaults,
mutating admission, prepare for create, validation, warnings, validating admission, stored form.
"""

from __future__ import annotations

from functools import cache, lru_cache

from kplan import release as releases
from kplan.api import admission, strategy
from kplan.api.decode import Mismatch, Mode, converter
from kplan.api.defaults import decoded
from kplan.api.defaults.rules import finisher
from kplan.api.encode import finish
from kplan.api.owners import without_repeated_owners
from kplan.api.request import Refused, Request, Server, invalid, require
from kplan.api.validation import Context, validate
from kplan.api.validation.field import go_json
from kplan.api.warnings import warn
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Admission, Cause, split_api_version
from kplan.record import replace
from kplan.schema import Catalog, KindInfo, catalog
from kplan.schema.definitions import read as facts

if TYPE_CHECKING:
    from kplan.api.decode_errors import Verdict
    from kplan.cluster import Cluster
    from kplan.store import Store

Value = dict[str, Any]

TOO_DEEP = "json: exceeded max depth"
RATCHETING_SINCE = 30  # CRDValidationRatcheting is on


def admit(doc: Value | str, *, cluster: Cluster | None = None, version: str = releases.DEFAULT) -> Admission:
    """What the server answers to the creation of `doc`: an object, or the text of one YAML or JSON document.

    With a cluster, what the object refers to must exist there, and the cluster's release counts; without one the world
    is open. Whether an object of that name exists already is not asked, and nothing is stored. Raises KplanError for
    a release that kplan does not know.
    """
    if cluster is not None:
        return create(doc, cluster.server())
    return create(doc, _server(version))


@lru_cache(maxsize=64)
def _server(version: str) -> Server:
    """A server in an open world; raises KplanError for a release that kplan does not know."""
    return Server(releases.parse(version))


def create(doc: Value | str, server: Server) -> Admission:
    """`admit` by a server."""
    given: Value | None = None
    info: KindInfo | None = None
    warnings: list[str] = []
    try:
        given, sent, repeated = read(doc)
        info = kind_of(sent, server)
        if info is None:
            from kplan.api.stored import without_kind

            new = without_kind(sent, server.release)
        else:
            new = created(decode(sent, info, server, repeated, warnings), info, server, warnings)
            finish(new, info)
    except Refused as refusal:
        no = shown_as_sent(refusal, given, info)
        return Admission(False, no.status, no.message, no.causes, (), given)
    except RecursionError:
        return Admission(False, 400, TOO_DEEP, (), (), given)
    return Admission(True, 201, "", (), tuple(warnings), given, new)


def shown_as_sent(no: Refused, given: Value | None, info: KindInfo | None) -> Refused:
    """The refusal of an object, which shows as empty and not as null what was sent empty."""
    if info is None or not any(": null: " in cause.message for cause in no.causes):
        return no
    from kplan.api.shownempty import with_empty

    return with_empty(no, given, info.node)


def verdict(new: Value, info: KindInfo, server: Server) -> Admission:
    """What a server answers to the creation of a decoded object, but for the form in which it is stored; the object is
    changed in place."""
    warnings: list[str] = []
    try:
        created(new, info, server, warnings)
    except Refused as no:
        return Admission(False, no.status, no.message, no.causes)
    except RecursionError:
        return Admission(False, 400, TOO_DEEP)
    return Admission(True, 201, "", (), tuple(warnings))


def read(doc: Value | str) -> tuple[Value, Value, list[str]]:
    """The object as kubectl reads it, as the server gets it, and the errors of repeated keys; raises Refused."""
    if isinstance(doc, dict):
        return doc, doc, []
    from kplan.api.sent import as_sent, repeated_keys
    from kplan.yamlio import read_one

    one = read_one(doc)
    if one.value is None:
        raise Refused(400, one.message)
    return one.value, as_sent(one.value, doc), repeated_keys(one.duplicates, doc)


def created(new: Value, info: KindInfo, server: Server, warnings: list[str]) -> Value:
    """A decoded object as it is stored when it is new; it is changed in place, `warnings` grows. Raises Refused."""
    require("create", info.verbs)
    request = request_for(new, info, server)
    without_repeated_owners(new, warnings)
    new = admission.mutate(new, request)
    new = strategy.prepare_for_create(new, info, request)
    if new["metadata"].get("name", "") != request.name:  # drawn from generateName, between the two rounds of admission
        request = replace(request, name=new["metadata"]["name"])
    check(new, request, warnings)
    return new


def check(new: Value, request: Request, warnings: list[str]) -> None:
    """Validation, warnings and validating admission of an object that is ready to be stored. Raises Refused."""
    found = causes(new, request)
    if found and request.old is not None and new["metadata"].get("name") == request.old["metadata"].get("name"):
        found = _apart_from_name(found, new, request.old, request)
    if found:
        raise invalid(request.group, new, found)
    admission.validate(new, request)
    warnings += warn(new, request)


def _apart_from_name(found: list[Cause], new: Value, old: Value, request: Request) -> list[Cause]:
    """The causes but for what is wrong with the name of the stored object, too: that was judged when it was made.

    Pods of a simulation have one that is no name, `web-<1>`, and those of a run of a CronJob also labels with one.
    """
    from kplan.api.placeholders import closed

    judged, opened = closed(new)
    before = closed(old)[0]
    if judged is not new:
        found = [Cause(*map(opened, c)) for c in causes(judged, replace(request, old=before))]
    if all(c.field != "metadata.name" for c in found):
        return found
    stood = {Cause(*map(opened, c)) for c in causes(before, replace(request, old=before))}
    return [c for c in found if c.field != "metadata.name" or c not in stood]


def causes(new: Value, request: Request) -> list[Cause]:
    """What the registry of the kind has against an object that is ready to be stored."""
    info = _catalog(request.release, request.store).kind(new["apiVersion"], new["kind"])
    if info is None or not info.custom:
        return validate(new, group=request.group, context=Context(request.minor, request.store), old=request.old)
    from kplan.api.validation import customresources as values

    return values.validate(new, info.node, request.old, ratchets=request.minor >= RATCHETING_SINCE)


def request_for(new: Value, info: KindInfo, server: Server, old: Value | None = None) -> Request:
    """The request to store a decoded object, which gets the server's namespace if it names none, in place."""
    meta = new["metadata"]
    if not info.namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = server.namespace
    name = meta.get("name") or meta.get("generateName", "")
    where = meta.get("namespace", "")
    kind = (info.group, info.version, info.kind, info.plural)
    return Request(*kind, where, name, server.release, server.minor, server.store, old, server.open_world)


def kind_of(value: Value, server: Server) -> KindInfo | None:
    """The kind of an object; None for a custom resource whose definition is not known. Raises Refused."""
    api_version, kind = value.get("apiVersion"), value.get("kind")
    for name, found in (("kind", kind), ("apiVersion", api_version)):
        if found is not None and not isinstance(found, str):
            raise Refused(400, f"couldn't get version/kind; json parse error: {_not_text(name, found)}")
    if not kind or not api_version:
        missing = "Kind" if not kind else "apiVersion"
        shown = {k: v for k, v in (("apiVersion", api_version), ("kind", kind)) if v}
        raise Refused(400, f"Object '{missing}' is missing in '{go_json(shown)}'")
    kinds = _catalog(server.release, server.store)
    info = kinds.kind(api_version, kind)
    if info is not None and info.served:
        return info
    if split_api_version(api_version)[0] in _builtin_groups():
        raise Refused(404, kinds.no_match(api_version, kind))
    return None


def _catalog(release: str, store: Store | None) -> Catalog:
    """The kinds of a release, with those that the objects of a cluster define."""
    if store is None:
        return catalog(release)
    from kplan.api import customresources

    return customresources.catalog_of(release, store)


def _not_text(name: str, value: object) -> str:
    words = {bool: "bool", dict: "object", list: "array"}
    return f"json: cannot unmarshal {words.get(type(value), 'number')} into Go struct field .{name} of type string"


@cache
def _builtin_groups() -> frozenset[str]:
    return frozenset(split_api_version(a)[0] for table in ("kubernetes/index", "facts/lifecycle") for a in facts(table))


def decode(value: Value, info: KindInfo, server: Server, repeated: list[str], warnings: list[str]) -> Value:
    """The object decoded strictly and defaulted; raises the server's 400."""
    if info.custom:
        from kplan.api import customresources

        new, verdict = customresources.read(value, info)
        if not verdict.error and not verdict.unknown and not repeated:
            return new
        raise _bad_request(info, verdict, repeated)
    try:
        new = decoded(value, info, server.minor)
    except Mismatch:
        new = _decode_newer(value, info, server.minor, repeated, warnings)
    if repeated:
        raise _bad_request(info, None, repeated)
    return new


def _decode_newer(value: Value, info: KindInfo, minor: int, repeated: list[str], warnings: list[str]) -> Value:
    """An object that may have fields of a newer release than the server's; raises the 400 if it is wrong otherwise.

    An older release is a current server in compatibility mode (KEP-4330): it knows newer fields, drops them from new
    objects and says so.
    """
    from kplan.api.decode_errors import explain  # for what is refused

    own = explain(info.node, value)
    current = catalog().kind(info.api_version, info.kind) if minor < releases.minor(releases.DEFAULT) else None
    verdict = explain(current.node, value) if current is not None and not own.error else own
    if verdict.error or verdict.unknown or repeated:
        raise _bad_request(info, verdict, repeated)
    warnings += [f'unknown field "{path}"' for path in own.unknown]
    new: Value = converter(info.node, Mode("drop", finisher(minor)))(value)
    return new


def _bad_request(info: KindInfo, verdict: Verdict | None, repeated: list[str]) -> Refused:
    unknown = [f'unknown field "{path}"' for path in verdict.unknown] if verdict else []
    error = verdict.error if verdict else ""
    error = error or "strict decoding error: " + ", ".join(repeated + unknown)
    return Refused(400, f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}: {error}')
