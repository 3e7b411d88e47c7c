"""Services, by name: whether they are there, run, start by themselves, and on which port and address they listen.

By nature different: when they were started, and where their files are. Names in which a node's own name or folder
stands are compared without it.
"""

from collections.abc import Iterator, Mapping

from aya.drift.thing import NodeDocument, Section, Thing, told

COMPARED = ("status", "port", "bind_address", "auto_start", "auto_restart")
NATURE = ("service_type", "executable_path", "config_path", "data_path", "log_path", "pid_file_path", "started_at")


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:  # noqa: ARG001 - the shape of all
    """One for each service of the node."""
    for name, row in state.get("services", {}).items():
        yield Thing((), name, told(row, (*COMPARED, *NATURE)), by_nature=frozenset(NATURE))


section = Section(things=things, reads=("services",), looks=lambda _target: (("services", ""),))
