"""Configuration: `.kplan.yaml`, `.kplan.yml` or `[tool.kplan]`, then `KPLAN_*`, then flags; one frozen Config.

The nearest file upward counts and no other; the search ends at the folder that has `.git`. A file holds data only: it
can name neither programs nor Python code. Nothing else in kplan reads these files or variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from kplan import release, touched
from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING, Any
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

FILES = (".kplan.yaml", ".kplan.yml")
LEVELS = ("error", "warning", "info")
_PATHS = frozenset(("paths", "rule-dirs", "baseline", "state"))
# What a later source adds to, instead of taking the place of an earlier one.
_ADDED = ("exclude", "ignore", "externals", "rule-dirs", "rules")
COLORS = ("auto", "always", "never")


class Ignore(NamedTuple):
    """A suppression by configuration: every part that is set must match; texts may hold `*`."""

    rule: str
    reason: str = ""
    kind: str = "*"
    name: str = "*"
    namespace: str = "*"
    path: str = "*"


class Config(NamedTuple):
    """Every setting with its value; `origins` says where a value that is no default comes from.

    `root` is the folder that relative paths of the file count from: that of the file, else of `.git`, else the start.
    """

    kube_version: str = release.DEFAULT
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, str] = MappingProxyType({})
    rule_dirs: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    externals: tuple[str, ...] = ()
    fail_on: str = "error"
    closed_world: bool = False
    allow_empty: bool = False
    baseline: str = ""
    state: str = ""
    format: str = ""
    color: str = "auto"
    root: str = "."
    file: str = ""
    origins: Mapping[str, str] = MappingProxyType({})


class Setting(NamedTuple):
    """How a setting is spelled and checked. `read` raises ValueError with what was expected."""

    read: Callable[[Any], Any]
    help: str


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("true or false")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise ValueError("a list of texts")


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return read


def _version(value: Any) -> str:
    try:
        return release.parse(str(value))
    except KplanError as error:
        raise ValueError(f"a release such as {release.DEFAULT} ({error.message})") from error


def _severities(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("a mapping of rules to severities")
    out = {}
    for rule, level in value.items():
        level = "off" if level is False else level  # YAML 1.1 reads a bare `off` as false
        if level not in (*LEVELS, "off"):
            raise ValueError(f"one of {', '.join(LEVELS)}, off for the rule {rule}")
        out[str(rule)] = str(level)
    return MappingProxyType(out)


def _ignores(value: Any) -> tuple[Ignore, ...]:
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        raise ValueError("a list of mappings with rule, reason and what they apply to")
    return tuple(_ignore(v) for v in value)


def _ignore(value: Mapping[str, Any]) -> Ignore:
    for key, part in value.items():
        if key not in Ignore._fields or not isinstance(part, str):
            raise ValueError(f"texts under {', '.join(Ignore._fields)}, not {key!r}{_near(key, Ignore._fields)}")
    if not value.get("rule"):
        raise ValueError("a rule in each entry")
    return Ignore(**value)


SETTINGS: Mapping[str, Setting] = {
    "kube-version": Setting(_version, "Kubernetes release to judge by"),
    "paths": Setting(_texts, "files and folders to read where the command line names none"),
    "exclude": Setting(_texts, "globs of files to leave out"),
    "select": Setting(_texts, "rules to run, and no other; `default` stands for the default set"),
    "ignore": Setting(_texts, "rules not to run"),
    "rules": Setting(_severities, "severity by rule; off turns a rule off"),
    "rule-dirs": Setting(_texts, "folders with rules of your own"),
    "ignores": Setting(_ignores, "findings to suppress, by rule, kind, name, namespace and path"),
    "externals": Setting(_texts, "objects that exist elsewhere: `Secret/shop/tls`; parts may be `*`"),
    "fail-on": Setting(_one_of(*LEVELS, "never"), "least severity that fails the run"),
    "closed-world": Setting(_flag, "what is not in the input does not exist"),
    "allow-empty": Setting(_flag, "no manifests is no error"),
    "baseline": Setting(_text, "file with known findings"),
    "state": Setting(_text, "folder of the state store; `.kplan/state` where it is not set"),
    "format": Setting(_text, "output format"),
    "color": Setting(_one_of(*COLORS), "colour of text output"),
}


def load(
    start: str | os.PathLike[str],
    *,
    env: Mapping[str, str],
    flags: Mapping[str, Any],
    read_yaml: Callable[[str, str], Any],
    file: str | None = None,
    no_file: bool = False,
) -> Config:
    """The configuration of a run that starts in the folder `start`.

    `flags` hold what the command line gave, by setting name; None means not given. `file` is an explicit
    configuration file. `read_yaml(text, name)` reads one YAML document. Raises KplanError with file and key.
    """
    name = file or ("" if no_file else _find(start))
    root = os.path.relpath(os.path.dirname(name) or ".") if name else repository(start)
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if name:
        from pathlib import Path

        found = Path(name)
        layers.append((str(found), _rooted(_checked(_read(found, read_yaml), str(found)), Path(root))))
    given = {f"KPLAN_{_env_name(k)}": {k: env[f"KPLAN_{_env_name(k)}"]} for k in _in_env(env)}
    given |= {f"--{k}": {k: v} for k, v in flags.items() if v is not None and v != ()}
    layers += [(origin, _checked(layer, origin)) for origin, layer in given.items()]
    values, origins = _merged(layers)
    named = {k.replace("-", "_"): v for k, v in values.items()}
    return Config(**named, root=root, file=layers[0][0] if name else "", origins=MappingProxyType(origins))


def _merged(layers: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of all layers, the last one counts, and where they come from."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        for key, value in layer.items():
            if key in values and key in _ADDED:
                values[key] = values[key] | value if key == "rules" else values[key] + value
                origins[key] += f", {origin}"
            else:
                values[key], origins[key] = value, origin
    return values, origins


def _rooted(layer: dict[str, Any], root: Path) -> dict[str, Any]:
    """The values of a file: its paths count from its folder."""
    for key in _PATHS & layer.keys():
        value = layer[key]
        layer[key] = tuple(str(root / v) for v in value) if isinstance(value, tuple) else str(root / value)
    return layer


def _env_name(key: str) -> str:
    return key.upper().replace("-", "_")


def _in_env(env: Mapping[str, str]) -> list[str]:
    scalars = [k for k, s in SETTINGS.items() if s.read not in (_severities, _ignores)]
    return [k for k in scalars if f"KPLAN_{_env_name(k)}" in env]


def _find(start: str | os.PathLike[str]) -> str:
    """The file with the configuration of a folder; "" if there is none."""
    for folder in _upwards(start):
        paths = [os.path.join(folder, name) for name in (*FILES, "pyproject.toml", ".git")]
        for path in paths:
            touched.touch(path)
        *files, project, repo = paths
        found = next(filter(os.path.isfile, files), "")
        if found or (os.path.isfile(project) and _is_for_kplan(project)):
            return found or project
        if os.path.exists(repo):
            return ""
    return ""


def _is_for_kplan(project: str) -> bool:
    with open(project, encoding="utf-8", errors="replace") as file:
        return "[tool.kplan" in file.read()


def repository(start: str | os.PathLike[str]) -> str:
    """The folder above (or at) `start` that has `.git`; `start` itself if none has."""
    for folder in _upwards(start):
        repo = os.path.join(folder, ".git")
        touched.touch(repo)
        if os.path.exists(repo):
            return os.path.relpath(folder or ".")
    return os.path.relpath(start)


def _upwards(start: str | os.PathLike[str]) -> Iterator[str]:
    """A folder, "" for the current one, and those above it."""
    name = os.fspath(start)
    yield "" if name == "." else name
    folder = os.path.realpath(name)
    while (above := os.path.dirname(folder)) != folder:
        yield above
        folder = above


def _read(path: Path, read_yaml: Callable[[str, str], Any]) -> Mapping[str, Any]:
    touched.touch(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            import tomllib

            data = tomllib.loads(text).get("tool", {}).get("kplan", {})
        else:
            data = read_yaml(text, str(path))
    except OSError as error:
        raise KplanError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # of TOML or of the encoding
        raise KplanError(f"{path}: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise KplanError(f"{path}: the configuration must be a mapping")
    return data


def _checked(layer: Mapping[str, Any], origin: str) -> dict[str, Any]:
    out = {}
    for key, value in layer.items():
        setting = SETTINGS.get(key)
        if setting is None:
            raise KplanError(f"{origin}: there is no setting {key!r}", hint=_near(key, SETTINGS).strip(" ()"))
        try:
            out[key] = setting.read(value)
        except ValueError as error:
            raise KplanError(f"{origin}: {key} must be {error}") from error
    return out


def _near(key: str, words: Any) -> str:
    from kplan.likewords import nearest

    near = nearest(str(key), list(words))
    return f" (did you mean {near}?)" if near else ""


def shown(config: Config) -> list[tuple[str, Any, str]]:
    """(setting, value, origin) of every setting, in the order of the table."""
    return [(key, getattr(config, key.replace("-", "_")), config.origins.get(key, "default")) for key in SETTINGS]
