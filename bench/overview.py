"""`v_system_overview` over a fleet, against counting the rows that it counts.

Every node has 50 services and 500 packages. As printed in the source document, the view joins each service of a node to
each of its packages before it counts.
"""

from collections.abc import Callable, Iterator

from aya.db.connection import Connection, rows
from aya.db.database import Login
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

SERVICES, PACKAGES = 50, 500
INSERTS = (
    "INSERT INTO system_nodes (node_name, node_role, cpu_model, ram_gb, os_version) "
    "SELECT 'NODE' || n, 'standalone', 'EPYC', 24, '12 (bookworm)' FROM generate_series(1, %(nodes)s) AS n",
    "INSERT INTO network_interfaces (node_id, interface_name, ipv4_address, is_primary, source) "
    "SELECT n, 'eth' || i, '10.0.0.0'::inet + n, i = 1, 'network' "
    "FROM generate_series(1, %(nodes)s) AS n, generate_series(1, 2) AS i",
    "INSERT INTO services (node_id, service_name, status, source) "
    "SELECT n, 'service' || i, CASE WHEN i %% 5 = 0 THEN 'stopped' ELSE 'running' END, 'services' "
    f"FROM generate_series(1, %(nodes)s) AS n, generate_series(1, {SERVICES}) AS i",
    "INSERT INTO software_versions (node_id, software_name, software_version, software_architecture, is_active, source) "
    "SELECT n, 'deb:package' || i, '1.' || n %% 7, 'x86_64', i %% 10 <> 0, 'packages' "
    f"FROM generate_series(1, %(nodes)s) AS n, generate_series(1, {PACKAGES}) AS i",
)
COUNTS = ("SELECT count(*) FROM services", "SELECT count(*) FROM software_versions")
AS_PRINTED = """
SELECT
    n.node_name, n.node_role, n.cpu_model, n.cpu_cores_total, n.gpu_cores, n.ram_gb, n.storage_internal_tb, n.os_version,
    n.status,
    ni.ipv4_address AS primary_ip,
    COUNT(DISTINCT s.id) FILTER (WHERE s.status = 'running') AS running_services,
    COUNT(DISTINCT sv.id) AS installed_software
FROM system_nodes n
LEFT JOIN network_interfaces ni ON n.id = ni.node_id AND ni.is_primary = TRUE
LEFT JOIN services s ON n.id = s.node_id
LEFT JOIN software_versions sv ON n.id = sv.node_id AND sv.is_active = TRUE
GROUP BY n.id, ni.ipv4_address
"""


def measure(lab: Laboratory) -> Iterator[Line]:
    few, many = 100, 1_000 if lab.quick else 10_000
    with lab.context.database.connect(Login.ADMIN) as admin, lab.context.database.connect(Login.READER) as reader:

        def asking(*statements: str) -> Callable[[], object]:
            return lambda: [reader.execute(statement).fetchall() for statement in statements]

        fill(admin, few)
        printed, counting = interleaved(5, asking(AS_PRINTED), asking(*COUNTS))
        yield Line(what=f"as printed, {few} nodes", ours=printed, against="counting", reference=counting)
        fill(admin, many)
        view = asking("SELECT * FROM v_system_overview")
        overview, counting = interleaved(5 if lab.quick else 9, view, asking(*COUNTS))
        yield Line(
            what=f"the view, {many:,} nodes", ours=overview, against="counting", reference=counting, goal=Goal(3)
        )
    lab.empty()


def fill(connection: Connection, nodes: int) -> None:
    """A fleet. Its indexes are built afterwards and its triggers do not run, which takes a third of the time."""
    tables = ["network_interfaces", "services", "software_versions"]
    with connection.transaction():
        connection.execute("TRUNCATE system_nodes RESTART IDENTITY CASCADE")
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
        indexes = rows(
            connection,
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%(tables)s) AND indexname NOT LIKE '%%_pkey'",
            {"tables": tables},
        )
        for index in indexes:
            connection.execute(f"DROP INDEX {index['indexname']}")
        for insert in INSERTS:
            connection.execute(insert, {"nodes": nodes})
        for index in indexes:
            connection.execute(index["indexdef"])
    connection.execute(f"VACUUM (ANALYZE) system_nodes, {', '.join(tables)}")


figure = Figure(measure)
