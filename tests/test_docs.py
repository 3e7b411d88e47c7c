"""What the pages say is so: their commands exist, their example works, their links lead somewhere."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from aya import __version__
from aya.collect.catalogue import PACKAGES, every_collector
from aya.collect.collector import Collector
from aya.collect.postgresql.run import server_collectors
from aya.operations.show import sections
from aya.registry import discover
from aya.settings import Settings
from aya.verify.check import Check

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def commands() -> dict[str, object]:
    from aya.serve.cli.app import complete

    def walk(name: str, command: Any) -> dict[str, object]:
        found: dict[str, object] = {}
        for sub, inner in getattr(command, "commands", {}).items():
            if not hasattr(inner, "commands") or inner.invoke_without_command:
                found[f"{name} {sub}"] = inner
            found |= walk(f"{name} {sub}", inner)
        return found

    return walk("aya", complete())


def test_the_worked_example_of_the_contribution_guide_works(tmp_path: Path) -> None:
    collector, test = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    module: dict[str, object] = {}
    exec(collector, module)
    assert isinstance(module["collector"], Collector)
    body = test.replace("from aya.collect.linux.entropy import CURRENT, collector\n", "")
    exec(body, module)
    tests = [value for name, value in module.items() if name.startswith("test_")]
    assert len(tests) == 2
    for one in tests:
        one()  # type: ignore[operator]


def test_every_command_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = re.findall(r"(?:\.venv/bin/|`)(aya(?: [a-z]+){1,2})", text)
    known = commands()
    assert len(named) >= 6
    for name in named:
        assert name in known or name.rsplit(" ", 1)[0] in known, name


def test_every_section_that_the_readme_shows_exists() -> None:
    shown = re.findall(r"aya show ([a-z]+)", (ROOT / "README.md").read_text())
    assert shown
    assert set(shown) <= set(sections())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_collector_check_option_and_command_has_its_place_in_the_docs() -> None:
    docs = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("collectors", "checks", "settings", "cli")}
    for name in [*(name for name, _ in every_collector()), *server_collectors()]:
        assert f"\n## {name}\n" in docs["collectors"]
    for name in discover("aya.verify.checks", Check, "check"):
        assert f"\n## {name}\n" in docs["checks"]
    for name in Settings.model_fields:
        assert f"| `{name}` |" in docs["settings"]
    for name in commands():
        assert f"\n## `{name}" in docs["cli"]


def test_every_command_explains_itself_and_its_options() -> None:
    for name, command in commands().items():
        assert command.help, name  # type: ignore[attr-defined]
        for parameter in command.params:  # type: ignore[attr-defined]
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_collector_and_check_says_what_it_is() -> None:
    from importlib import import_module

    for package, kind, attribute in (
        *((package, Collector, "collector") for package in PACKAGES.values()),
        ("aya.verify.checks", Check, "check"),
    ):
        for name in discover(package, kind, attribute):
            assert (import_module(f"{package}.{name}").__doc__ or "").strip().endswith((".", "`", ":", ")")), name


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_lock_files_hold_hashes_and_no_address() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text()
        assert "://" not in text
        pins = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line, re.I)]
        assert pins
        assert all("==" in pin for pin in pins)
        assert text.count("--hash=sha256:") >= len(pins)


def test_what_is_required_is_locked() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = (ROOT / "requirements.lock").read_text()
    for requirement in required:
        name = re.split(r"[\[<>=!]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}(\[[a-z,]+\])?==", locked, re.M), name
