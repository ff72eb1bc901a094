"""What the functions of an expression do: operators, conversions and lists; the rest is looked up in its own module.

Follows cel-go's common/stdlib and common/types, and k8s.io/apiserver/pkg/cel/library (lists.go).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cmp_to_key
from importlib import import_module
from itertools import pairwise

from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    Address,
    Duration,
    KeyedList,
    Network,
    Optional,
    Timestamp,
    TypeValue,
    Uint,
    compare,
    equal,
    is_number,
    is_zero,
    type_name,
)
from kplan.hints import Any

Function = Callable[..., Any]

NO_OVERLOAD = "no such overload"
# Where the functions of a type are, beyond those here: (function, type of the first argument) is looked up there.
_MODULES = ("texts", "times", "network", "amounts", "lists")


def call(name: str, args: list[Any]) -> Any:
    """The value of a function; raises EvalError."""
    function = _FUNCTIONS.get(name) or _of_type(name, type_name(args[0]) if args else "")
    try:
        return function(*args)
    except (TypeError, AttributeError) as e:
        raise EvalError(NO_OVERLOAD) from e


def _of_type(name: str, first: str) -> Function:
    for module in _MODULES:
        table: Mapping[tuple[str, str], Function] = import_module(f"kplan.api.cel.{module}").FUNCTIONS
        found = table.get((name, first)) or table.get((name, ""))
        if found is not None:
            return found
    raise EvalError(NO_OVERLOAD)


def map_key(key: Any) -> Any:
    """A value as the key of a map; raises EvalError for one that cannot be."""
    if not isinstance(key, (str, int)):
        raise EvalError(f"unsupported key type: {type_name(key)}")
    return key


def _checked(value: int, like: Any) -> Any:
    if isinstance(like, Uint):
        if not 0 <= value <= UINT_MAX:
            raise EvalError("unsigned integer overflow")
        return Uint(value)
    if not INT_MIN <= value <= INT_MAX:
        raise EvalError("integer overflow")
    return value


def _arithmetic(operation: Function) -> Function:
    def apply(a: Any, b: Any) -> Any:
        if not is_number(a) or type(a) is not type(b):
            raise EvalError(NO_OVERLOAD)
        result = operation(a, b)
        return result if isinstance(a, float) else _checked(result, a)

    return apply


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, float):
        if b:
            return a / b
        return math.nan if not a or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    if b == 0:
        raise EvalError("division by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: Any, b: Any) -> Any:
    if isinstance(a, float):
        raise EvalError(NO_OVERLOAD)
    if b == 0:
        raise EvalError("modulus by zero")
    return a - b * _divide(a, b)


def _multiply(a: Any, b: Any) -> Any:
    return a * b


_PLUS = _arithmetic(lambda a, b: a + b)
_MINUS = _arithmetic(lambda a, b: a - b)


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, KeyedList) and isinstance(b, list):
        return a.merged(b)
    if isinstance(a, list) and isinstance(b, list):
        return [*a, *b]
    if isinstance(a, (str, bytes)):
        return a + b  # a mixture raises TypeError, which is no overload
    if isinstance(a, Duration):
        return type(b)(a.nanos + b.nanos)
    if isinstance(a, Timestamp) and isinstance(b, Duration):
        return Timestamp(a.nanos + b.nanos)
    return _PLUS(a, b)


def _subtract(a: Any, b: Any) -> Any:
    if isinstance(a, (Duration, Timestamp)):
        return Timestamp(a.nanos - b.nanos) if type(a) is not type(b) else Duration(a.nanos - b.nanos)
    return _MINUS(a, b)


def _negate(a: Any) -> Any:
    if not is_number(a) or isinstance(a, Uint):
        raise EvalError(NO_OVERLOAD)
    return -a if isinstance(a, float) else _checked(-a, a)


def _not(a: Any) -> bool:
    if not isinstance(a, bool):
        raise EvalError(NO_OVERLOAD)
    return not a


def _ordered(test: Callable[[int], bool]) -> Function:
    def apply(a: Any, b: Any) -> bool:
        if not (is_number(a) and is_number(b)) and type(a) is not type(b):
            raise EvalError(NO_OVERLOAD)
        order = compare(a, b)
        return order is not None and test(order)

    return apply


def _in(item: Any, holder: Any) -> bool:
    if isinstance(holder, dict):
        return isinstance(item, (str, int)) and item in holder
    if not isinstance(holder, list):
        raise EvalError(NO_OVERLOAD)
    return any(equal(item, x) for x in holder)


def _index(holder: Any, key: Any) -> Any:
    found = _maybe_index(holder, key)
    if isinstance(holder, Optional):
        return found
    if not found.present:
        raise EvalError(f"index out of bounds: {key}" if isinstance(holder, list) else f"no such key: {key}")
    return found.inner


def _maybe_index(holder: Any, key: Any) -> Optional:
    if isinstance(holder, Optional):
        return _maybe_index(holder.inner, key) if holder.present else holder
    if isinstance(holder, list):
        if not is_number(key):
            raise EvalError(NO_OVERLOAD)
        whole = isinstance(key, int) or key.is_integer()
        return Optional(True, holder[int(key)]) if whole and 0 <= key < len(holder) else Optional()
    if not isinstance(holder, dict):
        raise EvalError(NO_OVERLOAD)
    return Optional(True, holder[key]) if isinstance(key, (str, int)) and key in holder else Optional()


def _size(value: Any) -> int:
    if not isinstance(value, (str, bytes, list, dict)):
        raise EvalError(NO_OVERLOAD)
    return len(value)


def _to_int(value: Any) -> Any:
    if isinstance(value, float) and not INT_MIN < value < INT_MAX:
        raise EvalError("integer overflow")
    if isinstance(value, Timestamp):
        return value.nanos // 1_000_000_000
    if isinstance(value, Duration):
        return value.nanos
    if isinstance(value, str):
        return _checked(_parsed(value, int, "int"), 0)
    return _checked(int(value), 0)


def _to_uint(value: Any) -> Uint:
    number = _parsed(value, int, "uint") if isinstance(value, str) else value
    if not math.isfinite(number) or not 0 <= number <= UINT_MAX:
        raise EvalError("unsigned integer overflow")
    return Uint(number)


def _to_double(value: Any) -> float:
    return float(_parsed(value, float, "double")) if isinstance(value, str) else float(value)


def _parsed(text: str, to: Callable[[str], Any], name: str) -> Any:
    """A number out of a text, without the liberties that Python takes and Go does not."""
    try:
        if text != text.strip() or "_" in text or len(text) > 400:
            raise ValueError
        return to(text)
    except ValueError:
        raise EvalError(f"type conversion error from 'string' to '{name}'") from None


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE", "t", "1"):
        return True
    if value in ("false", "False", "FALSE", "f", "0"):
        return False
    raise EvalError("type conversion error from 'string' to 'bool'")


def _to_bytes(value: Any) -> bytes:
    return value.encode(errors="replace") if isinstance(value, str) else bytes(memoryview(value))


def _to_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvalError("invalid UTF-8 in bytes, cannot convert to string") from None
    if is_number(value):
        return double_text(value) if isinstance(value, float) else str(int(value))
    if isinstance(value, (Address, Network)):
        return str(value)
    text: str = _of_type("string", type_name(value))(value)
    return text


def double_text(value: float) -> str:
    """A double as Go's %g prints it."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def _extreme(sign: int) -> Function:
    def apply(items: list[Any]) -> Any:
        if not items:
            raise EvalError(f"{'min' if sign < 0 else 'max'} called on empty list")
        return max(items, key=cmp_to_key(lambda a, b: sign * (compare(a, b) or 0)))

    return apply


def _sum(items: list[Any]) -> Any:
    total: Any = items[0] if items else 0
    for item in items[1:]:
        total = _add(total, item)
    return total


def _is_sorted(items: list[Any]) -> bool:
    return all((compare(a, b) or 0) <= 0 for a, b in pairwise(items))


def _find(items: list[Any], item: Any) -> int:
    return next((i for i, x in enumerate(items) if equal(x, item)), -1)


def _find_last(items: list[Any], item: Any) -> int:
    at = _find(items[::-1], item)
    return len(items) - 1 - at if at >= 0 else -1


def _contains_all(a: list[Any], b: list[Any]) -> bool:
    return all(_in(x, a) for x in b)


def _list_function(function: Function, name: str) -> Function:
    """A function that both lists and texts have."""
    return lambda first, *rest: (
        function(first, *rest) if isinstance(first, list) else _of_type(name, "string")(first, *rest)
    )


_FUNCTIONS: Mapping[str, Function] = {
    "_+_": _add,
    "_-_": _subtract,
    "_*_": _arithmetic(_multiply),
    "_/_": _arithmetic(_divide),
    "_%_": _arithmetic(_remainder),
    "-_": _negate,
    "!_": _not,
    "_==_": equal,
    "_!=_": lambda a, b: not equal(a, b),
    "_<_": _ordered(lambda o: o < 0),
    "_<=_": _ordered(lambda o: o <= 0),
    "_>_": _ordered(lambda o: o > 0),
    "_>=_": _ordered(lambda o: o >= 0),
    "@in": _in,
    "_[_]": _index,
    "_[?_]": _maybe_index,
    "size": _size,
    "dyn": lambda a: a,
    "type": lambda a: TypeValue(type_name(a)),
    "int": _to_int,
    "uint": _to_uint,
    "double": _to_double,
    "bool": _to_bool,
    "bytes": _to_bytes,
    "string": _to_string,
    "optional.of": lambda a: Optional(True, a),
    "optional.none": Optional,
    "optional.ofNonZeroValue": lambda a: Optional() if is_zero(a) else Optional(True, a),
    "hasValue": lambda a: a.present,
    "value": lambda a: a.value(),
    "min": _extreme(-1),
    "max": _extreme(1),
    "sum": _sum,
    "isSorted": _is_sorted,
    "indexOf": _list_function(_find, "indexOf"),
    "lastIndexOf": _list_function(_find_last, "lastIndexOf"),
    "sets.contains": _contains_all,
    "sets.equivalent": lambda a, b: _contains_all(a, b) and _contains_all(b, a),
    "sets.intersects": lambda a, b: any(_in(x, b) for x in a),
}
