"""The selectors of dynamic resource allocation: expressions about one device.

Follows k8s.io/dynamic-resource-allocation/cel/compile.go.
"""

from __future__ import annotations

from functools import lru_cache

from kplan.api import cel
from kplan.api.cel.types import BOOL, DYN, STRING, Type, map_of, object_of

QUANTITY = Type("kubernetes.Quantity")
DEVICE = object_of(
    "kubernetes.DRADevice",
    {
        "driver": STRING,
        "attributes": map_of(STRING, map_of(STRING, DYN)),
        "capacity": map_of(STRING, map_of(STRING, QUANTITY)),
        "allowMultipleAllocations": BOOL,
    },
)
ENVIRONMENT = cel.Environment({"device": DEVICE})


@lru_cache(maxsize=256)
def selector_problem(expression: str) -> str:
    """Why an expression cannot select devices, in the server's words; "" if it can."""
    try:
        program = cel.compile(expression, ENVIRONMENT)
    except cel.CompileError as error:
        return f"compilation failed: {error}"
    return "" if program.type in (BOOL, DYN) else "must evaluate to bool or the unknown type, not " + str(program.type)
