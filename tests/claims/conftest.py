"""A document to read: short, of other machines than the source document's, and true but for what a test makes wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from aya.claims.description import read_page, read_statements
from aya.claims.judging import Claim, judge
from aya.claims.reading import Written
from aya.claims.statement import Page, ServerSetting, Stated
from aya.claims.store import server_settings
from aya.db.database import Login
from aya.host.document import FileRead
from aya.model import Outcome
from aya.operations.context import Context

FLEET = """\
# Fleet of the north
**Date:** 2026-03-01 12:00:00 UTC+1

## 1. gamma (Standby Server)

### Hardware

| Item | Value |
|---|---|
| Model Name | Mac mini |
| Serial Number | C02GAMMA0001 |
| Hardware UUID | 11111111-2222-3333-4444-555555555555 |
| Chip | Apple M2 Pro |
| Total Cores | 10 (6 performance + 4 efficiency) |
| GPU Cores | 16 |
| Memory | 32 GB |
| Memory Bandwidth | 200 GB/s |

### Operating System

- **Version:** macOS 14.5 (Sonoma)
- **Build:** 23F79
- **Kernel:** Darwin 23.5.0

### PostgreSQL

**PostgreSQL Version:**
- **Version:** 16.3
- **Started:** 2026-02-27 12:00:00
- **Uptime:** 48 hours

| Setting | Current | Pending |
|---|---|---|
| `shared_buffers` | 4 GB | 8 GB |
| `work_mem` | 16 MB | |
| `max_slot_wal_keep_size` | -1 (unlimited) | |

## 2. delta (Primary Server)

### Hardware

- **Chip:** Apple M2 Pro
- **Cores:** 12 (8 performance + 4 efficiency)
- **RAM:** 16 GB (half of gamma)

**Internal SSD:**
- **Device:** APPLE SSD AP1024Z
- **Capacity:** 1 TB
- **Free Space:** 250 GB (25% free)

### Network

**Ethernet (en0):**
- **IPv4 Address:** 10.1.2.3
- **Subnet Mask:** 255.255.255.0
- **Gateway:** 10.1.2.1

### Embedding Service

**Performance:**
- **Average:** 20 ms per embedding
- **Throughput:** 50 embeddings/second

## Summary

- **2 Active Nodes:** gamma (standby), delta (primary)
- **1 Pending Node:** eta (laptop)
- **Total RAM:** 48 GB (32 + 16)
"""


@pytest.fixture(scope="session")
def settings_of_postgresql(context: Context) -> dict[str, ServerSetting]:
    """What a real server says of its settings."""
    with context.database.connect(Login.READER) as connection:
        return dict(server_settings(connection))


Read = Callable[[str], tuple[Page, Sequence[Stated]]]
Judged = Callable[[str], list[Claim]]


@pytest.fixture
def read(settings_of_postgresql: dict[str, ServerSetting]) -> Read:
    """Read a text."""

    def of(text: str) -> tuple[Page, Sequence[Stated]]:
        file = FileRead("fleet.md", Outcome.OK, size_bytes=len(text.encode()))
        page = read_page("fleet.md", Written(file, text, ()), settings_of_postgresql)
        return page, read_statements(page)

    return of


@pytest.fixture
def judged(read: Read) -> Judged:
    """Read and judge a text."""
    return lambda text: judge(*read(text))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """That document as a file."""
    path = tmp_path / "fleet.md"
    path.write_text(FLEET)
    return path
