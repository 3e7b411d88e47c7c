import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.toolchains import TOOLS, collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Command, Found
from aya.model import Facts, Outcome, Software
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared
from tests.collect.linux.test_python import AARCH64, AMD64


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, {"machine-architecture": '"x86_64"'} | given))
    assert not undeclared(collector, facts)
    assert not list(floats([row.metadata for row in facts.software]))
    assert len({row.key for row in facts.software}) == len(facts.software)
    return facts


def only(facts: Facts) -> Software:
    assert len(facts.software) == 1
    return facts.software[0]


@pytest.mark.parametrize(
    ("path", "arguments", "said", "name", "version"),
    [
        ("/usr/bin/gcc", "--version", "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright", "GCC", "12.2.0"),
        ("/usr/bin/gcc", "--version", "gcc (GCC) 11.5.0 20240719 (Red Hat 11.5.0-5)\n", "GCC", "11.5.0"),
        ("/usr/bin/clang", "--version", "Debian clang version 14.0.6\nTarget: x", "Clang", "14.0.6"),
        ("/usr/bin/rustc", "--version", "rustc 1.95.0 (59807616e 2026-04-14)\n", "Rust", "1.95.0"),
        ("/usr/local/go/bin/go", "version", "go version go1.22.1 linux/amd64\n", "Go", "1.22.1"),
        ("/usr/bin/node", "--version", "v20.20.2\n", "Node.js", "20.20.2"),
        ("/usr/bin/make", "--version", "GNU Make 4.3\nBuilt for x\n", "GNU Make", "4.3"),
        ("/usr/bin/cmake", "--version", "cmake version 3.25.1\n", "CMake", "3.25.1"),
        ("/usr/bin/git", "--version", "git version 2.39.5\n", "Git", "2.39.5"),
        ("/usr/bin/docker", "--version", "Docker version 28.2.2, build e6534b4\n", "Docker", "28.2.2"),
        ("/usr/bin/podman", "--version", "podman version 4.3.1\n", "Podman", "4.3.1"),
        ("/usr/bin/containerd", "--version", "containerd containerd.io v1.7.27 05044ec0\n", "containerd", "1.7.27"),
        (
            "/usr/local/cuda-13.0/bin/nvcc",
            "--version",
            "nvcc: NVIDIA (R)\nCuda compilation tools, release 13.0, V13.0.88\n",
            "CUDA",
            "13.0.88",
        ),
    ],
)
def test_each_product_has_its_name_and_version(path, arguments, said, name, version):
    row = only(understood({path: "", f"{path} {arguments}": said, f"head {path}": AMD64}))
    assert (row.software_name, row.software_version, row.executable_path) == (name, version, path)
    assert (row.software_architecture, row.runtime_mode) == ("x86_64", "native")
    assert row.install_path == path.rsplit("/bin/", 1)[0]


def test_a_product_for_another_processor_is_emulated():
    row = only(
        understood({"/usr/bin/git": "", "/usr/bin/git --version": "git version 2.1", "head /usr/bin/git": AARCH64})
    )
    assert (row.software_architecture, row.runtime_mode) == ("ARM64", "emulated")


def test_two_names_of_one_compiler_count_once_and_two_compilers_twice():
    given = {
        "/usr/bin/gcc": "gcc-12",
        "/usr/bin/gcc-12": "x86_64-linux-gnu-gcc-12",
        "/usr/bin/gcc-11": "x86_64-linux-gnu-gcc-11",
        "/usr/bin/gcc-ar-12": "x86_64-linux-gnu-gcc-ar-12",
        "/usr/bin/gcc --version": "gcc (Debian 12.2.0-14) 12.2.0\n",
        "/usr/bin/gcc-11 --version": "gcc-11 (Debian 11.3.0-12) 11.3.0\n",
        "/usr/lib/gcc/x86_64-linux-gnu/11": "",
        "/usr/lib/gcc/x86_64-linux-gnu/12": "",
    }
    assert [(row.software_version, row.install_path) for row in understood(given).software] == [
        ("11.3.0", "/usr/lib/gcc/x86_64-linux-gnu/11"),
        ("12.2.0", "/usr/lib/gcc/x86_64-linux-gnu/12"),
    ]


def test_a_link_to_a_whole_folder_is_no_second_installation():
    given = {
        "/usr/lib/jvm/default": "java-17-openjdk-amd64",
        "/usr/lib/jvm/default/bin/java": "",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java": "",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/javac": "",
        "/usr/lib/jvm/java-17-openjdk-amd64/release": 'IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.15"\n',
    }
    row = only(understood(given))
    assert (row.software_name, row.software_version) == ("Java", "17.0.15")
    assert row.install_path == "/usr/lib/jvm/java-17-openjdk-amd64"
    assert row.metadata == {"vendor": "Debian", "edition": "JDK"}


def test_where_a_file_tells_the_version_nothing_is_started():
    given = {
        "/usr/lib/jvm/jre/bin/java": "",
        "/usr/lib/jvm/jre/release": 'JAVA_VERSION="21.0.1"\n',
        "/usr/local/go/bin/go": "",
        "/usr/local/go/VERSION": "go1.22.1\ntime 2024-02-29\n",
        "/usr/local/cuda-12.2/bin/nvcc": "",
        "/usr/local/cuda-12.2/version.json": '{"cuda": {"name": "SDK", "version": "12.2.1"}, "nvcc": {"version": "9"}}',
        "/home/ann/.nvm/versions/node/v18.19.0/bin/node": "",
    }
    answers = found(collector, given)
    assert collector.more is not None
    assert not [read for read in collector.more(answers) if isinstance(read, Command)]
    assert {row.software_name: row.software_version for row in collector.parse(answers).software} == {
        "Java": "21.0.1",
        "Go": "1.22.1",
        "CUDA": "12.2.1",
        "Node.js": "18.19.0",
    }


def test_a_program_in_somebodys_home_folder_is_never_started():
    path = "/home/ann/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc"
    answers = found(collector, {path: ""})
    assert collector.more is not None
    assert not [read for read in collector.more(answers) if isinstance(read, Command)]
    assert [(row.software_name, row.software_version) for row in collector.parse(answers).software] == [("Rust", None)]


@pytest.mark.parametrize(
    ("beside", "engine"),
    [({}, "none"), ({"/usr/bin/dockerd": ""}, "installed"), ({"/run/docker.sock": ""}, "running")],
)
def test_a_docker_client_says_whether_there_is_an_engine(beside, engine):
    given = {"/usr/bin/docker": "", "/usr/bin/docker --version": "Docker version 28.2.2, build x"}
    assert only(understood(given | beside)).metadata == {"engine": engine}


def test_npm_is_read_from_its_own_description():
    row = only(understood({"/usr/lib/node_modules/npm/package.json": '{"name": "npm", "version": "11.19.1"}'}))
    assert (row.software_name, row.software_version, row.install_path) == (
        "npm",
        "11.19.1",
        "/usr/lib/node_modules/npm",
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Outcome.OK, b"was ist das?"),
        Answer(Outcome.FAILED, b"git version 2.39.5", "git --version did not end within 5 s"),
        Answer(Outcome.DENIED, b"", "Permission denied"),
    ],
)
def test_a_tool_that_does_not_say_its_version_is_there_without_one(answer):
    answers = found(collector, {"/usr/bin/git": "", "/usr/bin/git --version": answer})
    row = only(collector.parse(answers))
    assert (row.software_name, row.software_version) == ("Git", None)
    assert [gap.outcome for gap in answers.gaps()] == ([] if answer.outcome is Outcome.OK else [answer.outcome])


def test_a_machine_without_tools_has_none():
    assert understood({}).absent


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "/usr/bin/gcc",
                "/usr/bin/gcc-12",
                "/usr/bin/gcc --version",
                "/usr/bin/git --version",
                "/usr/bin/git",
                "head /usr/bin/git",
                "/usr/lib/node_modules/npm/package.json",
                "machine-architecture",
                "/usr/lib/jvm/x/bin/java",
                "/usr/lib/jvm/x/release",
                "/usr/lib/jvm/x",
            ]
        ),
        st.binary(max_size=60)
        | st.sampled_from(["gcc-12", "gcc", "../../../..", "/usr/bin/gcc", '{"version": 3}', "[]"]),
        max_size=6,
    )
)
def test_garbage_and_links_in_circles_never_break_it(garbage):
    understood(garbage)


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


def test_every_tool_of_this_machine_says_what_its_program_says():
    facts = live()
    for program, name in (
        ("git", "Git"),
        ("make", "GNU Make"),
        ("cmake", "CMake"),
        ("node", "Node.js"),
        ("gcc", "GCC"),
    ):
        path = shutil.which(program, path="/usr/bin:/usr/local/bin")
        if path is not None:
            said = subprocess.run([path, "--version"], capture_output=True, check=True, text=True).stdout
            versions = [row.software_version for row in facts.software if row.software_name == name]
            assert any(version is not None and version in said for version in versions)


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.software, one.gaps) == (other.software, other.gaps)
    assert {row.software_name for row in one.software} <= {tool.name for tool in TOOLS} | {"npm"}
