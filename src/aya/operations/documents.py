"""The documents that are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from annotated_types import Ge, Le

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.errors import NotFound
from aya.operations.context import Context
from aya.operations.operation import LARGEST, operation


@dataclass(frozen=True, slots=True)
class DocumentationFile:
    """One document with its text."""

    id: int
    file_name: str
    file_path: str
    file_size_bytes: int | None
    file_hash: str | None
    category: str | None
    description: str | None
    content: str | None
    sync_locations: Any
    is_latest: bool | None
    created_at: datetime | None
    updated_at: datetime | None


@operation("GET /documentation_files/{number}", command="document")
def get_documentation_file(
    context: Context, number: Annotated[int, "Its number, as the list has it.", Ge(1), Le(LARGEST)]
) -> DocumentationFile:
    """A document with its whole text. Raises NotFound."""
    with context.database.connect(Login.READER) as connection, translated(doing=f"reading document {number}"):
        found = rows(connection, "SELECT * FROM documentation_files WHERE id = %(number)s", {"number": number})
    if not found:
        raise NotFound(
            f"There is no document {number}.", remedy="`aya show documentation_files` lists those there are."
        )
    return DocumentationFile(**{name: found[0][name] for name in DocumentationFile.__slots__})
