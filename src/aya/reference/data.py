"""The one file of published figures, `platform.toml`, as it was read."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def platform() -> Mapping[str, Any]:
    """Its tables `sources`, `family` and `operating_system`; numbers with a point are exact."""
    return tomllib.loads(files("aya.reference").joinpath("platform.toml").read_text("utf-8"), parse_float=Decimal)


def source(name: str) -> str:
    """The full text of a source. Raises KeyError for one that is not in the file."""
    text: str = platform()["sources"][name]
    return text
