"""A recorded machine answers what was recorded, however it was spelled, and nothing that was not."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from aya.host.reading import Call, Command, File, Files, Found, Head, Links, Names, Read, name_of
from aya.host.recorded import RecordedHost
from aya.model import Outcome

Written = Mapping[str, str | bytes]


def host(folder: Path, manifest: Mapping[str, object], files: Written = {}) -> RecordedHost:  # noqa: B006
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "host.json").write_text(json.dumps({"system": "Linux"} | dict(manifest)))
    return RecordedHost.open(folder)


def of_commands(folder: Path, answers: Mapping[str, str], system: str = "Darwin") -> RecordedHost:
    names = {line: f"{number}.txt" for number, line in enumerate(answers)}
    manifest = {"system": system, "commands": {line: {"stdout": name, "exit": 0} for line, name in names.items()}}
    return host(folder, manifest, {names[line]: text for line, text in answers.items()})


def command(line: str) -> Command:
    return Command(tuple(line.split()))


def text(recorded: RecordedHost, read: Read) -> str | None:
    return Found.of(recorded, [read]).text(name_of(read))


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("/usr/sbin/sysctl hw", "sysctl hw"),
        ("sudo /usr/sbin/dmidecode 2>/dev/null", "dmidecode"),
        ("LC_ALL=C lscpu", "lscpu"),
        ("lscpu --json", "lscpu -J"),
        ("lsblk -Jb -o NAME,SIZE", "lsblk -J -b -O"),
        ("smartctl --json --xall /dev/sda", "smartctl -j -a /dev/sda"),
        ("smartctl --json=c -a /dev/sda", "smartctl -j -a /dev/sda"),
        ("smartctl -aj disk0", "smartctl -j -a /dev/disk0"),
        ("smartctl --all --json --device=sat /dev/sda", "smartctl -j -a /dev/sda"),
        ("ip -details -json address show", "ip -d -j addr"),
        ("ip addr", "ip addr show"),
        ("nvidia-smi -x -q", "nvidia-smi -q -x"),
        ("rocm-smi --json", "rocm-smi -a --showmeminfo all --json"),
        ("nvme list --output-format=json", "nvme list -o json"),
        ("system_profiler SPHardwareDataType -json -detailLevel full", "system_profiler -json SPHardwareDataType"),
        ("ioreg -rc AGXAccelerator -w 0", "ioreg -r -c AGXAccelerator"),
        ("diskutil info -plist /dev/disk0", "diskutil info -plist disk0"),
        ("sudo lsof -n -P -iTCP -sTCP:LISTEN", "lsof -nP -iTCP -sTCP:LISTEN"),
        ("/Applications/Tailscale.app/Contents/MacOS/Tailscale status --json", "tailscale status --json"),
        ("smartctl -aix -j IOService:/x/RTBuddy(ANS2)/AppleANS3NVMeController/NS_01@1", "smartctl -j -a /dev/disk0"),
        ("rocm-smi --showallinfo --json", "rocm-smi -a --showmeminfo all --json"),
    ],
)
def test_the_same_question_in_other_words_is_answered(tmp_path: Path, recorded: str, asked: str) -> None:
    assert text(of_commands(tmp_path, {recorded: "said"}), command(asked)) == "said"


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("lscpu", "lscpu -J"),
        ("lscpu -p=CPU,Core", "lscpu"),
        ("lsblk", "lsblk -J -b -O"),
        ("smartctl -j -a /dev/sdb", "smartctl -j -a /dev/sda"),
        ("smartctl -j -a -d megaraid,14 /dev/sda", "smartctl -j -a /dev/sda"),
        ("smartctl --scan --json", "smartctl -j -a /dev/sda"),
        ("df -h", "df -k"),
        ("system_profiler -xml SPHardwareDataType", "system_profiler -json SPHardwareDataType"),
        ("system_profiler SPHardwareDataType | grep Chip", "system_profiler SPHardwareDataType"),
        ("netstat -rn -f inet6", "netstat -rn -f inet"),
        ("ip -4 -j addr", "ip -j addr"),
        ("/opt/gcc/bin/gcc --version", "/usr/bin/gcc --version"),
        ("dmidecode -s system-uuid", "dmidecode"),
    ],
)
def test_another_question_is_no_answer(tmp_path: Path, recorded: str, asked: str) -> None:
    answer = Found.of(of_commands(tmp_path, {recorded: "said"}), [command(asked)]).answer(asked)

    assert (answer.outcome, answer.data) == (Outcome.UNREADABLE, b"")
    assert asked in answer.reason


def test_the_nearest_of_several_is_taken(tmp_path: Path) -> None:
    recorded = of_commands(
        tmp_path,
        {
            "smartctl -j -H /dev/sda": "health",
            "smartctl -j -x /dev/sda": "all",
            "/sbin/smartctl -j -a /dev/sda": "same",
        },
    )

    assert text(recorded, command("smartctl -j -a /dev/sda")) == "same"


SYSCTL = "hw.ncpu: 8\nhw.model: Mac14,2\nkern.version: Darwin 23\n second line\nmachdep.cpu.brand_string: Apple M2\n"


@pytest.mark.parametrize("recorded", ["sysctl -a", "sysctl hw machdep kern"])
def test_of_all_kernel_variables_the_area_is_cut_out(tmp_path: Path, recorded: str) -> None:
    machine = of_commands(tmp_path, {recorded: SYSCTL})

    assert text(machine, command("sysctl hw")) == "hw.ncpu: 8\nhw.model: Mac14,2\n"
    assert text(machine, command("sysctl kern")) == "kern.version: Darwin 23\n second line\n"
    assert text(machine, command("sysctl -n machdep.cpu.brand_string")) == "Apple M2\n"
    assert not Found.of(machine, [command("sysctl hw")]).gaps()


def test_single_kernel_variables_answer_for_an_area_but_not_for_all_of_it(tmp_path: Path) -> None:
    machine = of_commands(tmp_path, {"sysctl -n hw.ncpu": "8\n", "sysctl hw.model": "hw.model: Mac14,2\n"})
    found = Found.of(machine, [command("sysctl hw")])

    assert found.text("sysctl hw") == "hw.ncpu: 8\nhw.model: Mac14,2\n"
    assert [gap.outcome for gap in found.gaps()] == [Outcome.UNREADABLE]


REPORT = "Hardware:\n\n    Hardware Overview:\n\n      Chip: Apple M1\n\nSoftware:\n\n    Kernel: Darwin\n\n"


@pytest.mark.parametrize("recorded", ["system_profiler", "system_profiler SPHardwareDataType SPSoftwareDataType"])
def test_a_report_for_people_is_cut_at_its_headings(tmp_path: Path, recorded: str) -> None:
    machine = of_commands(tmp_path, {recorded: REPORT})

    assert text(machine, command("system_profiler SPSoftwareDataType")) == "Software:\n\n    Kernel: Darwin\n\n"
    assert text(machine, command("system_profiler SPUSBDataType")) is None


def test_a_report_whose_blanks_were_cut_away_is_cut_at_the_headings_that_are_known(tmp_path: Path) -> None:
    report = "Hardware:\n\nHardware Overview:\n\n  Chip: Apple M1\n\nSoftware:\n\nOverview:\n\n  Kernel: Darwin\n"
    machine = of_commands(tmp_path, {"system_profiler SPHardwareDataType SPSoftwareDataType": report})

    asked = command("system_profiler SPHardwareDataType")
    assert text(machine, asked) == "Hardware:\n\nHardware Overview:\n\n  Chip: Apple M1\n\n"


def test_the_version_of_macos_is_put_together_from_its_lines(tmp_path: Path) -> None:
    lines = {
        "sw_vers -productName": "macOS\n",
        "sw_vers -productVersion": "26.0\n",
        "sw_vers --buildVersion": "25A362\n",
    }
    found = Found.of(of_commands(tmp_path, lines), [command("sw_vers")])

    assert found.text("sw_vers") == "ProductName:\tmacOS\nProductVersion:\t26.0\nBuildVersion:\t25A362\n"
    assert not found.gaps()


def test_what_heat_does_is_in_the_log_of_it(tmp_path: Path) -> None:
    machine = of_commands(tmp_path, {"pmset -g thermlog": "CPU_Speed_Limit = 28\n"})

    assert text(machine, command("pmset -g therm")) == "CPU_Speed_Limit = 28\n"
    assert text(machine, command("pmset -g batt")) is None


@pytest.mark.parametrize(
    "recorded",
    ["ioreg -l", "ioreg -lw0", "ioreg -c AppleSmartBattery", "/usr/sbin/ioreg -l -w 0", "ioreg -rn AppleSmartBattery"],
)
def test_a_class_of_the_registry_is_in_the_whole_of_it(tmp_path: Path, recorded: str) -> None:
    assert text(of_commands(tmp_path, {recorded: "said"}), command("ioreg -r -c AppleSmartBattery")) == "said"


@pytest.mark.parametrize(
    "recorded", ["ioreg -r -c Other", "ioreg", "ioreg -l -a", "ioreg -l -p IOUSB", "ioreg -l -d 2", "ioreg -rn battery"]
)
def test_another_part_of_the_registry_is_no_answer(tmp_path: Path, recorded: str) -> None:
    assert text(of_commands(tmp_path, {recorded: "said"}), command("ioreg -r -c AppleSmartBattery")) is None


def test_the_version_of_macos_is_put_together_from_single_answers(tmp_path: Path) -> None:
    machine = of_commands(tmp_path, {"sw_vers -productVersion": "14.5\n", "sw_vers --buildVersion": "23F79\n"})
    found = Found.of(machine, [command("sw_vers")])

    assert found.text("sw_vers") == "ProductVersion:\t14.5\nBuildVersion:\t23F79\n"
    assert len(found.gaps()) == 1


def test_one_data_type_is_taken_out_of_a_json_report(tmp_path: Path) -> None:
    report = {"SPHardwareDataType": [{"chip_type": "Apple M1"}], "SPSoftwareDataType": []}
    asked = "system_profiler -json SPHardwareDataType"
    machine = of_commands(tmp_path, {f"{asked} SPSoftwareDataType": json.dumps(report)})

    assert json.loads(text(machine, command(asked)) or "") == {"SPHardwareDataType": [{"chip_type": "Apple M1"}]}


def test_what_is_not_recorded_is_unreadable_and_what_was_absent_is_absent(tmp_path: Path) -> None:
    machine = host(
        tmp_path,
        {
            "commands": {"nvidia-smi -q -x": {"outcome": "absent"}, "rpm -qa": {"exit": 127}},
            "files": {"/proc/xen": {"outcome": "absent"}},
        },
    )
    asked = (
        File("/proc/xen"),
        File("/proc/cpuinfo"),
        Head("/bin/sh"),
        Call("user-id"),
        *map(command, ("nvidia-smi -q -x", "rpm -qa", "lscpu")),
    )
    found = Found.of(machine, asked)

    assert {name_of(read): found.answer(name_of(read)).outcome for read in asked} == {
        "/proc/xen": "absent",
        "/proc/cpuinfo": "unreadable",
        "head /bin/sh": "unreadable",
        "user-id": "unreadable",
        "nvidia-smi -q -x": "absent",
        "rpm -qa": "absent",
        "lscpu": "unreadable",
    }


def test_a_pattern_gives_what_is_there_and_says_that_the_rest_is_not_known(tmp_path: Path) -> None:
    manifest: dict[str, object] = {
        "files": {"/sys/block/sda/size": "size.txt"},
        "links": {"/sys/block/sda": "../devices/pci/sda"},
    }
    reads = (Files("/sys/block/*/size"), Links("/sys/block/*"), Names("/sys/block/*"))
    found = Found.of(host(tmp_path, manifest, {"size.txt": "12\n"}), reads)

    assert list(found.matches("/sys/block/*/size")) == [("/sys/block/sda/size", "12\n")]
    assert [gap.outcome for gap in found.gaps()] == [Outcome.UNREADABLE] * 2  # links and names have one pattern
    whole = {"whole": {"files": ["/sys/block/*/size"], "links": ["/sys/block/*"], "names": ["/sys/block/*"]}}
    assert not Found.of(host(tmp_path, manifest | whole), reads).gaps()


def test_outcomes_are_told_from_the_exit_status_as_on_a_live_machine(tmp_path: Path) -> None:
    machine = host(
        tmp_path,
        {
            "commands": {
                "dmidecode": {"stdout": "out", "stderr": "err", "exit": 1},
                "lscpu": {"stdout": "out", "exit": 2},
            }
        },
        {"out": "half", "err": "/dev/mem: Permission denied"},
    )

    refused, failed = (machine.ask(command(line))[line] for line in ("dmidecode", "lscpu"))
    assert (refused.outcome, refused.data, refused.exit_status) == (Outcome.DENIED, b"half", 1)
    assert failed.outcome is Outcome.FAILED


def test_printed_files_and_kernel_variables_are_files(tmp_path: Path) -> None:
    machine = of_commands(
        tmp_path, {"cat /proc/cpuinfo": "processor: 0\n", "sysctl -a": "kernel.osrelease = 6.1.0\n"}, "Linux"
    )

    assert text(machine, File("/proc/cpuinfo")) == "processor: 0\n"
    assert text(machine, Head("/proc/cpuinfo", 4)) == "proc"
    assert text(machine, File("/proc/sys/kernel/osrelease")) == "6.1.0\n"


def test_calls_are_answered_by_programs_that_say_the_same(tmp_path: Path) -> None:
    machine = of_commands(
        tmp_path,
        {"uname -a": "Linux box 6.1.0 #1 SMP x86_64 GNU/Linux\n", "getconf PAGESIZE": "4096\n", "id -u": "0\n"},
        "Linux",
    )

    assert text(machine, Call("machine-architecture")) == '"x86_64"'
    assert text(machine, File("/proc/sys/kernel/hostname")) == "box\n"
    assert text(machine, File("/proc/sys/kernel/osrelease")) == "6.1.0\n"
    assert text(machine, Call("page-size")) == "4096"
    assert text(machine, Call("user-id")) == "0"
