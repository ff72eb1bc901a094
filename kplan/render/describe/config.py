"""Configuration and identity: ConfigMaps, Secrets, ServiceAccounts, access rules.

Layout of k8s.io/kubectl/pkg/describe. The values of a Secret are not shown, only how long they are.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from kplan.render.describe import events
from kplan.render.describe.context import Context, Value, name_of, namespace_of
from kplan.render.describe.lines import Lines, go_list, head
from kplan.render.fields import mapping, plain, text, texts
from kplan.workloads import dicts, get

_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type


def config_map(out: Lines, obj: Value, context: Context) -> None:
    """A ConfigMap, with its texts as they are."""
    head(out, obj, "name", "namespace", "labels", "annotations")
    _title(out, "Data")
    data, binary = mapping(obj, "data"), mapping(obj, "binaryData")
    for key in sorted(data):
        out.block(f"{key}:\n----\n{plain(data[key])}\n")
    _title(out, "BinaryData")
    for key in sorted(binary):
        out.add(0, f"{key}: {_length(plain(binary[key]))} bytes")
    out.add(0)
    events.write(out, obj, context)


def _title(out: Lines, name: str) -> None:
    out.block(f"\n{name}\n====")


def _length(encoded: str) -> int:
    """How many bytes a text of base64 stands for."""
    try:
        return len(base64.b64decode(encoded))
    except ValueError:
        return len(encoded)


def secret(out: Lines, obj: Value, context: Context) -> None:
    """A Secret: the lengths of its values."""
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0)
    out.add(0, "Type:", text(obj, "type"))
    _title(out, "Data")
    for key in sorted(mapping(obj, "data")):
        size = context.sizes.get(key)
        out.add(0, f"{key}:", f"{'?' if size is None else size} bytes")


def service_account(out: Lines, obj: Value, context: Context) -> None:
    """A ServiceAccount."""
    head(out, obj, "name", "namespace", "labels", "annotations")
    secrets = context.find("Secret", namespace_of(obj))
    there = {name_of(s) for s in secrets}
    tokens = [name_of(s) for s in secrets if _is_token(s, obj)]
    pulls = [text(s, "name") for s in dicts(obj, "imagePullSecrets")]
    mountable = [text(s, "name") for s in dicts(obj, "secrets")]
    for title, names in (("Image pull secrets:", pulls), ("Mountable secrets:", mountable), ("Tokens:", tokens)):
        out.several(0, title, (n if n in there else f"{n} (not found)" for n in names))
    events.write(out, obj, context)


def _is_token(obj: Value, account: Value) -> bool:
    name = get(obj, "metadata", "annotations", "kubernetes.io/service-account.name")
    return text(obj, "type") == _TOKEN and plain(name) == name_of(account)


def role(out: Lines, obj: Value, _: Context) -> None:
    """A Role or ClusterRole: its rules one resource a line, those with the same verbs together."""
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "PolicyRule:")
    out.add(1, "Resources", "Non-Resource URLs", "Resource Names", "Verbs")
    out.add(1, "---------", "-----------------", "--------------", "-----")
    for rule in sorted(_compact(dicts(obj, "rules")), key=_as_text):
        groups, resources = rule["apiGroups"], rule["resources"]
        group = "" if not groups or groups[0] == "" else f".{groups[0]}"
        name = f"{resources[0]}{group}" if resources else ""
        if "/" in name and group:
            plural, _slash, subresource = resources[0].partition("/")
            name = f"{plural}{group}/{subresource}"
        out.add(1, name, *(go_list(rule[k]) for k in ("nonResourceURLs", "resourceNames", "verbs")))


def _compact(rules: Iterable[Value]) -> list[dict[str, list[str]]]:
    """The rules taken apart by group, resource and name, then the verbs of each put together."""
    found: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for rule in rules:
        for key, parts in _parts(rule):
            verbs = found.setdefault(key, {**parts, "verbs": []})["verbs"]
            verbs += texts(rule, "verbs")
    return list(found.values())


def _parts(rule: Value) -> Iterator[tuple[tuple[str, ...], dict[str, list[str]]]]:
    for group in texts(rule, "apiGroups"):
        for resource in texts(rule, "resources"):
            for name in texts(rule, "resourceNames") or [""]:
                parts = {"apiGroups": [group], "resources": [resource], "resourceNames": [name] if name else []}
                yield ("resource", group, resource, name), {**parts, "nonResourceURLs": []}
    for url in texts(rule, "nonResourceURLs"):
        yield ("url", url), {"apiGroups": [], "resources": [], "resourceNames": [], "nonResourceURLs": [url]}


def _as_text(rule: dict[str, list[str]]) -> tuple[str, ...]:
    return tuple(go_list(rule[k]) for k in ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"))


def binding(out: Lines, obj: Value, _: Context) -> None:
    """A RoleBinding or ClusterRoleBinding."""
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "Role:")
    out.add(1, "Kind:", text(obj, "roleRef", "kind"))
    out.add(1, "Name:", text(obj, "roleRef", "name"))
    out.add(0, "Subjects:")
    out.add(1, "Kind", "Name", "Namespace")
    out.add(1, "----", "----", "---------")
    for subject in dicts(obj, "subjects"):
        out.add(1, *(text(subject, k) for k in ("kind", "name", "namespace")))
