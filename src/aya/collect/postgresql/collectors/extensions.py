"""The extensions of each database, and whether what they need is still there.

One row of kind `extension` each. An extension can be in the catalogs while its files are gone, as after an upgrade of
the server without its packages: `control_file_is_there` and `libraries[].is_there` tell. What is available but not
installed is the same in every database and stands with the instance (`available_extensions`).
"""

from aya.collect.postgresql.collector import Rows, Server, ServerCollector
from aya.model import Facts, SchemaObject


def parse(rows: Rows, server: Server) -> Facts:
    """One row for each extension of this database."""
    known = rows.get("available_extensions")
    available = {row["name"]: row["default_version"] for row in known or ()}
    looked = rows.get("extension_libraries")
    extensions = []
    for row in rows["extensions"]:
        name = row["name"]
        libraries = [
            {"library": used["library"], "is_there": used["is_there"]}
            for used in looked or ()
            if used["extension"] == name
        ]
        metadata = {
            "kind": "extension",
            "version": row["version"],
            "default_version": available.get(name),
            "owner": row["owner"],
            "comment": row["comment"],
            "control_file_is_there": None if known is None else name in available,
            "libraries": None if looked is None else libraries,
            "library_is_missing": None if looked is None else not all(library["is_there"] for library in libraries),
        }
        extensions.append(
            SchemaObject(
                instance=server.instance,
                database_name=server.database,
                kind="extension",
                schema_name=row["schema"],
                object_name=name,
                metadata={key: value for key, value in metadata.items() if value is not None},
            )
        )
    return Facts(schemas=tuple(extensions))


collector = ServerCollector(
    queries=("extensions",),
    further=("available_extensions", "extension_libraries"),
    parse=parse,
    each_database=True,
    sections=("schemas",),
    metadata={
        "schemas:kind": "extension",
        "schemas:version": "version in this database",
        "schemas:default_version": "version that the server's files would install; absent where they are gone",
        "schemas:owner": "role that owns it",
        "schemas:comment": "what it says about itself",
        "schemas:control_file_is_there": "whether the server still has the extension's files; absent: not known",
        "schemas:libraries": "shared libraries that its functions live in; absent where it may not be looked for",
        "schemas:libraries[].library": "path as the functions name it",
        "schemas:libraries[].is_there": "whether the file is there",
        "schemas:library_is_missing": "whether any of the libraries is gone, so that its functions fail",
    },
)
