"""Which expressions of a source text are visibly sets of strings.

Visibly: by a literal (`{"a", "b"}`), by what it is made of (`set(text.split())`), or by an annotation
(`tags: set[str]`). A name or an attribute is one only if everything that is ever assigned to it is. In doubt the answer
is no: a false alarm would keep a sound workflow from running. This module must not judge what is done with a set;
`set_order` does.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from playhead_engine.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_SETS = frozenset({"set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"})
_KEYED = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})
_ITERABLES = (
    _SETS | _KEYED | frozenset({"list", "tuple", "deque", "List", "Tuple", "Sequence", "Iterable", "Collection"})
)
_SAME_SET = frozenset({"copy", "intersection", "difference"})
_EITHER_SET = frozenset({"union", "symmetric_difference"})
_STRING_LISTS = frozenset({"split", "rsplit", "splitlines"})
_STRING_METHODS = frozenset({"casefold", "format", "join", "lower", "removeprefix", "removesuffix", "strip", "upper"})


@record
class _Binding:
    """One thing that is assigned to a name: what it is declared to be, or what it is. Unknown if neither is given."""

    annotation: ast.expr | None = None
    value: ast.expr | None = None


_UNKNOWN = _Binding()
_Bindings: TypeAlias = dict[str, list[_Binding]]


@record
class Scope:
    """What the names mean at one place of a module.

    Attributes:
        names: Bindings of the names of this scope.
        functions: The functions of the module, by name.
        attributes: Bindings of the attributes of `self`, in a method.
        methods: The methods of `self`, in a method.
        outer: The scope around this one.
    """

    names: _Bindings
    functions: dict[str, Function]
    attributes: _Bindings = field(default_factory=dict[str, "list[_Binding]"])
    methods: dict[str, Function] = field(default_factory=dict[str, Function])
    outer: Scope | None = None

    @classmethod
    def of_module(cls, tree: ast.Module) -> Scope:
        """The scope of the module itself."""
        return cls(_names_bound(tree.body), _functions_in(tree.body))

    def within_class(self, node: ast.ClassDef) -> Scope:
        """The scope in which the methods of a class stand. Class attributes are seen through `self` only."""
        attributes = _names_bound(node.body)
        methods = _functions_in(node.body)
        for method in methods.values():
            for name, binding in _attributes_bound(method):
                attributes.setdefault(name, []).append(binding)
        return Scope({}, self.functions, attributes, methods, self)

    def inside(self, node: Function | ast.Lambda) -> Scope:
        """The scope of a function's body."""
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        names = _names_bound(body)
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            names.setdefault(argument.arg, []).append(_Binding(argument.annotation))
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                names.setdefault(rest.arg, []).append(_UNKNOWN)
        return Scope(names, self.functions, self.attributes, self.methods, self)

    def bindings(self, node: ast.expr) -> list[_Binding]:
        """Everything that is assigned to a name, or to an attribute of `self`; nothing for other expressions."""
        match node:
            case ast.Name(name):
                scope: Scope | None = self
                while scope is not None:
                    if name in scope.names:
                        return scope.names[name]
                    scope = scope.outer
                return []
            case ast.Attribute(ast.Name("self"), name):
                return self.attributes.get(name, [])
            case ast.Call(ast.Name(name)) if not self.bindings(node.func):
                return _returned(self.functions.get(name))
            case ast.Call(ast.Attribute(ast.Name("self"), name)):
                return _returned(self.methods.get(name))
            case ast.Await(call):
                return self.bindings(call)
            case _:
                return []


def is_string_set(node: ast.expr, scope: Scope) -> bool:
    """Whether this is visibly a set of strings."""
    return _is_string_set(node, scope, frozenset()) is True


def _is_string_set(node: ast.expr, scope: Scope, asked: frozenset[str]) -> bool | None:
    """None where it says nothing about its elements: an empty set, or a name in terms of itself."""
    match node:
        case ast.Set(elements):
            return any(_is_string(element, scope) for element in elements)
        case ast.SetComp(element):
            return _is_string(element, scope)
        case ast.Call(ast.Name("set" | "frozenset"), arguments):
            return _holds_strings(arguments[0], scope) if arguments else None
        case ast.Call(ast.Attribute(value, method), arguments) if method in _SAME_SET | _EITHER_SET:
            operands = [value, *arguments] if method in _EITHER_SET else [value]
            return _any(_is_string_set(operand, scope, asked) for operand in operands)
        case ast.BinOp(left, ast.Sub(), _):
            return _is_string_set(left, scope, asked)
        case ast.BinOp(left, ast.BitOr() | ast.BitAnd() | ast.BitXor(), right):
            return _any(_is_string_set(operand, scope, asked) for operand in (left, right))
        case ast.IfExp(_, value, other):
            return _any(_is_string_set(operand, scope, asked) for operand in (value, other))
        case ast.BoolOp(_, operands):
            return _any(_is_string_set(operand, scope, asked) for operand in operands)
        case ast.NamedExpr(_, value):
            return _is_string_set(value, scope, asked)
        case _:
            pass
    name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Await) else ""
    if name in asked:
        return None
    answers: list[bool | None] = []
    for binding in scope.bindings(node):
        if binding.annotation is not None:
            answers.append(_is_declared(binding.annotation, _SETS))
        elif binding.value is not None:
            answers.append(_is_string_set(binding.value, scope, asked | {name}))
        else:
            answers.append(False)
    return False if False in answers or not answers else _any(answers)


def _any(answers: Iterator[bool | None] | list[bool | None]) -> bool | None:
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def _is_string(node: ast.expr, scope: Scope) -> bool:
    match node:
        case ast.Constant(str()) | ast.JoinedStr() | ast.Call(ast.Name("str" | "repr")):
            return True
        case ast.Call(ast.Attribute(_, method)):
            return method in _STRING_METHODS
        case ast.Starred(value):
            return _holds_strings(value, scope)
        case _:
            bindings = scope.bindings(node)
            return bool(bindings) and all(_names_string(binding.annotation) for binding in bindings)


def _holds_strings(node: ast.expr, scope: Scope) -> bool:
    """Whether iterating over this visibly gives strings."""
    match node:
        case ast.List(elements) | ast.Tuple(elements):
            return any(_is_string(element, scope) for element in elements)
        case ast.ListComp(element) | ast.GeneratorExp(element):
            return _is_string(element, scope)
        case ast.Dict(keys):
            return any(key is not None and _is_string(key, scope) for key in keys)
        case ast.Call(ast.Attribute(_, method)) if method in _STRING_LISTS:
            return True
        case ast.Call(ast.Attribute(value, "keys")):
            return _is_all_declared(value, _KEYED, scope)
        case ast.Call(ast.Name("list" | "tuple" | "sorted"), [argument, *_]):
            return _holds_strings(argument, scope)
        case _:
            return _is_string(node, scope) or _is_all_declared(node, _ITERABLES, scope) or is_string_set(node, scope)


def _is_all_declared(node: ast.expr, types: frozenset[str], scope: Scope) -> bool:
    bindings = scope.bindings(node)
    return bool(bindings) and all(b.annotation is not None and _is_declared(b.annotation, types) for b in bindings)


def _is_declared(annotation: ast.expr, types: frozenset[str]) -> bool:
    """Whether a type is one of these, of strings: `set[str]`, `typing.Set[str] | None`, `"set[str]"`."""
    match annotation:
        case ast.Constant(str(text)):
            try:
                return _is_declared(ast.parse(text, mode="eval").body, types)
            except SyntaxError:
                return False
        case ast.BinOp(left, ast.BitOr(), right):
            return _is_declared(left, types) or _is_declared(right, types)
        case ast.Subscript(ast.Name(generic) | ast.Attribute(_, generic), argument):
            if generic in {"Optional", "Final", "ClassVar", "Annotated"}:
                return _is_declared(argument.elts[0] if isinstance(argument, ast.Tuple) else argument, types)
            return generic in types and _names_string(argument.elts[0] if isinstance(argument, ast.Tuple) else argument)
        case _:
            return False


def _names_string(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name("str") | ast.Constant("str"):
            return True
        case _:
            return False


def _returned(function: Function | None) -> list[_Binding]:
    return [] if function is None else [_Binding(function.returns)]


def _functions_in(body: list[ast.stmt]) -> dict[str, Function]:
    return {node.name: node for node in body if isinstance(node, Function)}


def _names_bound(body: list[ast.stmt] | list[ast.expr]) -> _Bindings:
    bound: _Bindings = defaultdict(list)
    seen: set[ast.expr] = set()
    for node in _own_nodes(body):
        match node:
            case ast.Assign(targets, value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        bound[target.id].append(_Binding(value=value))
                        seen.add(target)
            case ast.AnnAssign(ast.Name(name) as target, annotation):
                bound[name].append(_Binding(annotation))
                seen.add(target)
            case ast.NamedExpr(ast.Name(name) as target, value):
                bound[name].append(_Binding(value=value))
                seen.add(target)
            case ast.AugAssign(ast.Name() as target):
                seen.add(target)  # `tags |= more` leaves it what it was
            case ast.Name(name, ast.Store() | ast.Del()) if node not in seen:
                bound[name].append(_UNKNOWN)
            case ast.Global(names) | ast.Nonlocal(names):
                for name in names:
                    bound[name].append(_UNKNOWN)
            case (
                ast.FunctionDef(name)
                | ast.AsyncFunctionDef(name)
                | ast.ClassDef(name)
                | ast.ExceptHandler(_, str(name))
            ):
                bound[name].append(_UNKNOWN)
            case ast.alias(name, asname):
                bound[asname or name.partition(".")[0]].append(_UNKNOWN)
            case _:
                pass
    return dict(bound)


def _attributes_bound(method: Function) -> Iterator[tuple[str, _Binding]]:
    """What a method assigns to the attributes of `self`."""
    seen: set[ast.expr] = set()
    for node in _own_nodes(method.body):
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), name) as target], value):
                seen.add(target)
                # `self.tags = tags` of an `__init__` takes its type from the parameter.
                yield name, _Binding(_parameter_annotation(method, value), value)
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), name) as target, annotation):
                seen.add(target)
                yield name, _Binding(annotation)
            case ast.AugAssign(ast.Attribute(ast.Name("self")) as target):
                seen.add(target)
            case ast.Attribute(ast.Name("self"), name, ast.Store() | ast.Del()) if node not in seen:
                yield name, _UNKNOWN
            case _:
                pass


def _parameter_annotation(method: Function, value: ast.expr) -> ast.expr | None:
    if isinstance(value, ast.Name):
        for argument in (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs):
            if argument.arg == value.id:
                return argument.annotation
    return None


def _own_nodes(body: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.AST]:
    """Every node of a body, parents first, except what is inside of functions and classes that are defined in it."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))
