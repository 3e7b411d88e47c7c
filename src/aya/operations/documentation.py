"""The documents of the fleet that are kept: recorded from files, looked at again, shown and compared."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from annotated_types import Ge, Le

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.documentation.difference import difference
from aya.documentation.record import DocumentRecorded, record_document
from aya.documentation.secrets import without_secrets
from aya.documentation.text import text_of
from aya.errors import HostError, NotFound, UsageError
from aya.host.document import FileRead, files_under, read_document
from aya.operations.context import Context
from aya.operations.operation import LARGEST, operation

Number = Annotated[int, "Its number, as the list has it.", Ge(1), Le(LARGEST)]


@dataclass(frozen=True, slots=True)
class DocumentationFile:
    """One version of a document with its text."""

    id: int
    file_name: str
    file_path: str
    file_size_bytes: int | None
    file_hash: str | None
    category: str | None
    description: str | None
    content: str | None
    sync_locations: Any
    sync_status: Any
    is_latest: bool | None
    node_name: str | None
    missing_since: datetime | None
    secret_lines: list[int]
    text_problem: str | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DocumentKept:
    """A document that is recorded, without its text."""

    id: int
    file_path: str
    node_name: str | None
    category: str | None
    description: str | None
    file_size_bytes: int | None
    file_hash: str | None
    versions: int
    """How many there are, this one with them."""
    secret_lines: list[int]
    sync_status: Any
    missing_since: datetime | None
    text_problem: str | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DocumentDifference:
    """What differs between two versions of a document."""

    old: str
    new: str
    lines: list[str]
    """As `diff -u` writes them; none where nothing differs."""


@operation(command="docs add")
def add_documents(
    context: Context,
    paths: Annotated[Sequence[str], "Files, and folders with all files in them."],
    *,
    category: Annotated[str | None, "What kind of document: master_plan, verification, …"] = None,
    description: Annotated[str | None, "What it is about."] = None,
    copies: Annotated[Sequence[str] | None, "Where copies of it are kept; for one file only."] = None,
) -> list[DocumentRecorded]:
    """Record files of this machine as documents: hash, size and text without secrets; a new content is a new version.

    What could not be read is told in its place and stops nothing. Raises UsageError for copies of more than one file.
    """
    if copies and (len(paths) != 1 or os.path.isdir(paths[0])):
        raise UsageError("Copies are those of one file.", remedy="Add the file alone, with its copies.")
    found = (one for path in paths for one in files_under(os.path.abspath(path)))
    return list(_recorded(context, found, category=category, description=description, copies=copies))


@operation(command="docs scan")
def scan_documents(context: Context) -> list[DocumentRecorded]:
    """Look again at every document of this machine that is recorded, and at its copies; what changed is a new version."""
    with context.database.connect(Login.READER) as connection, translated(doing="listing the documents"):
        known = rows(connection, query("documents_of_node"), {"node": context.settings.node})
    return list(_recorded(context, (row["file_path"] for row in known)))


def _recorded(context: Context, found: Iterable[FileRead | str], **said: Any) -> Iterator[DocumentRecorded]:
    with context.database.connect() as connection:
        for one in found:
            file = one if isinstance(one, FileRead) else read_document(one)
            context.progress(f"recording {file.path}")
            yield record_document(connection, file, context.redactor, node=context.settings.node, **said)


@operation("GET /documentation", command="docs list")
def list_documentation(
    context: Context, *, category: Annotated[str | None, "Only those of this category."] = None
) -> list[DocumentKept]:
    """The latest version of each document, how many versions there are, and how its copies compared."""
    with context.database.connect(Login.READER) as connection, translated(doing="listing the documents"):
        return [DocumentKept(**row) for row in rows(connection, query("list_documentation"), {"category": category})]


@operation("GET /documentation_files/{number}", command="docs show")
def get_documentation_file(context: Context, number: Number) -> DocumentationFile:
    """A document with its whole text. Raises NotFound."""
    with context.database.connect(Login.READER) as connection, translated(doing=f"reading document {number}"):
        found = rows(connection, "SELECT * FROM documentation_files WHERE id = %(number)s", {"number": number})
    if not found:
        raise _no_document(number)
    return DocumentationFile(**{name: found[0][name] for name in DocumentationFile.__slots__})


@operation("GET /documentation_files/{number}/diff", command="docs diff")
def diff_documentation_file(
    context: Context,
    number: Number,
    *,
    against: Annotated[
        int | None, "The number of the version to compare with; left out: the one before.", Ge(1), Le(LARGEST)
    ] = None,
    disk: bool = False,
) -> DocumentDifference:
    """What differs between a version of a document and the one before it, or another one.

    `disk`: compare with the file as it is on this machine now. Raises NotFound, UsageError where there is nothing to compare
    with or a text is not kept, and HostError when the file cannot be read.
    """
    with context.database.connect(Login.READER) as connection, translated(doing=f"comparing document {number}"):
        this = _version(rows(connection, query("document_version"), {"number": number}), number)
        if disk:
            return _compared(this, _on_disk(context, this["file_path"]))
        other = against or this["previous"]
        if other is None:
            raise UsageError(
                f"Document {number} is the first version of {this['file_path']}.",
                remedy="Name the version to compare with.",
            )
        return _compared(_version(rows(connection, query("document_version"), {"number": other}), other), this)


def _version(found: list[dict[str, Any]], number: int) -> dict[str, Any]:
    if not found:
        raise _no_document(number)
    return {**found[0], "name": f"{found[0]['file_path']} #{number}"}


def _on_disk(context: Context, path: str) -> dict[str, Any]:
    file = read_document(path)
    text = text_of(file.data) if file.data is not None else None
    if file.sha256 is None:
        raise HostError(f"{file.reason}.", remedy="`aya docs scan` notes that it is missing.")
    content = None if text is None else without_secrets(text, context.redactor)[0]
    return {"name": f"{path} on disk", "content": content}


def _compared(old: dict[str, Any], new: dict[str, Any]) -> DocumentDifference:
    for one in (old, new):
        if one["content"] is None:
            raise UsageError(f"The text of {one['name']} is not kept, only its hash.", remedy="Compare the files.")
    return DocumentDifference(
        old["name"], new["name"], difference(old["content"], new["content"], old["name"], new["name"])
    )  # fmt: skip


def _no_document(number: int) -> NotFound:
    return NotFound(f"There is no document {number}.", remedy="`aya docs list` lists those there are.")
