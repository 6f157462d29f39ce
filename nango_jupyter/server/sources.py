"""The text of an action file, made from a notebook's cell, and run as the file would be."""

from __future__ import annotations

import ast
import builtins
import linecache
import re
import symtable
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.loader import SUFFIX, load_definition
from nango_jupyter.server.problems import Problem

__all__ = ["action_source", "check_names", "load_source"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef

_IMPORT = "from nango_jupyter import action"
# IPython puts these among the builtins; where an action file runs, nobody does.
_BUILTINS = frozenset(dir(builtins)) - {"display", "get_ipython"}
_OF_A_MODULE = frozenset(vars(ModuleType(""))) | {"__builtins__", "__file__"}


def action_source(cell: str, name: str, *, idempotent: bool = False) -> str:
    """Return the text of the action file that a cell stands for.

    A cell with a subclass of `NangoAction` or with a function marked by `action` is one already.
    Else ``@action`` and its import are added: to the only function, or to the one that is called
    like the action.

    Parameters
    ----------
    cell : str
    name : str
        The action's.
    idempotent : bool
        Write ``@action(idempotent=True)``.

    Raises
    ------
    SyntaxError
        If the cell is not Python; with the place in the cell.
    NangoUsageError
        If it can't be told which function is the action.
    """
    _check_syntax(cell)
    text = f"{cell.strip()}\n"
    tree = ast.parse(text)
    if form := _form(tree):
        if idempotent:
            raise NangoUsageError(
                "--idempotent is for a cell in which nothing is marked yet",
                f"Write {form} in the cell.",
            )
        return text
    mark = "@action(idempotent=True)" if idempotent else "@action"
    return _mark(text, tree, _choose(tree, name), mark)


def _check_syntax(cell: str) -> None:
    try:
        compile(cell, "<cell>", "exec", dont_inherit=True)  # finds more than the parser alone
    except (ValueError, RecursionError, MemoryError) as error:  # half characters, endless brackets
        raise NangoUsageError(f"The cell is not Python: {error}") from None


def _form(tree: ast.Module) -> str:
    """Tell how an action is idempotent in a cell that has one; "" if it has none yet."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_ends(one, "NangoAction") for one in node.bases):
            return "idempotent = True in the class"
        marks = node.decorator_list if isinstance(node, _Function) else []
        if isinstance(node, ast.Assign):
            marks = [node.value]
        if any(_ends(one.func if isinstance(one, ast.Call) else one, "action") for one in marks):
            return "@action(idempotent=True)"
    return ""


def _ends(node: ast.expr, name: str) -> bool:
    """Tell whether an expression is a name, alone or behind a dot."""
    found = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return found == name


def _choose(tree: ast.Module, name: str) -> _Function:
    functions = {node.name: node for node in tree.body if isinstance(node, _Function)}
    wanted = re.sub(r"\W", "_", name)
    if wanted in functions:
        return functions[wanted]
    if len(functions) == 1:
        return functions.popitem()[1]
    if not functions:
        raise NangoUsageError(
            "The cell defines no action",
            f"Write a function, async def {wanted}(ctx, …), or a subclass of NangoAction.",
        )
    raise NangoUsageError(
        f"The cell defines {', '.join(functions)}: which one is the action?",
        f"Call it {wanted}, or write @action above it.",
    )


def _mark(text: str, tree: ast.Module, function: _Function, mark: str) -> str:
    """Put the decorator on top of the function, and its import behind the others."""
    lines = text.split("\n")
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    lines.insert(first - 1, mark)
    if not _imports_action(tree):
        head = list(_head(tree))
        if not head:
            lines[:0] = [_IMPORT, "", ""]
        else:
            is_docstring = isinstance(head[-1], ast.Expr)
            lines[_end(head[-1]) : _end(head[-1])] = [""] * is_docstring + [_IMPORT]
    return "\n".join(lines)


def _head(tree: ast.Module) -> Iterator[ast.stmt]:
    """Go through the docstring and the imports with which a file begins."""
    for at, node in enumerate(tree.body):
        is_docstring = at == 0 and ast.get_docstring(tree) is not None
        if not is_docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            return
        yield node


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _imports_action(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "nango_jupyter"
        and any(one.name == "action" and one.asname is None for one in node.names)
        for node in tree.body
    )


def check_names(text: str, notebook: Collection[str]) -> None:
    """Make sure that an action file stands alone.

    Parameters
    ----------
    text : str
        The file's.
    notebook : collection of str
        The names that the notebook has.

    Raises
    ------
    NangoUsageError
        If it uses names that only the notebook defines.
    """
    if any(_imports_all(node) for node in ast.walk(ast.parse(text))):
        return  # who knows what that brings
    used, defined = set[str](), set(_BUILTINS | _OF_A_MODULE)
    for table in _tables(symtable.symtable(text, "<cell>", "exec")):
        is_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                used.add(symbol.get_name())
            is_global = is_top or symbol.is_declared_global()
            if is_global and (symbol.is_assigned() or symbol.is_imported()):
                defined.add(symbol.get_name())
    missing = sorted((used - defined) & set(notebook))
    if missing:
        raise NangoUsageError(
            f"The cell uses {', '.join(missing)}, defined in the notebook but not in the cell",
            "An action file stands alone: import or define what it uses in the cell. A function "
            "with @status.local.action(…), of status = %nango_status, may use the notebook's.",
        )


def _imports_all(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def load_source(text: str, integration: str, name: str) -> ActionDefinition:
    """Run the text of an action file, and return the action that it defines.

    Raises
    ------
    NangoUsageError
        If it fails, or defines no action; with the line in the text.
    """
    label = f"{integration}/{name}{SUFFIX}"
    filename = f"<{label}>"
    # Tracebacks show its lines, as if it was on the disk; without a time it is never checked.
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    found = load_definition(Path(filename), label, text.encode())
    if isinstance(found, Problem):
        raise NangoUsageError(str(found))
    return found
