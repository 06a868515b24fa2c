"""Where the text of a config uses a name, and in which setting its value ends up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

BASE = '_base_'
_IN_TEXT = re.compile(r'\{\{\s*_base_\.(\w+)')
_WITH_BODY = (ast.If, ast.For, ast.While, ast.With, ast.Try)


@dataclass(frozen=True)
class Use:
    """One use of a name in an expression.

    Attributes:
        name: The name, of this file or, with ``{{_base_.name}}``, of one below it.
        line: Line of the file.
        place: Keys down to the setting that is made of it, as far as the text tells; empty where
            it tells nothing.
        whole: Whether the setting is the value of the name, not something computed from it.
    """

    name: str
    line: int
    place: tuple[str, ...]
    whole: bool = False


def uses_in(tree: ast.AST) -> Iterator[Use]:
    """Yield the uses of names at the top level of a config; nothing is executed.

    >>> import ast
    >>> text = "ann = root + '/a.json'\\nmodel = dict(heads=[dict(num_classes=n)])"
    >>> [(use.name, use.line, '.'.join(use.place)) for use in uses_in(ast.parse(text))]
    [('root', 1, 'ann'), ('n', 2, 'model.heads.0.num_classes')]
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            if node.value is not None:
                yield from _assigned(node.target, node.value)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from _within(node, ())
        elif isinstance(node, ast.Expr):
            called = node.value.func if isinstance(node.value, ast.Call) else None
            root = _keys(called)[:1] if isinstance(called, ast.Attribute) else ()
            yield from (use for use in _within(node.value, root) if (use.name,) != root)
        elif isinstance(node, _WITH_BODY):
            yield from uses_in(node)
        elif isinstance(node, ast.expr):  # the condition of a statement with a body
            yield from _within(node, ())


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[Use]:
    if isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        if len(parts) != len(target.elts):
            parts = [value] * len(target.elts)
        for one, part in zip(target.elts, parts, strict=True):
            yield from _assigned(one, part)
    else:
        yield from _made(value, _keys(target))


def _keys(node: ast.AST | None) -> tuple[str, ...]:
    """Return the keys that an assignment target such as ``model['head'].dim`` leads down."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_keys(node.value), node.attr)
    if isinstance(node, ast.Subscript):
        key = node.slice
        return (*_keys(node.value), *((str(key.value),) if isinstance(key, ast.Constant) else ()))
    return ()


def _made(node: ast.expr, place: tuple[str, ...]) -> Iterator[Use]:
    """Yield the uses in a value, each with the place within it as long as literals tell."""
    children: list[tuple[ast.expr, tuple[str, ...]]] = []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        children = [(part, place) for part in node.args]
        children += [(k.value, (*place, k.arg) if k.arg else place) for k in node.keywords]
    elif isinstance(node, ast.Dict):
        for key, part in zip(node.keys, node.values, strict=True):
            known = isinstance(key, ast.Constant)
            children.append((part, (*place, str(key.value)) if known else place))  # type: ignore[union-attr]
    elif isinstance(node, (ast.List, ast.Tuple)) and not any(
        isinstance(part, ast.Starred) for part in node.elts
    ):
        children = [(part, (*place, str(i))) for i, part in enumerate(node.elts)]
    else:
        whole = isinstance(node, ast.Name) or _is_inserted(node)
        yield from (replace(use, whole=whole) for use in _within(node, place))
    for part, below in children:
        yield from _made(part, below)


def _is_inserted(node: ast.expr) -> bool:
    """Return whether a node is ``{{_base_.name}}``, which Python reads as a set in a set."""
    for _ in range(2):
        if not isinstance(node, ast.Set) or len(node.elts) != 1:
            return False
        node = node.elts[0]
    return isinstance(node, ast.Attribute) and _keys(node.value) == (BASE,)


def _within(node: ast.AST, place: tuple[str, ...]) -> Iterator[Use]:
    """Yield all uses in a node as of one place; names that are bound within it are no uses."""
    own = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    own |= {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    }
    for part in ast.walk(node):
        line = getattr(part, 'lineno', 0)
        if isinstance(part, ast.Name) and part.id not in (*own, BASE):
            yield Use(part.id, line, place)
        elif isinstance(part, (ast.Attribute, ast.Subscript)) and _keys(part.value) == (BASE,):
            yield from (Use(name, line, place) for name in _keys(part)[1:2])
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from (Use(name, line, place) for name in _IN_TEXT.findall(part.value))
