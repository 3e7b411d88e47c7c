"""Services: a list with a process, a port or a time of start; PostgreSQL servers among them."""

import re
from collections.abc import Callable, Iterator
from datetime import timezone
from itertools import groupby

from aya.claims.instance import another
from aya.claims.moment import moment_in
from aya.claims.outline import Item
from aya.claims.quantity import SECONDS, quantity
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_MARKS = re.compile(r"(?i)process id|pid|port|bind address|listen(?:s|ing)?(?: address| on)?|started|uptime")
_GENERIC = re.compile(r"(?i)(?:service )?(?:configuration|details|info(?:rmation)?|settings|version|status)$")
_POSTGRES = re.compile(r"(?i)postgres(?:ql)?")


def _read(page: Page) -> Iterator[Stated]:
    zone = page.dated.tzinfo if page.dated else None
    for node in page.nodes:
        items = [item for item in page.items(node) if item.key and not item.is_label]
        for _, group in groupby(items, key=lambda item: item.group):
            members = list(group)
            marks = {item.key.lower() for item in members if _MARKS.fullmatch(item.key)}
            title = members[0].label or (members[0].headings[-1].text if members[0].headings else "")
            is_server = _POSTGRES.search(title) and any(item.key.lower() == "version" for item in members)
            if len(marks) >= 2 or is_server or (marks and re.search(r"(?i)service", members[0].near)):
                yield from _service(page, node, members, zone if isinstance(zone, timezone) else None)


def _service(page: Page, node: str, items: list[Item], zone: timezone | None) -> Iterator[Stated]:
    first = items[0]
    name = next((item.value for item in items if re.fullmatch(r"(?i)(?:service )?name|service", item.key)), None)
    if name is None and _POSTGRES.search(first.label or (first.headings[-1].text if first.headings else "")):
        name = "PostgreSQL"
    if name is None:
        name = first.parents[-1] if first.parents else first.label
        if not name or _GENERIC.search(name):
            name = first.headings[-1].text if first.headings else name
    name = re.sub(r"\s*\([^()]*\)$", "", name).strip()
    port = (page.servers.get(first.number) or page.ports.get(node)) if name == "PostgreSQL" else None
    name += another(page, node, first) if name == "PostgreSQL" else ""
    if not name:
        return

    def stated(item: Item, column: str, value: Json) -> Stated:
        place = Place("services", (("service_name", name),), column)
        return Stated(item=item, node=node, subject=f"service {name} {column}", value=value, place=place)

    if port:
        yield stated(first, "port", port)
    kind = (
        "database"
        if _POSTGRES.search(name)
        else "api"
        if any("API" in item.text or "http" in item.text.lower() for item in items)
        else None
    )
    status = next((item for item in items if item.key.lower() == "status"), None)
    runs = not (status and re.search(r"(?i)stopp|not running|failed|inactive|down", status.value))
    yield stated(
        status or first,
        "status",
        "running" if runs else "failed" if status and "fail" in status.value.lower() else "stopped",
    )
    if kind:
        yield stated(first, "service_type", kind)
    for item in items:
        yield from _attribute(item, stated, zone)


def _attribute(item: Item, stated: Callable[[Item, str, Json], Stated], zone: timezone | None) -> Iterator[Stated]:
    key, value = item.key.lower(), item.value
    number = re.match(r"\d+", value)
    if re.fullmatch(r"process id|pid", key) and number and int(number[0]) < 2**31:
        yield stated(item, "process_id", int(number[0]))
    elif key == "port" and number and int(number[0]) < 65536:
        yield stated(item, "port", int(number[0]))
    elif re.fullmatch(r"bind address|listen(?:ing)? address|bind|listens on", key):
        yield stated(item, "bind_address", value.split(" (")[0].strip())
    elif re.fullmatch(r"started|started at|start time|running since", key) and (at := moment_in(value, zone)):
        yield stated(item, "started_at", at.isoformat())
    elif key == "uptime" and (said := quantity(value, SECONDS)):
        yield stated(item, "uptime_seconds", int(said.value))
    elif re.fullmatch(r"log(?: file| path)?", key):
        yield stated(item, "log_path", value.split(" (")[0].strip())
    elif re.fullmatch(r"data dir(?:ectory)?|data path", key):
        yield stated(item, "data_path", value.split(" (")[0].strip())
    elif re.fullmatch(r"working dir(?:ectory)?", key):
        yield stated(item, "metadata.working_directory", value)
    elif re.fullmatch(r"config(?:uration)? (?:file|path)", key):
        yield stated(item, "config_path", value)
    elif re.fullmatch(r"framework|server", key):
        yield stated(item, f"metadata.{key}", value)


reader = Reader(_read)
