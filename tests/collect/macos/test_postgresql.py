"""PostgreSQL servers that are installed on a Mac."""

from aya.collect.macos.postgresql import collector
from aya.model import Facts, Outcome
from tests.collect.answers import Given, found
from tests.collect.declared import undeclared
from tests.collect.test_macho import ARM64, X86_64, single, universal

EDB = "/Library/PostgreSQL/18"
HEADER = (
    '#define PG_VERSION_STR "PostgreSQL 18.0 on x86_64-apple-darwin23.6.0, '
    'compiled by Apple clang version 16.0.0 (clang-1600.0.26.6), 64-bit"\n'
)
APPLE: dict[str, Given] = {"sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n", "/cores": ""}
ALPHA: dict[str, Given] = APPLE | {
    f"{EDB}/bin/postgres": "",
    f"{EDB}/include/postgresql/server/pg_config.h": HEADER,
    f"head {EDB}/bin/postgres": single(X86_64),
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    return facts


def test_a_server_for_intel_runs_under_rosetta_on_apple_silicon() -> None:
    (server,) = understood(ALPHA).software
    assert (server.software_name, server.software_version) == ("PostgreSQL", "18.0")
    assert (server.software_architecture, server.runtime_mode) == ("x86_64", "Rosetta 2")
    assert server.compiler == "Apple clang version 16.0.0 (clang-1600.0.26.6)"
    assert (server.install_path, server.metadata["distribution"]) == (EDB, "EDB")
    assert server.metadata["platform"] == "x86_64-apple-darwin23.6.0"


def test_the_same_server_is_native_on_an_intel_mac() -> None:
    intel = {"sysctl hw": "hw.optional.x86_64: 1\nhw.cpu64bit_capable: 1\nhw.cputype: 7\n"}
    (server,) = understood(ALPHA | intel).software
    assert (server.software_architecture, server.runtime_mode) == ("x86_64", "native")


def test_whoever_asks_from_under_rosetta_is_not_fooled() -> None:
    translated = {"sysctl hw": "hw.cputype: 7\nhw.optional.x86_64: 1\n", "sysctl -n sysctl.proc_translated": "1\n"}
    (server,) = understood(ALPHA | translated).software
    assert server.runtime_mode == "Rosetta 2"


def test_a_universal_server_runs_its_own_part() -> None:
    app = "/Applications/Postgres.app/Contents/Versions/18"
    given: dict[str, Given] = APPLE | {
        f"{app}/bin/postgres": "",
        f"head {app}/bin/postgres": universal(X86_64, ARM64) + HEADER.replace("x86_64", "aarch64").encode(),
    }
    (server,) = understood(given).software
    assert (server.software_architecture, server.runtime_mode) == ("ARM64", "native")
    assert (server.metadata["distribution"], server.metadata["architectures"]) == ("Postgres.app", ["x86_64", "ARM64"])
    assert server.software_version == "18.0"


def test_links_of_homebrew_lead_to_one_server() -> None:
    keg = "/opt/homebrew/Cellar/postgresql@17/17.6"
    given: dict[str, Given] = APPLE | {
        f"{keg}/bin/postgres": "",
        "/opt/homebrew/bin/postgres": "../Cellar/postgresql@17/17.6/bin/postgres",
        f"head {keg}/bin/postgres": single(ARM64) + HEADER.replace("18.0", "17.6 (Homebrew)").encode(),
    }
    (server,) = understood(given).software
    assert (server.install_path, server.software_version) == (keg, "17.6")
    assert (server.metadata["distribution"], server.metadata["packager"]) == ("Homebrew", "Homebrew")


def test_a_server_that_does_not_tell_its_version_is_a_row_and_a_gap() -> None:
    facts = understood(APPLE | {f"{EDB}/bin/postgres": "", f"head {EDB}/bin/postgres": single(X86_64)})
    assert [row.software_version for row in facts.software] == [None]
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_a_mac_without_a_server_has_none() -> None:
    assert understood(APPLE).absent


def test_a_recording_of_a_header_file_alone_names_the_server_and_does_not_say_that_it_is_the_only_one() -> None:
    facts = understood({f"{EDB}/include/postgresql/server/pg_config.h": HEADER})
    assert [(row.install_path, row.software_version) for row in facts.software] == [(EDB, "18.0")]
    assert [gap.reason for gap in facts.gaps] == ["PostgreSQL servers: only what is in the recording is known"]


def test_what_programs_printed_about_a_server_counts_in_a_recording_without_files() -> None:
    told = {
        f"file {EDB}/bin/postgres": f"{EDB}/bin/postgres: Mach-O 64-bit executable x86_64\n",
        "postgres --version": "postgres (PostgreSQL) 18.0\n",
        "sysctl hw": "hw.optional.arm64: 1\n",
    }
    (server,) = understood(told).software
    assert (server.software_version, server.software_architecture, server.runtime_mode) == (
        "18.0",
        "x86_64",
        "Rosetta 2",
    )
