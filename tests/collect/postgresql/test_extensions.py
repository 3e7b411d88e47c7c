"""An extension is told with its version, and whether its files are still there."""

from aya.model import SchemaObject
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import collected


def extensions(cluster: Cluster, database: str, **options: str) -> dict[str | None, SchemaObject]:
    return {row.object_name: row for row in collected("extensions", cluster, database, **options).schemas}


def test_an_installed_extension_is_whole(cluster: Cluster) -> None:
    language = extensions(cluster, "postgres")["plpgsql"]
    assert (language.kind, language.schema_name, language.database_name) == ("extension", "pg_catalog", "postgres")
    assert language.metadata["version"] == language.metadata["default_version"] == "1.0"
    assert language.metadata["control_file_is_there"] is True
    assert language.metadata["libraries"] == [{"library": "$libdir/plpgsql", "is_there": True}]
    assert language.metadata["library_is_missing"] is False


def test_an_extension_whose_library_is_gone_is_told(cluster: Cluster) -> None:
    with cluster.scratch() as database:
        # What an upgrade without the extension's package leaves behind: the catalogs name a file that is not there.
        cluster.run(
            "UPDATE pg_proc SET probin = '$libdir/gone' WHERE proname = 'plpgsql_call_handler'",
            "UPDATE pg_proc SET probin = 'gone_too' WHERE proname = 'plpgsql_validator'",
            database=database,
        )
        language = extensions(cluster, database)["plpgsql"]
    assert language.metadata["library_is_missing"] is True
    assert language.metadata["libraries"] == [
        {"library": "$libdir/gone", "is_there": False},
        {"library": "$libdir/plpgsql", "is_there": True},
        {"library": "gone_too", "is_there": False},
    ]


def test_an_extension_whose_control_file_is_gone_is_told_to_a_monitor_too(cluster: Cluster) -> None:
    with cluster.scratch() as database:
        cluster.run("UPDATE pg_extension SET extname = 'gone'", database=database)
        assert extensions(cluster, database)["gone"].metadata["control_file_is_there"] is False
        assert "default_version" not in extensions(cluster, database)["gone"].metadata


def test_a_monitor_does_not_claim_to_know_about_libraries(cluster: Cluster) -> None:
    language = extensions(cluster, "postgres", user="monitor")["plpgsql"]
    assert "library_is_missing" not in language.metadata
    assert "libraries" not in language.metadata
