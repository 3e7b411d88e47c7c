"""Documents about the fleet, taken at their word where nobody looked, and held against everything that is known."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

from aya.claims.description import claimed_nodes, count_stated, read_page, read_statements
from aya.claims.judging import judge
from aya.claims.reading import read
from aya.claims.store import put_claims, server_settings, with_measured
from aya.db.database import Database
from aya.documentation.record import record_document
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.record.claimed import record_claimed


@dataclass(frozen=True, slots=True)
class Imported:
    """What importing a document did."""

    document: str
    """The name by which it is known: that of its file."""
    nodes: list[str]
    facts: int
    """Filled columns, keys of metadata and measurements of these nodes."""
    claims: int
    """Statements that were judged."""
    confirmed: int
    contradicted: int
    unverifiable: int
    inserted: int
    """Rows of state that are new."""
    updated: int
    vanished: int
    measurements: int
    """Measurements that came or went."""
    claims_written: int
    """Statements that are new, others, gone, or judged otherwise."""
    left_as_measured: list[str]
    """Sections of nodes that somebody looked at, as `ALPHA settings`: what the document says there is only judged."""
    secret_lines: list[int]
    """Lines of the file on which secrets stand; they are in nothing that is stored."""

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.inserted or self.updated or self.vanished or self.measurements or self.claims_written)


@operation(command="import", writes=True)
def import_document(
    context: Context,
    path: Annotated[str, "The file: an assessment in Markdown."],
    *,
    kind: Annotated[Literal["document"], "What it is; there is `document`."] = "document",
) -> Imported:
    """Read an assessment of machines: record what it says where nobody looked, and judge every statement of it.

    What is recorded is marked as claimed and never counts as verified; what was measured is left as it is. Importing the same
    again writes nothing, a changed document changes what it said. Raises HostError for a file that cannot be read, UsageError
    for one that is no text, empty or too long, and PayloadRefused for what does not fit; then nothing was recorded.
    """
    del kind  # there is only one
    context.progress(f"reading {path}")
    written = read(path, context.redactor)
    name = context.redactor.text(path.rstrip("/").rpartition("/")[2])[:200]
    told = {"actor": f"document:{name}", "reason": f"imported by {context.settings.actor}"}
    with Database(context.settings.model_copy(update=told)).connect() as connection:
        page = read_page(name, written, server_settings(connection))
        stated = read_statements(page)
        nodes = claimed_nodes(page, stated)
        context.progress("judging what it says")
        judged = judge(page, stated)
        context.progress("recording")
        with connection.transaction():
            recorded = record_claimed(connection, name, nodes)
            claims = with_measured(connection, judged, recorded.nodes)
            kept = put_claims(connection, name, claims, recorded.nodes)
            record_document(
                connection, written.file, context.redactor, node=context.settings.node, category="assessment"
            )
    verdicts = Counter(one.verdict.value for one in claims)
    return Imported(
        document=name,
        nodes=[node.name for node in nodes],
        facts=count_stated(nodes),
        claims=len(claims),
        confirmed=verdicts["confirmed"],
        contradicted=verdicts["contradicted"],
        unverifiable=verdicts["unverifiable"],
        inserted=recorded.inserted,
        updated=recorded.updated,
        vanished=recorded.vanished,
        measurements=recorded.measurements,
        claims_written=kept,
        left_as_measured=list(recorded.measured),
        secret_lines=list(written.secret_lines),
    )
