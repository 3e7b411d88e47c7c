"""Files into the knowledge base and kept in step; what goes wrong with one stops none, and what is broken off goes on."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.embedding.packaged import NAME
from aya.errors import NotFound, PayloadRefused
from aya.knowledge import ingest as ingesting
from aya.operations.context import Context
from aya.operations.documentation import add_documents
from aya.operations.knowledge import (
    Filled,
    add_knowledge,
    get_knowledge_document,
    knowledge_status,
    remove_knowledge,
    sync_knowledge,
)


def changes(done: Filled) -> dict[str, str]:
    return {one.source.rsplit("/", 1)[-1]: one.change.value for one in done.outcomes}


def chunks(connection: Connection) -> list[dict[str, object]]:
    return rows(connection, "SELECT xmin::text, c.* FROM chunks c ORDER BY c.id")


def test_files_are_read_once_and_again_only_when_they_changed(kb: Context, folder: Path, admin: Connection) -> None:
    first = add_knowledge(kb, [str(folder)], category="runbook")
    assert first.counts == {"added": 3}
    assert first.passages == first.embedded == len(chunks(admin)) == 5
    before = chunks(admin)
    again = add_knowledge(kb, [str(folder)])
    assert (again.counts, again.embedded, again.outcomes) == ({"unchanged": 3}, 0, [])
    assert chunks(admin) == before

    page = folder / "replication.md"
    page.write_text(page.read_text().replace("Intro.", "A longer introduction.").replace("its primary", "the primary"))
    (folder / "cooking.md").unlink()
    (folder / "new.txt").write_text("Something new.")
    changed = add_knowledge(kb, [str(folder)])
    assert changes(changed) == {"replication.md": "changed", "cooking.md": "removed", "new.txt": "added"}
    assert changed.embedded == 3  # two passages of the page, and the new file
    kept = {row["id"] for row in before} & {row["id"] for row in chunks(admin)}
    assert len(kept) == 2
    assert {row["category"] for row in rows(admin, "SELECT category FROM documents WHERE title = 'Replication'")} == {
        "runbook"
    }


def test_a_file_that_several_paths_lead_to_is_read_once(kb: Context, folder: Path) -> None:
    done = add_knowledge(kb, [str(folder / "backup.md"), str(folder), str(folder / "cooking.md"), str(folder)])
    assert done.counts == {"added": 3}
    assert add_knowledge(kb, [str(folder / "cooking.md"), str(folder)]).counts == {"unchanged": 3}
    (folder / "cooking.md").unlink()
    assert changes(add_knowledge(kb, [str(folder), str(folder / "backup.md")])) == {"cooking.md": "removed"}


def test_every_passage_stands_where_it_says(kb: Context, folder: Path, admin: Connection) -> None:
    add_knowledge(kb, [str(folder)])
    wrong = rows(
        admin,
        "SELECT c.id FROM chunks c JOIN documents d ON d.id = c.document_id "
        "WHERE c.chunk_text <> substr(d.content, c.start_offset + 1, c.end_offset - c.start_offset) "
        "OR abs(1 - (c.embedding <#> c.embedding) * -1) > 0.01",
    )
    assert wrong == []


def test_secrets_do_not_get_in(kb: Context, folder: Path, admin: Connection) -> None:
    (folder / "access.md").write_text("# Access\n\nRun PGPASSWORD='Tr0ub4dor' psql\n")
    (folder / "page.html").write_text("<title>password=Tr0ub4dor</title><p>password=Tr0ub4dor</p>")
    add_knowledge(kb, [str(folder)])
    kept = rows(
        admin,
        "SELECT string_agg(d::text, '') || string_agg(c::text, '') AS all FROM documents d JOIN chunks c ON c.document_id = d.id",
    )
    assert "Tr0ub4dor" not in kept[0]["all"]
    (secret_lines,) = rows(
        admin, "SELECT metadata -> 'secret_lines' AS lines FROM documents WHERE source LIKE '%%access.md'"
    )
    assert secret_lines["lines"] == [3]


def test_bad_files_are_told_and_stop_nothing(kb: Context, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\0")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "empty.md").touch()
    (folder / "blank.txt").write_text("  \n \t\n--- ***\n")
    (folder / "latin.txt").write_bytes(b"a caf\xe9 somewhere")
    (folder / "nul.txt").write_bytes(b"a\0b")
    (folder / "tokens.txt").write_text("x" * 20_000)
    done = add_knowledge(kb, [str(folder), str(folder / "nowhere.md")])
    found = changes(done)
    assert {name for name, change in found.items() if change == "failed"} == {
        "broken.pdf",
        "loop.md",
        "nowhere.md",
        "nul.txt",
    }
    assert found["photo.jpg"] == "skipped"
    assert {found[name] for name in ("empty.md", "blank.txt", "latin.txt", "tokens.txt", "backup.md")} == {"added"}
    assert done.failed == 4
    assert all(one.reason for one in done.outcomes if one.change in ("failed", "skipped"))


def test_a_file_that_can_no_longer_be_read_keeps_what_was_known(kb: Context, folder: Path, admin: Connection) -> None:
    (folder / "page.html").write_text("<p>Known before.</p>")
    add_knowledge(kb, [str(folder)])
    (folder / "page.html").write_text("<div>" * 20_000)
    assert changes(add_knowledge(kb, [str(folder)])) == {"page.html": "failed"}
    assert rows(admin, "SELECT content FROM documents WHERE source LIKE '%%page.html'") == [
        {"content": "Known before."}
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_what_stands_in_a_folder_that_cannot_be_entered_stays(
    kb: Context, folder: Path, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.md").write_text("Known.")
    add_knowledge(kb, [str(folder)])
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path == str(folder / "sub"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    done = add_knowledge(kb, [str(folder)])
    assert changes(done) == {"sub": "failed"}
    assert len(rows(admin, "SELECT FROM documents")) == 4


def test_broken_off_it_goes_on_from_there(kb: Context, tmp_path: Path, admin: Connection) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(40):
        (many / f"{number:02}.md").write_text(
            "\n\n".join(f"# Part {part}\n\nNumber {number} of {part}." for part in range(8))
        )
    program = (
        "import sys; from aya.settings import Settings; from aya.operations.context import Context; "
        "from aya.knowledge import ingest; ingest.GROUP = 16; from aya.operations.knowledge import add_knowledge; "
        f"settings = Settings(home={str(kb.settings.home)!r}, node='TESTED', embedding_model={NAME!r}); "
        f"add_knowledge(Context(settings), [{str(many)!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 60
    while not rows(admin, "SELECT FROM chunks LIMIT 1") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = rows(
        admin, "SELECT d.id, count(c.id) AS n FROM documents d LEFT JOIN chunks c ON c.document_id = d.id GROUP BY 1"
    )
    assert {row["n"] for row in there} == {8}  # each whole
    assert 0 < len(there) < 40
    done = add_knowledge(kb, [str(many)])
    assert done.counts == {"unchanged": len(there), "added": 40 - len(there)}
    assert rows(admin, "SELECT count(*) AS n FROM chunks")[0]["n"] == 320


def test_two_who_add_the_same_at_once_add_it_once(kb: Context, folder: Path, admin: Connection) -> None:
    with ThreadPoolExecutor() as both:
        done = list(both.map(lambda _: add_knowledge(kb, [str(folder)]), range(2)))
    assert all(not one.failed for one in done)
    assert len(chunks(admin)) == 5


def test_one_that_fails_to_be_written_takes_no_other_with_it(
    kb: Context, folder: Path, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "GROUP", 1)
    admin.execute("ALTER TABLE documents ADD CONSTRAINT no_soup CHECK (title <> 'Soup')")
    try:
        with pytest.raises(PayloadRefused, match="no_soup"):
            add_knowledge(kb, [str(folder)])
        assert rows(admin, "SELECT title FROM documents") == [{"title": "Backup"}]
    finally:
        admin.execute("ALTER TABLE documents DROP CONSTRAINT no_soup")
    assert add_knowledge(kb, [str(folder)]).counts == {"unchanged": 1, "added": 2}


def test_sync_looks_again_at_everything(kb: Context, folder: Path, tmp_path: Path, admin: Connection) -> None:
    add_knowledge(kb, [str(folder)])
    (tmp_path / "plan.md").write_text("# Plan\n\nMove GAMMA to the cellar.\n")
    add_documents(kb, [str(tmp_path / "plan.md")], category="master_plan")
    admin.execute(
        "INSERT INTO system_nodes (node_name, node_role, cpu_model) VALUES ('ALPHA', 'primary', 'Apple M3 Ultra')"
    )
    admin.execute(
        "INSERT INTO postgresql_configuration (node_id, setting_name, setting_value, setting_unit, setting_short_desc) "
        "SELECT id, 'work_mem', '4096', 'kB', 'Sets the maximum memory for query workspaces.' FROM system_nodes"
    )
    admin.execute("INSERT INTO documents (content, title) VALUES ('Entered by hand.', 'Note')")
    (folder / "cooking.md").unlink()
    done = sync_knowledge(kb)
    assert changes(done) | {"x": "x"} == {
        "cooking.md": "removed", "plan.md": "added", "node": "added", "settings ": "added", "changes": "added",
        f"document {rows(admin, 'SELECT id FROM documents WHERE source IS NULL')[0]['id']}": "changed", "x": "x",
    }  # fmt: skip
    (setting,) = rows(
        admin, "SELECT content, node_name, category FROM documents WHERE source = 'state:ALPHA/settings '"
    )
    assert setting == {
        "content": "work_mem = 4MB. Sets the maximum memory for query workspaces.", "node_name": "ALPHA", "category": "state",
    }  # fmt: skip
    assert sync_knowledge(kb).outcomes == []
    admin.execute("DELETE FROM system_nodes")
    gone = changes(sync_knowledge(kb))
    assert (gone["node"], gone["settings "]) == ("removed", "removed")


def test_the_same_fact_of_another_node_is_embedded_once(kb: Context, admin: Connection) -> None:
    for node in ("ALPHA", "BETA"):
        admin.execute("INSERT INTO system_nodes (node_name, node_role) VALUES (%s, 'primary')", (node,))
    admin.execute(
        "INSERT INTO postgresql_configuration (node_id, setting_name, setting_value) SELECT id, 'fsync', 'on' FROM system_nodes"
    )
    done = sync_knowledge(kb)
    facts = rows(
        admin, "SELECT chunk_text, count(*) AS n, count(DISTINCT embedding::text) AS vectors FROM chunks GROUP BY 1"
    )
    fsync = next(row for row in facts if row["chunk_text"].startswith("fsync"))
    assert (fsync["n"], fsync["vectors"]) == (2, 1)
    assert done.embedded < done.passages


def test_documents_are_shown_counted_and_removed(kb: Context, folder: Path, admin: Connection) -> None:
    add_knowledge(kb, [str(folder)], category="runbook")
    state = knowledge_status(kb)
    assert (state.documents, state.categories, state.paths) == (3, {"runbook": 3}, [str(folder)])
    (one,) = state.sets
    assert (one.model, one.dimensions, one.is_active, one.documents, one.passages) == (NAME, 384, True, 3, 5)
    number = rows(admin, "SELECT id FROM documents WHERE title = 'Soup'")[0]["id"]
    assert get_knowledge_document(kb, number).content == "# Soup\n\nBoil the carrots and add some salt.\n"
    assert remove_knowledge(kb, str(folder / "cooking.md")) == 1
    with pytest.raises(NotFound):
        get_knowledge_document(kb, number)
    with pytest.raises(NotFound, match="No document"):
        remove_knowledge(kb, str(folder)[:-1])  # the beginning of a name is none of a path
    assert remove_knowledge(kb, str(folder)) == 2


def test_reading_needs_no_rights_to_write(kb: Context, folder: Path) -> None:
    add_knowledge(kb, [str(folder)])
    with kb.database.connect(Login.READER) as reader:
        assert rows(reader, "SELECT count(*) AS n FROM aya.search('standby')")[0]["n"] > 0
    with kb.database.connect(Login.SQL) as sql:
        assert rows(sql, "SELECT heading FROM aya.search('replication slot', most => 1)") == [
            {"heading": "Replication > Slots"}
        ]
        assert rows(sql, "SELECT count(*) AS n FROM chunks c JOIN documents d ON d.id = c.document_id")[0]["n"] == 5
