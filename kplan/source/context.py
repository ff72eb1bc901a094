"""What the files around a file say about it: a chart whose template it is, a kustomization whose patch it is."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.source.entry import Entry, ReadOther
from kplan.source.kinds import CHART_TEMPLATE, KUSTOMIZATION_FILES
from kplan.yamlio import load_value

# The fields of a kustomization (sigs.k8s.io/kustomize api/types) that name files which are no manifests by themselves.
_FIELDS = {
    "patches": "kustomize patch",
    "patchesStrategicMerge": "kustomize patch",
    "patchesJson6902": "kustomize patch",
    "replacements": "kustomize configuration",
    "configurations": "kustomize configuration",
    "transformers": "kustomize transformer",
    "generators": "kustomize generator",
}


TEMPLATES = "templates"


class Surroundings:
    """Answers for many files, each folder looked at once."""

    def __init__(self) -> None:
        self._charts: dict[str, bool] = {}
        self._named: dict[str, dict[str, str]] = {}
        self._roles: dict[str, dict[str, str]] = {}

    def why_left_out(self, entry: Entry, data: bytes) -> str:
        """Why a file with this content is no manifest whatever it holds; "" if it may be one."""
        path = entry.path
        if TEMPLATES in path and b"{{" in data and self.in_chart_templates(entry):
            return CHART_TEMPLATE
        roles = self._roles.get(path[: path.rfind("/") + 1])
        if roles is None:
            roles = self._roles[path[: path.rfind("/") + 1]] = self._roles_in(posixpath.dirname(path), entry.other)
        return roles.get(posixpath.normpath(path), "") if roles else ""

    def in_chart_templates(self, entry: Entry) -> bool:
        """Whether the file is below `templates/` of a Helm chart."""
        folder = posixpath.dirname(entry.path)
        while folder and folder not in ("/", "."):
            parent, name = posixpath.split(folder)
            if name == TEMPLATES and self._has_chart(parent, entry.other):
                return True
            folder = parent
        return False

    def _roles_in(self, folder: str, other: ReadOther) -> dict[str, str]:
        """What a kustomization in a folder, or in the one above, says files are."""
        own, above = (posixpath.normpath(one or ".") for one in (folder, posixpath.join(folder, "..")))
        first, second = (self._files_named_in(one, other) for one in (own, above))
        return {**second, **first}

    def _has_chart(self, folder: str, other: ReadOther) -> bool:
        if folder not in self._charts:
            self._charts[folder] = other(posixpath.join(folder, "Chart.yaml")) is not None
        return self._charts[folder]

    def _files_named_in(self, folder: str, other: ReadOther) -> dict[str, str]:
        if folder not in self._named:
            found = (other(posixpath.join(folder, name) if folder != "." else name) for name in KUSTOMIZATION_FILES)
            data = next((d for d in found if d is not None), None)
            self._named[folder] = {} if data is None else dict(_named_files(folder, data))
        return self._named[folder]


def _named_files(folder: str, data: bytes) -> Iterator[tuple[str, str]]:
    try:
        value = load_value(data.decode("utf-8", "replace"), "")
    except KplanError:  # told when the kustomization itself is read
        return
    for field, role in _FIELDS.items():
        listed = value.get(field) if isinstance(value, dict) else None
        for one in listed if isinstance(listed, list) else ():
            path: Any = one.get("path") if isinstance(one, dict) else one
            if isinstance(path, str) and "\n" not in path:
                yield posixpath.normpath(posixpath.join(folder, path)), role
