import pytest

from aya.reference import operating_system, operating_systems


@pytest.mark.parametrize(
    ("kernel", "version", "code_name"),
    [
        ("25.0.0", "26", "Tahoe"),
        ("Darwin 24.6.0", "15", "Sequoia"),
        ("Darwin Kernel Version 20.6.0: Mon Aug 29 04:31:06 PDT 2022; root:xnu", "11", "Big Sur"),
        ("19.6.0", "10.15", "Catalina"),
        ("Darwin 8.11.0", "10.4", "Tiger"),
        ("27.0.0", "27", "Golden Gate"),
    ],
)
def test_a_kernel_belongs_to_a_version_of_macos(kernel: str, version: str, code_name: str) -> None:
    found = operating_system(kernel)
    assert found is not None
    assert (found.version, found.code_name) == (version, code_name)


@pytest.mark.parametrize(
    "kernel", ["", "26.0.0", "Linux 25.0.0", "6.1.0-18-amd64", "25.0.0-generic", "7.0.0", "250.0.0", "macOS 15.0"]
)
def test_another_kernel_belongs_to_none(kernel: str) -> None:
    assert operating_system(kernel) is None


def test_a_release_belongs_to_one_version() -> None:
    assert [one.version for one in operating_systems() if one.includes("10.15.7")] == ["10.15"]
    assert [one.version for one in operating_systems() if one.includes("15.6.1")] == ["15"]
    assert [one.version for one in operating_systems() if one.includes("26")] == ["26"]


def test_a_kernel_is_in_the_table_once_and_newer_kernels_have_newer_systems() -> None:
    kernels = [one.kernel_major for one in operating_systems()]
    versions = [tuple(map(int, one.version.split("."))) for one in operating_systems()]
    assert kernels == sorted(set(kernels))
    assert versions == sorted(set(versions))
