"""What the words of AYA mean, and the keys that have no column."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

from aya.collect.catalogue import every_collector
from aya.collect.postgresql.run import server_collectors
from aya.operations.context import Context
from aya.operations.operation import Kind, operation


@operation("GET /glossary", command="glossary", kind=Kind.TEXT)
def glossary(context: Context) -> str:  # noqa: ARG001 - every operation takes it
    """The terms that AYA uses, the keys of `metadata`, and the measurements, each with its meaning; as Markdown."""
    machine, servers = [one for _, one in every_collector()], server_collectors().values()
    keys = _merged([one.metadata for one in machine], [one.metadata for one in servers])
    measures = _merged([one.measures for one in machine], [one.measures for one in servers])
    lines = [
        (files("aya") / "glossary.md").read_text(),
        "## Keys of metadata\n\nA plain key is one of the node's; `section:key` is one of the rows of that section.\n",
        *_table("key", keys),
        "\n## Measurements\n",
        *_table("category.name", measures),
    ]
    return "\n".join(lines) + "\n"


def _merged(*groups: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {key: meaning for group in groups for one in group for key, meaning in one.items()}


def _table(what: str, meanings: Mapping[str, str]) -> Iterator[str]:
    yield from (f"| {what} | meaning |", "|---|---|")
    yield from (f"| `{key}` | {meanings[key].replace('|', '/')} |" for key in sorted(meanings))
