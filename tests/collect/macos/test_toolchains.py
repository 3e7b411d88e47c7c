"""Developer tools of a Mac."""

import plistlib

from aya.collect.macos.toolchains import collector
from aya.model import Facts
from tests.collect.answers import Given, found
from tests.collect.declared import undeclared
from tests.collect.test_macho import ARM64, X86_64, single, universal

CLANG = "/Library/Developer/CommandLineTools/usr/bin/clang"
ALPHA: dict[str, Given] = {
    "sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n",
    "/cores": "",
    CLANG: "",
    f"head {CLANG}": universal(X86_64, ARM64),
    f"{CLANG} --version": "Apple clang version 17.0.0 (clang-1700.3.19.1)\nTarget: arm64-apple-darwin25.0.0\n",
    "/usr/local/bin/node": "",
    "head /usr/local/bin/node": single(X86_64),
    "/usr/local/bin/node --version": "v22.20.0\n",
    "/Users/arthur/.rustup/toolchains/1.90.0-aarch64-apple-darwin/bin/rustc": "",
    "/Applications/Xcode.app/Contents/version.plist": plistlib.dumps(
        {"CFBundleShortVersionString": "26.0.1", "ProductBuildVersion": "17A400"}
    ),
    "pkgutil --pkg-info=com.apple.pkg.CLTools_Executables": "package-id: x\nversion: 26.0.0.0.1.1757719676\nvolume: /\n",
    "/usr/bin/git": "",
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    return facts


def test_each_tool_has_its_version_and_how_it_runs() -> None:
    told = {
        row.software_name: (row.software_version, row.software_architecture, row.runtime_mode)
        for row in understood(ALPHA).software
    }
    assert told == {
        "Clang": ("17.0.0", "ARM64", "native"),
        "Command Line Tools": ("26.0.0.0.1.1757719676", None, None),
        "Node.js": ("22.20.0", "x86_64", "Rosetta 2"),
        "Rust": ("1.90.0", None, None),
        "Xcode": ("26.0.1", None, None),
    }


def test_the_stand_ins_of_the_system_are_never_started() -> None:
    assert collector.more is not None
    assert not any("/usr/bin/git'" in repr(read) for read in collector.more(found(collector, ALPHA)))


def test_a_mac_without_tools_has_none() -> None:
    assert understood({"/cores": ""}).absent
