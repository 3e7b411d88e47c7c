"""Services of a Mac with a PostgreSQL server for Intel, and a program of a person that listens."""

import plistlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos._launchd import jobs_in_list, jobs_in_print
from aya.collect.macos._lsof import holders_in_fields, holders_in_netstat, holders_in_table
from aya.collect.macos._plist import parsed
from aya.collect.macos.services import collector
from aya.model import Facts, Outcome, Service
from tests.collect.answers import Given, found, refused
from tests.collect.declared import floats, undeclared
from tests.collect.test_macho import ARM64, X86_64, single

POSTGRES = "/Library/PostgreSQL/18/bin/postgres"
PYTHON = "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9/Resources/Python.app"
PROCESSES = f"""\
    1     0     4004 root             Tue Oct  7 08:20:01 2025     /sbin/launchd
 1674     1    24004 postgres         Tue Oct  7 08:21:11 2025     {POSTGRES}
 1680  1674    24004 postgres         Tue Oct  7 08:21:12 2025     postgres: checkpointer
65125  1900     4004 arthur           Thu Oct  9 11:49:00 2025     {PYTHON}/Contents/MacOS/Python
  700     1     4004 arthur           Tue Oct  7 08:25:00 2025     /System/Library/CoreServices/ControlCenter
"""
ARGUMENTS = f"""\
 1674 {POSTGRES} -D /Library/PostgreSQL/18/data
65125 python3 -m uvicorn embedding:app --host 0.0.0.0 --port 8765
  700 /System/Library/CoreServices/ControlCenter
"""
NETSTAT = """\
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      rhiwat  shiwat    pid   epid state  options
tcp4       0      0  127.0.0.1.5432         127.0.0.1.50000        ESTABLISHED  407296  146988   1674      0 00102 00000008
tcp6       0      0  *.5432                 *.*                    LISTEN       131072  131072   1674      0 00100 00000106
tcp4       0      0  *.5432                 *.*                    LISTEN       131072  131072   1674      0 00100 00000106
tcp4       0      0  *.8765                 *.*                    LISTEN       131072  131072  65125      0 00100 00000006
tcp4       0      0  *.7000                 *.*                    LISTEN       131072  131072    700      0 00100 00000006
"""


def job(**told: Any) -> str:
    return plistlib.dumps(told).decode()


ALPHA: dict[str, Given] = {
    "launchctl list": "PID\tStatus\tLabel\n"
    "1674\t0\tpostgresql-18\n"
    "-\t78\tcom.example.broken\n"
    "-\t0\tcom.apple.idle\n"
    "700\t0\tcom.apple.controlcenter\n"
    "910\t0\tapplication.com.google.Chrome.1.2\n",
    "ps -axww -o pid=,ppid=,flags=,user=,lstart=,comm=": PROCESSES,
    "ps -axww -o pid=,args=": ARGUMENTS,
    "netstat -anv -p tcp": NETSTAT,
    "lsof -nP -iTCP -sTCP:LISTEN -F pcnPtTuL": "p65125\ncPython\nu501\nLarthur\nf5\ntIPv4\nPTCP\nn*:8765\nTST=LISTEN\n",
    "sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n",
    "sysctl kern": "kern.boottime: { sec = 1759825200, usec = 12 } Tue Oct  7 08:20:00 2025\n",
    "uptime": "12:20  up 2 days,  4:00, 3 users, load averages: 1.00 2.00 3.00\n",
    "user-id": "501",
    "/Library/LaunchDaemons/postgresql-18.plist": job(
        Label="postgresql-18",
        ProgramArguments=[POSTGRES, "-D", "/Library/PostgreSQL/18/data"],
        RunAtLoad=True,
        KeepAlive={"SuccessfulExit": False},
        UserName="postgres",
        EnvironmentVariables={"PGPASSWORD": "hunter2"},
    ),
    "/System/Library/LaunchAgents/com.apple.idle.plist": job(Label="com.apple.idle", Program="/usr/libexec/idle"),
    "/System/Library/LaunchAgents/com.apple.controlcenter.plist": job(Label="com.apple.controlcenter", Program="/x"),
    f"head {POSTGRES}": single(X86_64),
    f"head {PYTHON}/Contents/MacOS/Python": single(ARM64),
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def service(facts: Facts, name: str) -> Service:
    return next(one for one in facts.services if one.service_name == name)


def test_a_job_and_what_its_process_listens_on_are_one_row() -> None:
    postgres = service(understood(ALPHA), "postgresql-18")
    assert (postgres.service_type, postgres.status, postgres.process_id) == ("database", "running", 1674)
    assert (postgres.port, postgres.bind_address) == (5432, "0.0.0.0")
    assert [one["address"] for one in postgres.metadata["listeners"]] == ["0.0.0.0", "::"]
    assert (postgres.executable_path, postgres.data_path) == (POSTGRES, "/Library/PostgreSQL/18/data")
    assert postgres.config_path == "/Library/PostgreSQL/18/data/postgresql.conf"
    assert (postgres.auto_start, postgres.auto_restart) == (True, True)
    assert postgres.metadata["restart"] == "on conditions"


def test_the_kernel_says_who_runs_under_rosetta() -> None:
    facts = understood(ALPHA)
    postgres, uvicorn = service(facts, "postgresql-18").metadata, service(facts, "uvicorn:8765").metadata
    assert (postgres["architecture"], postgres["runtime_mode"]) == ("x86_64", "Rosetta 2")
    assert (uvicorn["architecture"], uvicorn["runtime_mode"]) == ("ARM64", "native")
    assert facts.observed["translated_programs"] == [POSTGRES, "postgres: checkpointer"]


def test_a_start_is_known_to_the_second_and_how_long_ago_it_was() -> None:
    postgres = service(understood(ALPHA), "postgresql-18")
    assert postgres.started_at is not None
    assert postgres.started_at.isoformat() == "2025-10-07T08:21:11+00:00"
    assert postgres.uptime_seconds == 2 * 86400 + 4 * 3600 - 71


def test_a_program_of_a_person_has_a_row_under_its_own_name() -> None:
    uvicorn = service(understood(ALPHA), "uvicorn:8765")
    assert (uvicorn.service_type, uvicorn.port, uvicorn.metadata["user"]) == ("api", 8765, "arthur")
    assert uvicorn.auto_start is None


def test_apple_s_own_jobs_count_where_they_listen_and_not_while_they_wait_to_be_called() -> None:
    names = [one.service_name for one in understood(ALPHA).services]
    assert names == ["com.apple.controlcenter", "com.example.broken", "postgresql-18", "uvicorn:8765"]


def test_a_job_s_file_is_read_in_the_binary_form_as_well() -> None:
    path = "/System/Library/LaunchAgents/com.apple.idle.plist"
    binary = plistlib.dumps({"Label": "com.apple.idle", "RunAtLoad": True}, fmt=plistlib.FMT_BINARY)
    assert service(understood(ALPHA | {path: binary}), "com.apple.idle").auto_start is True


def test_a_list_that_holds_itself_is_none() -> None:
    # An array of two references to itself: `bplist00`, the array, its offset, and the trailer.
    trailer = bytes(6) + b"\x01\x01" + b"".join(number.to_bytes(8, "big") for number in (1, 0, 11))
    data = b"bplist00\xa2\x00\x00\x08" + trailer
    assert isinstance(plistlib.loads(data)[1][0], list)
    assert parsed(data) is None


def test_a_job_that_ended_with_an_error_and_was_not_started_again_failed() -> None:
    broken = service(understood(ALPHA), "com.example.broken")
    assert (broken.status, broken.metadata["exit_status"], broken.process_id) == ("failed", 78, None)


def test_no_secret_of_a_job_is_kept() -> None:
    assert "hunter2" not in repr(understood(ALPHA))


def test_a_listener_without_an_owner_is_a_gap_for_an_ordinary_user_only() -> None:
    netstat = NETSTAT.replace("65125      0", "    0      0")
    mine = ALPHA | {"netstat -anv -p tcp": netstat, "lsof -nP -iTCP -sTCP:LISTEN -F pcnPtTuL": ""}
    assert [gap.outcome for gap in understood(mine).gaps] == [Outcome.DENIED]
    assert understood(mine | {"user-id": "0"}).gaps == ()
    assert understood(mine).metadata["services"]["unattributed_listeners"][0]["port"] == 8765


def test_the_three_ways_to_list_who_listens_agree() -> None:
    fields = "p1674\ncpostgres\nLpostgres\nf7\ntIPv6\nPTCP\nn[::1]:5432\nf8\ntIPv4\nPTCP\nn127.0.0.1:5432\n"
    table = (
        "COMMAND   PID     USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME\n"
        "postgres 1674 postgres    7u  IPv6 0x5cd0e8f3      0t0  TCP [::1]:5432 (LISTEN)\n"
        "postgres 1674 postgres    8u  IPv4 0x5cd0e8f4      0t0  TCP 127.0.0.1:5432 (LISTEN)\n"
    )
    netstat = (
        "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state)  rxbytes  txbytes  rhiwat  shiwat  process:pid\n"
        "tcp6 0 0 ::1.5432 *.* LISTEN 0 0 131072 131072 postgres:1674\n"
        "tcp4 0 0 127.0.0.1.5432 *.* LISTEN 0 0 131072 131072 postgres:1674\n"
    )
    ways = [
        [(one.pid, one.listener.address, one.listener.port) for one in way]
        for way in (holders_in_fields(fields), holders_in_table(table), holders_in_netstat(netstat))
    ]
    assert ways[0] == ways[1] == ways[2] == [(1674, "::1", 5432), (1674, "127.0.0.1", 5432)]


def test_the_jobs_of_the_machine_are_seen_without_being_root() -> None:
    rows = "\t\t       0     78 \tcom.example.broken\n\t\t    1674      - \tpostgresql-18\n"
    text = f"system = {{\n\ttype = system\n\tservices = {{\n{rows}\t}}\n}}\n"
    jobs = jobs_in_print(text)
    assert (jobs["postgresql-18"].pid, jobs["com.example.broken"].status) == (1674, "failed")


def test_only_the_list_of_people_s_processes_still_names_a_server() -> None:
    aux = (
        "USER       PID  %CPU %MEM      VSZ    RSS   TT  STAT STARTED      TIME COMMAND\n"
        f"postgres  1674   0.0  0.1 34000000  30000   ??  Ss   Tue08AM   0:01.00 {POSTGRES} -D /Library/PostgreSQL/18/data\n"
        "postgres  1680   0.0  0.1 34000000  30000   ??  Ss   Tue08AM   0:01.00 postgres: checkpointer \n"
    )
    facts = understood({"ps aux": aux})
    assert [one.service_name for one in facts.services] == ["postgres:/Library/PostgreSQL/18/data"]
    assert len(facts.gaps) == 2


def test_a_machine_that_tells_nothing_is_a_gap_for_each_thing_that_is_not_known() -> None:
    facts = understood({"launchctl list": refused("launchctl: no")})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED, Outcome.UNSUPPORTED]


@given(
    st.dictionaries(
        st.from_regex(r"(com|org)\.[a-z]{1,8}\.[a-z-]{1,10}", fullmatch=True),
        st.tuples(st.one_of(st.none(), st.integers(1, 99999)), st.integers(-15, 127)),
        max_size=6,
    )
)
def test_every_job_that_is_listed_is_understood(jobs: dict[str, tuple[int | None, int]]) -> None:
    text = "PID\tStatus\tLabel\n" + "".join(
        f"{pid or '-'}\t{status}\t{label}\n" for label, (pid, status) in jobs.items()
    )
    understood_jobs = jobs_in_list(text)
    assert {label: (one.pid, one.exit_status) for label, one in understood_jobs.items()} == jobs


@given(
    st.sampled_from(sorted(name for name in ALPHA if not name.startswith("head"))),
    st.integers(0, 900),
    st.binary(max_size=9),
)
def test_an_answer_with_a_hole_never_breaks_it(question: str, place: int, noise: bytes) -> None:
    whole = ALPHA[question]
    assert isinstance(whole, str)
    data = whole.encode()
    facts = collector.parse(found(collector, ALPHA | {question: data[:place] + noise + data[place + 5 :]}))
    assert all(one.port is None or 0 <= one.port < 65536 for one in facts.services)
