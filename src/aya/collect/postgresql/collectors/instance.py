"""What a PostgreSQL server is: version, build, files, role, timeline, start, who may log in how.

`server_role`: `replica` while in recovery; `primary` while something streams from it (a base backup does not count);
else `standalone`. The architecture is the one that the server was built for, as `version()` says it.
"""

import re

from aya.collect.postgresql.collector import Rows, Server, ServerCollector
from aya.model import Facts, Gap, Instance, Outcome

VERSION = re.compile(r"\son (?P<platform>[\w.]+(?:-[\w.]+)+),? compiled by (?P<compiler>.+?)(?:, (?P<bits>\d+)-bit)?$")


def parse(rows: Rows, server: Server) -> Facts:
    """One row for the server; what could not be read of it is a gap."""
    (row,) = rows["instance"]
    build = VERSION.search(row["version_text"])
    control = next(iter(rows.get("control", ())), {})
    timelines = [t for t in (control.get("timeline"), row["received_timeline"]) if t]
    metadata = {
        "platform": build["platform"] if build else None,
        "bits": int(build["bits"]) if build and build["bits"] else None,
        "cluster_name": row["cluster_name"] or None,
        "block_bytes": row["block_bytes"],
        "wal_segment_bytes": row["wal_segment_bytes"],
        "catalog_version": control.get("catalog_version"),
        "hba_rules": rows.get("hba"),
        "configuration_errors": rows.get("configuration_errors"),
        "available_extensions": rows.get("available_extensions"),
    }
    gaps = []
    if server.system_identifier is None:
        gaps.append(Gap(Outcome.DENIED, "the system identifier may not be read: the server is named by its address"))
    if not server.reads_all_settings:
        gaps.append(Gap(Outcome.DENIED, "folders and files of the server: pg_read_all_settings is not granted"))
    return Facts(
        instances=(
            Instance(
                instance=server.instance,
                system_identifier=server.system_identifier,
                port=server.port,
                server_version=row["server_version"].split()[0],
                server_version_num=server.version_num,
                version_text=row["version_text"],
                compiler=build["compiler"] if build else None,
                architecture=build["platform"].split("-")[0] if build else None,
                data_directory=row["data_directory"],
                config_file=row["config_file"],
                hba_file=row["hba_file"],
                socket_directories=row["socket_directories"],
                listen_addresses=row["listen_addresses"],
                server_role="replica" if row["in_recovery"] else "primary" if row["feeds_others"] else "standalone",
                timeline=row["written_timeline"] or max(timelines, default=None),
                data_checksums={"on": True, "off": False}.get(row["data_checksums"]),
                started_at=row["started_at"],
                metadata={key: value for key, value in metadata.items() if value is not None},
            ),
        ),
        gaps=tuple(gaps),
    )


collector = ServerCollector(
    queries=("instance",),
    further=("control", "hba", "configuration_errors", "available_extensions"),
    parse=parse,
    sections=("instances",),
    metadata={
        "instances:platform": "platform the server was built for, as `x86_64-pc-linux-gnu`",
        "instances:bits": "width of its pointers: 64 or 32",
        "instances:cluster_name": "name given to the server in its settings",
        "instances:block_bytes": "size of a page in bytes",
        "instances:wal_segment_bytes": "size of a segment of the write-ahead log in bytes",
        "instances:catalog_version": "version number of its system catalogs",
        "instances:hba_rules": "rules of client authentication, in the order that counts; absent where not permitted",
        "instances:hba_rules[].line_number": "line of the rule, or of what is wrong",
        "instances:hba_rules[].file": "file of the rule; null before PostgreSQL 16, where there is only `hba_file`",
        "instances:hba_rules[].type": "local, host, hostssl, hostnossl, hostgssenc or hostnogssenc",
        "instances:hba_rules[].databases": "databases it applies to",
        "instances:hba_rules[].users": "roles it applies to",
        "instances:hba_rules[].address": "host name, address or keyword it applies to; null for local",
        "instances:hba_rules[].netmask": "mask of the address",
        "instances:hba_rules[].method": "authentication method",
        "instances:hba_rules[].options": "options of the method, secrets redacted",
        "instances:hba_rules[].error": "why the rule cannot be used",
        "instances:configuration_errors": "what is wrong in the configuration files and belongs to no known setting",
        "instances:configuration_errors[].file": "file with the error",
        "instances:configuration_errors[].line": "line of the error",
        "instances:configuration_errors[].name": "name of the unknown setting; null for a syntax error",
        "instances:configuration_errors[].error": "what PostgreSQL says about it",
        "instances:available_extensions": "extensions whose control files the server has, installed anywhere or not",
        "instances:available_extensions[].name": "name of the extension",
        "instances:available_extensions[].default_version": "version that CREATE EXTENSION would install",
        "instances:available_extensions[].comment": "what it says about itself",
    },
)
