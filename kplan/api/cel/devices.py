"""The selectors of dynamic resource allocation: expressions about one device.

Follows k8s.io/dynamic-resource-allocation/cel/compile.go.
"""

from __future__ import annotations

from functools import lru_cache

from kplan.api import cel
from kplan.api.cel.types import BOOL, DYN, STRING, Type, map_of, object_of

QUANTITY = Type("kubernetes.Quantity")
_FIELDS = {
    "driver": STRING,
    "attributes": map_of(STRING, map_of(STRING, DYN)),
    "capacity": map_of(STRING, map_of(STRING, QUANTITY)),
}
_SHARED = {"allowMultipleAllocations": BOOL}
SHARED_SINCE = 36  # the minor since which devices may be shared (KEP-5075)


@lru_cache(maxsize=2)
def _environment(shared: bool) -> cel.Environment:
    fields = {**_FIELDS, **_SHARED} if shared else _FIELDS
    return cel.Environment({"device": object_of("kubernetes.DRADevice", fields)})


@lru_cache(maxsize=256)
def selector_problem(expression: str, minor: int) -> str:
    """Why an expression cannot select devices of a release, in the server's words; "" if it can."""
    try:
        program = cel.compile(expression, _environment(minor >= SHARED_SINCE))
    except cel.CompileError as error:
        return f"compilation failed: {error}"
    return "" if program.type in (BOOL, DYN) else "must evaluate to bool or the unknown type, not " + str(program.type)
