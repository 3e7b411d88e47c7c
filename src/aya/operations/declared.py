"""Which commands operations declare, read from their source without running it: `aya --help` must not wait for what
they import.
"""

import ast
from collections.abc import Iterator
from importlib.resources import files

from aya.operations.sentence import first_sentence


def declared_commands() -> dict[str, str]:
    """The words of each command after `aya`, and what the operation does in one sentence."""
    sources = sorted(
        (entry for entry in files("aya.operations").iterdir() if entry.name.endswith(".py")),
        key=lambda entry: entry.name,
    )
    return dict(pair for source in sources for pair in _in(ast.parse(source.read_text("utf-8"))))


def _in(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
                    if keyword.arg == "command" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value), first_sentence(ast.get_docstring(node) or "")
