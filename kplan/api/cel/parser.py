"""Text to syntax tree. Follows cel-go's parser/parser.go and its grammar; faults read as ANTLR words them.

Recovery after a fault is not imitated: the first syntax error ends the parse, which is what is nearly always reported.
"""

from __future__ import annotations

from collections.abc import Callable

from kplan.api.cel import macros
from kplan.api.cel.lexer import RESERVED, Token, tokens, unquote
from kplan.api.cel.tree import (
    Call,
    CompileError,
    Entry,
    Ident,
    Issue,
    ListOf,
    Literal,
    MapOf,
    Node,
    Select,
    Struct,
    qualified,
)
from kplan.hints import NoReturn

MAX_DEPTH = 250
MAX_LENGTH = 100_000

_TOO_DEEP = f"expression recursion limit exceeded: {MAX_DEPTH}"
_STARTS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
_START_KINDS = frozenset("[ { ( . - ! true false null float int uint string name".split())
_CONSTANTS = {"true": (True, "bool"), "false": (False, "bool"), "null": (None, "null_type")}
_RELATIONS = {op: f"_{op}_" for op in ("<", "<=", ">=", ">", "==", "!=")} | {"in": "@in"}
_SUMS = {op: f"_{op}_" for op in "+-"}
_PRODUCTS = {op: f"_{op}_" for op in "*/%"}

# Functions with a dot in their name: `optional.of(x)` is no method of a variable.
NAMESPACED = frozenset(
    "optional.of optional.none optional.ofNonZeroValue ip.isCanonical sets.contains sets.equivalent sets.intersects "
    "strings.quote lists.range "
    "format.named format.dns1123Label format.dns1123Subdomain format.dns1035Label format.qualifiedName "
    "format.dns1123LabelPrefix format.dns1123SubdomainPrefix format.dns1035LabelPrefix format.labelValue format.uri "
    "format.uuid format.byte format.date format.datetime jsonpatch.escapeKey".split()
)


class _Stop(Exception):  # noqa: N818 - ends the parse, its issue is recorded already
    pass


def parse(source: str) -> Node:
    """The tree of an expression; raises CompileError."""
    issues: list[Issue] = []
    if len(source) > MAX_LENGTH:
        raise CompileError("", [Issue(0, f"expression code point size exceeds limit: size: {len(source)}")])
    parser = _Parser(tokens(source, issues), issues)
    tree: Node | None = None
    try:
        tree = parser.whole()
    except _Stop:
        pass
    except RecursionError:
        issues.append(Issue(0, _TOO_DEEP))
    if issues or tree is None:
        raise CompileError(source, issues)
    return tree


class _Parser:
    def __init__(self, found: list[Token], issues: list[Issue]) -> None:
        self._tokens = found
        self._next = 0
        self._now = found[0]
        self._issues = issues
        self._depth = 0

    def _take(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._next += 1
            self._now = self._tokens[self._next]
        return token

    def _accept(self, kind: str) -> Token | None:
        return self._take() if self._now.kind == kind else None

    def _fail(self, at: int, message: str) -> NoReturn:
        self._issues.append(Issue(at, message))
        raise _Stop

    def _issue(self, at: int, message: str) -> Node:
        """A fault after which the parse goes on, in place of the node that it spoils."""
        self._issues.append(Issue(at, message))
        return Literal(at, None, "dyn")

    def _unexpected(self, expected: str, *, extraneous: bool) -> NoReturn:
        word = "extraneous" if extraneous else "mismatched"
        self._fail(self._now.at, f"Syntax error: {word} input '{self._now.text}' expecting {expected}")

    def _expect(self, kind: str) -> Token:
        token = self._accept(kind)
        if token is None:
            self._unexpected(f"'{kind}'", extraneous=self._after() == kind)
        return token

    def _after(self) -> str:
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)].kind

    def whole(self) -> Node:
        tree = self._expression()
        if self._now.kind != "end":
            self._unexpected("<EOF>", extraneous=self._after() == "end")
        return tree

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(self._now.at, _TOO_DEEP)
        condition = self._or()
        mark = self._accept("?")
        if mark is not None:
            yes = self._or()
            self._expect(":")
            condition = Call(mark.at, "_?_:_", None, (condition, yes, self._expression()))
        self._depth -= 1
        return condition

    def _or(self) -> Node:
        return self._logical("||", self._and)

    def _and(self) -> Node:
        return self._logical("&&", self._relation)

    def _logical(self, operator: str, operand: Callable[[], Node]) -> Node:
        """One node for a whole chain, for these may be long."""
        terms, first = [operand()], self._now
        while self._accept(operator):
            terms.append(operand())
        return terms[0] if len(terms) == 1 else Call(first.at, f"_{operator}_", None, tuple(terms))

    def _relation(self) -> Node:
        return self._chain(_RELATIONS, self._sum)

    def _sum(self) -> Node:
        return self._chain(_SUMS, self._product)

    def _product(self) -> Node:
        return self._chain(_PRODUCTS, self._unary)

    def _chain(self, operators: dict[str, str], operand: Callable[[], Node]) -> Node:
        left, links = operand(), 0
        while (function := operators.get(self._now.kind)) is not None:
            op = self._take()
            left = Call(op.at, function, None, (left, operand()))
            links += 1
            if self._depth + links > MAX_DEPTH:
                self._fail(op.at, _TOO_DEEP)
        return left

    def _unary(self) -> Node:
        first = self._now
        if first.kind == "-" and self._after() in ("int", "float"):
            return self._member()
        count = 0
        while self._now.kind == first.kind and first.kind in ("-", "!"):
            self._take()
            count += 1
        operand = self._member()
        function = "!_" if first.kind == "!" else "-_"
        return Call(first.at, function, None, (operand,)) if count % 2 else operand

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._now.kind == ".":
                node = self._dot(node)
            elif (bracket := self._accept("[")) is not None:
                function = "_[?_]" if self._accept("?") else "_[_]"
                node = Call(bracket.at, function, None, (node, self._expression()))
                self._expect("]")
            elif self._now.kind == "{" and (name := qualified(node)) is not None:
                node = self._struct(name)
            else:
                return node

    def _dot(self, operand: Node) -> Node:
        dot = self._take()
        optional = self._accept("?") is not None
        name = self._now
        if name.kind not in ("name", "escaped"):
            self._fail(
                name.at, f"Syntax error: no viable alternative at input '.{name.text if name.text[0] != '<' else ''}'"
            )
        self._take()
        if self._now.kind == "(" and not optional and name.kind == "name":
            bracket, args = self._arguments()
            if isinstance(operand, Ident) and f"{operand.name}.{name.text}" in NAMESPACED:
                return Call(bracket, f"{operand.name}.{name.text}", None, args)
            return macros.method(bracket, name.text, operand, args, self._issue)
        return Select(dot.at, operand, name.text.strip("`"), optional=optional)

    def _arguments(self) -> tuple[int, tuple[Node, ...]]:
        bracket = self._take()
        args: list[Node] = []
        if self._now.kind != ")":
            args.append(self._expression())
            while self._accept(","):
                args.append(self._expression())
        self._expect(")")
        return bracket.at, tuple(args)

    def _primary(self) -> Node:
        match self._now.kind:
            case "(":
                self._take()
                inner = self._expression()
                self._expect(")")
                return inner
            case "[":
                return self._list()
            case "{":
                bracket, entries = self._entries(self._map_key)
                return MapOf(bracket, entries)
            case "name" | ".":
                return self._name()
            case "-" | "int" | "uint" | "float" | "string" | "true" | "false" | "null":
                return self._literal()
            case _:
                return self._unexpected(_STARTS, extraneous=self._after() in _START_KINDS)

    def _name(self) -> Node:
        leading = self._accept(".")
        name = self._accept("name")
        if name is None:
            self._fail(self._now.at, f"Syntax error: no viable alternative at input '.{self._now.text}'")
        if name.text in RESERVED and self._now.kind != "(":
            return self._issue(name.at, f"reserved identifier: {name.text}")
        if self._now.kind == "(":
            bracket, args = self._arguments()
            return macros.function(bracket, name.text, args, self._issue)
        return Ident((leading or name).at, name.text)

    def _literal(self) -> Node:
        token = self._take()
        sign = ""
        if token.kind == "-":
            sign, token = "-", self._take()
        if token.kind in _CONSTANTS:
            return Literal(token.at, *_CONSTANTS[token.kind])
        at = token.at - len(sign)
        if token.kind == "string":
            try:
                text = unquote(token.text)
            except ValueError as e:
                return self._issue(at, str(e))
            return Literal(at, text, "bytes" if isinstance(text, bytes) else "string")
        if token.kind == "float":
            return Literal(at, float(sign + token.text), "double")
        if token.kind not in ("int", "uint"):
            self._fail(token.at, f"Syntax error: mismatched input '{token.text}' expecting {_STARTS}")
        return self._integer(sign, token, at)

    def _integer(self, sign: str, token: Token, at: int) -> Node:
        digits = token.text.rstrip("uU")
        unsigned = token.kind == "uint"
        value = int(sign + digits, 16 if digits.startswith("0x") else 10) if len(digits) < 400 else 1 << 70
        low, high = (0, (1 << 64) - 1) if unsigned else (-(1 << 63), (1 << 63) - 1)
        if not low <= value <= high:
            return self._issue(at, f"invalid {token.kind} literal")
        return Literal(at, value, token.kind)

    def _list(self) -> Node:
        bracket = self._take()
        items: list[Node] = []
        optional: set[int] = set()
        while self._now.kind != "]":
            if self._accept("?"):
                optional.add(len(items))
            items.append(self._expression())
            if not self._accept(","):
                break
        self._expect("]")
        return ListOf(bracket.at, tuple(items), frozenset(optional))

    def _map_key(self) -> Node | str:
        return self._expression()

    def _field_name(self) -> Node | str:
        if self._now.kind not in ("name", "escaped"):
            self._unexpected("IDENTIFIER", extraneous=self._after() == "name")
        return self._take().text.strip("`")

    def _struct(self, name: str) -> Node:
        bracket, entries = self._entries(self._field_name)
        return Struct(bracket, name, entries)

    def _entries(self, key: Callable[[], Node | str]) -> tuple[int, tuple[Entry, ...]]:
        bracket = self._take()
        entries: list[Entry] = []
        while self._now.kind != "}":
            optional = self._accept("?") is not None
            name = key()
            colon = self._expect(":")
            entries.append(Entry(colon.at, name, self._expression(), optional))
            if not self._accept(","):
                break
        self._expect("}")
        return bracket.at, tuple(entries)
