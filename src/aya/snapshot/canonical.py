"""RFC 8785 canonical JSON: one way to write a document, so that equal documents have equal hashes.

Numbers that a double cannot hold exactly are written as text: RFC 8785 would refuse or round them.
"""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785

from aya.errors import SnapshotError

EXACT = 2**53 - 1


def canonical(document: Any) -> bytes:
    """The canonical bytes of a document. Raises SnapshotError for what JSON cannot say (NaN, a lone surrogate)."""
    try:
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise SnapshotError(f"The document cannot be written as canonical JSON: {error}.") from error


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(data).hexdigest()


def plain(value: Any) -> Any:
    """A value as the state document writes it: text for times (UTC), identities, decimals and large integers."""
    match value:
        case bool() | None | str() | float():
            return value
        case int():
            return value if -EXACT <= value <= EXACT else str(value)
        case Decimal():
            return format(value.normalize(), "f") if value else "0"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return str(value)
