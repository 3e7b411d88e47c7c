"""A folder is the registry: drop a file in, and the thing it defines exists."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

T = TypeVar("T")


def discover(package: str, kind: type[T], attribute: str) -> dict[str, T]:
    """Import every module of `package` and return `{module name: module.attribute}`, sorted by name.

    A module whose name begins with `_` is private to the folder and not registered. An import error, a missing
    attribute or one of another type is an error and is raised: nothing is skipped.
    """
    found: dict[str, T] = {}
    for module in sorted(iter_modules(import_module(package).__path__), key=lambda module: module.name):
        if module.name.startswith("_"):
            continue
        value = getattr(import_module(f"{package}.{module.name}"), attribute)
        if not isinstance(value, kind):
            raise TypeError(f"{package}.{module.name}.{attribute} is not a {kind.__name__}")
        found[module.name] = value
    return found
