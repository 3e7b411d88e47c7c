"""A secret of a known shape never stays in a text, and nothing else is taken for one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.runner import collect_machine
from aya.db.connection import Connection, rows
from aya.errors import HostError
from aya.host.local import LocalHost
from aya.redaction import KEY_BYTES, Redactor, load_redactor, map_texts

REDACTOR = Redactor(b"k" * KEY_BYTES)
MARK = r"\[redacted:[0-9a-f]{16}\]"

# Put together here, so that no tool that looks for secrets takes this file for a leak.
AWS_KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_KEY = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
GITHUB_FINE = "github_pat_" + "11ABCDEFG0abcdefghijkl_0123456789abcdefghijklmnopqrstuvwxyz"
SLACK = "xoxb-" + "17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
SLACK_HOOK = "T00000000/B00000000/" + "XXXXXXXXXXXXXXXXXXXXXXXX"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
PYPI = "pypi-" + "AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0"
VAULT = "hvs." + "CAESIJ1234567890abcdefghij"
SCRAM = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2Kj"
)
MD5 = "md5" + "3175bce1d3201d16594cebf9d7eb3f9d"
PEM = "-----BEGIN {0}-----\nMIIEpAIBAAKCAQEA04up\n7ySWJb+hf6q/4w==\n-----END {0}-----"
CUT_PEM = PEM.format("EC PRIVATE KEY").partition("\n-----END")[0]

PLANTED = [
    # the address of a server
    ("postgresql://aya:s3cr3t@db.example:5432/aya_rag", "s3cr3t"),
    ("postgresql://aya:s3cr3t@[fd00::1]:5432/aya_rag?sslmode=require", "s3cr3t"),
    ("postgresql://aya:p%40ss%2Fword@db/aya_rag", "p%40ss%2Fword"),
    ("postgresql://aya:p@ss@db/aya_rag", "p@ss"),
    ("postgresql://aya:pa/ss@db/aya_rag", "pa/ss"),
    ("postgresql://aya:pa:ss@db/aya_rag", "pa:ss"),
    ("postgresql://db/aya_rag?user=aya&password=s3cr3t&sslmode=require", "s3cr3t"),
    ("jdbc:postgresql://db/aya_rag?user=aya&password=s3cr3t", "s3cr3t"),
    ("redis://:hunter2@localhost:6379/0", "hunter2"),
    ("mongodb+srv://root:hunter2@cluster0.example/admin", "hunter2"),
    (f"https://x-access-token:{GITHUB}@github.com/a/b.git", GITHUB),
    (f"https://hooks.slack.com/services/{SLACK_HOOK}", SLACK_HOOK),
    # libpq
    ("host=db password='s3 cr3t", "s3 cr3t"),
    ("host=db user=aya password=s3cr3t dbname=aya_rag", "s3cr3t"),
    ("host=db password = s3cr3t user=aya", "s3cr3t"),
    ("host=db password='s3 cr\\'3t' user=aya", "s3 cr\\'3t"),
    ("password=a'b\"c host=db", "a'b\"c"),
    ("host=db password=a,b;c dbname=x", "a,b;c"),
    ("host=db sslpassword=s3cr3t", "s3cr3t"),
    ("primary_conninfo = 'user=rep password=s3cr3t host=db'", "s3cr3t"),
    ("primary_conninfo = 'user=rep password=''s3 cr3t'' host=db'", "s3 cr3t"),
    ("SELECT * FROM dblink('dbname=x password=s3cr3t', 'SELECT 1')", "s3cr3t"),
    ("CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'a', password 's3 cr3t')", "s3 cr3t"),
    ("CREATE ROLE aya LOGIN ENCRYPTED PASSWORD 's3cr3t' VALID UNTIL 'infinity'", "s3cr3t"),
    ("ALTER USER aya PASSWORD E's3cr3t\\n'", "s3cr3t\\n"),
    ("CREATE USER x@localhost IDENTIFIED BY 's3cr3t'", "s3cr3t"),
    ("localhost:5432:aya_rag:aya_writer:s3cr3t", "s3cr3t"),
    ("# of AYA\n*:*:*:replicator:s3\\:cr3t\n", "s3\\:cr3t"),
    ("PERFORM dblink_connect(password => 's3cr3t')", "s3cr3t"),
    ("v_password := 's3cr3t';", "s3cr3t"),
    ("machine db.example login aya password s3cr3t", "s3cr3t"),
    ("ldapbindpasswd=s3cr3t", "s3cr3t"),
    ("radiussecrets=s3cr3t", "s3cr3t"),
    # the environment
    ("PGPASSWORD=s3cr3t psql -U aya", "s3cr3t"),
    ("PGPASSWORD='Example$$000000$$' /Library/PostgreSQL/18/bin/psql -U postgres", "Example$$000000$$"),
    ('export PGPASSWORD="s3 cr3t"', "s3 cr3t"),
    ("docker run -e POSTGRES_PASSWORD=s3cr3t postgres", "s3cr3t"),
    ("MYSQL_PWD=s3cr3t mysqldump --all-databases", "s3cr3t"),
    (f"AWS_SECRET_ACCESS_KEY={AWS_KEY}", AWS_KEY),
    (f"aws_secret_access_key = {AWS_KEY}", AWS_KEY),
    ("DJANGO_SECRET_KEY=s3cr3t", "s3cr3t"),
    ("NPM_TOKEN=s3cr3t", "s3cr3t"),
    ("dbPass=s3cr3t", "s3cr3t"),
    # options
    ("serve --password s3cr3t --port 80", "s3cr3t"),
    ("serve --password=s3cr3t --port 80", "s3cr3t"),
    ("serve --password 's3 cr3t' --port 80", "s3 cr3t"),
    ('serve --password "s3 cr3t" --port 80', "s3 cr3t"),
    ('serve --db-password="s3 cr3t" --port 80', "s3 cr3t"),
    ("redis-server --port 6380 --requirepass s3cr3t", "s3cr3t"),
    ("serve --api-key s3cr3t", "s3cr3t"),
    ("serve -token s3cr3t", "s3cr3t"),
    ("curl -u aya:s3cr3t https://db.example/", "s3cr3t"),
    ("curl -s --user 'aya:s3 cr3t' https://db.example/", "s3 cr3t"),
    ("curl --proxy-user aya:s3cr3t -u beta: https://db.example/", "s3cr3t"),
    ("sshpass -p s3cr3t ssh db", "s3cr3t"),
    ("sshpass -p's3 cr3t' ssh db", "s3 cr3t"),
    ("mysqldump -uroot -ps3cr3t --all-databases", "s3cr3t"),
    # members
    ('{"user": "aya", "password": "s3cr3t"}', "s3cr3t"),
    ('{"password":"s3 \\"cr3t", "a": 1}', 's3 \\"cr3t'),
    ('{"dbPassword": "s3cr3t"}', "s3cr3t"),
    ('{"pin": {"passcode": 123456}}', "123456"),
    ('{"clientSecret": "s3cr3t"}', "s3cr3t"),
    ('{"inner": "{\\"password\\": \\"s3cr3t\\"}"}', "s3cr3t"),
    ("user: aya\npassword: s3cr3t\n", "s3cr3t"),
    ("db:\n  - password: s3cr3t # of the writer\n", "s3cr3t"),
    ("password: 's3 cr3t'", "s3 cr3t"),
    ("{user: aya, password: s3cr3t}", "s3cr3t"),
    ("api_key: s3cr3t\n", "s3cr3t"),
    ("requirepass s3cr3t\nport 6379\n", "s3cr3t"),
    # headers
    ("Authorization: Bearer 0123456789abcdef0123", "0123456789abcdef0123"),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("authorization: token 0123456789abcdef", "0123456789abcdef"),
    ("curl -H 'X-Api-Key: s3cr3t' https://db.example/", "s3cr3t"),
    ('{"Authorization": "Bearer 0123456789abcdef"}', "0123456789abcdef"),
    ("the bearer 0123456789abcdef0123 was refused", "0123456789abcdef0123"),
    ("Proxy-Authorization: Basic dXNlcjpwYXNzd29yZDE=", "dXNlcjpwYXNzd29yZDE="),
    # what shows by itself
    (f"key {AWS_KEY_ID} is in use", AWS_KEY_ID),
    (f"cloned with {GITHUB}", GITHUB),
    (f"cloned with {GITHUB_FINE}", GITHUB_FINE),
    (f"posted with {SLACK}", SLACK),
    (f"called with {JWT}", JWT),
    (f"map of {GOOGLE}", GOOGLE),
    (f"paid with {STRIPE}", STRIPE),
    (f"uploaded with {PYPI}", PYPI),
    (f"read with {VAULT}", VAULT),
    (f"CREATE ROLE aya PASSWORD '{SCRAM}'", SCRAM),
    (f'"postgres" "{SCRAM}" ""', SCRAM),
    (f'"pgbouncer" "{MD5}"', MD5),
    *((f"key:\n{key}\n", key) for key in map(PEM.format, ("PRIVATE KEY", "RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"))),
    (json.dumps({"key": PEM.format("PRIVATE KEY")}), json.dumps(PEM.format("PRIVATE KEY"))[1:-1]),
    (f"cut off: {CUT_PEM}", CUT_PEM),
]
"""A text, and the secret in it."""

HARMLESS = [
    "password_encryption = 'scram-sha-256'",
    "password_encryption=md5",
    "ssl_key_file = '/etc/ssl/private/ssl-cert-snakeoil.key'",
    "krb_server_keyfile = 'FILE:/etc/postgresql-common/krb5.keytab'",
    "ssl_passphrase_command_supports_reload = on",
    "passfile=/home/aya/.pgpass",
    "host=db passfile='/home/aya/.pgpass' sslkey=/home/aya/key.pem",
    '{"token_type": "bearer", "expires_in": 3600, "password_required": true, "max_tokens": 512}',
    '{"password": null, "token": ""}',
    "psql --no-password aya_rag",
    '{"pass": 102, "fail": 0}',
    "PWD=/root/work OLDPWD=/tmp",
    "CHECK ((kind = ANY (ARRAY['password'::text, 'token'::text])))",
    "CREATE INDEX ON sessions (token) WHERE token = ANY (ARRAY[$1, $2]) AND password = $1",
    "IF new.token == old.token OR token != 'x' THEN",
    'the option to pass "--quiet" to it; [credential "https://git.example"]',
    "password: ${DB_PASSWORD}\ntoken: {{ vault.token }}\nsecret: <yours>\n",
    "PGPASSWORD=$(cat /run/password) psql",
    "private_key = /etc/ssl/private/db.key",
    "bypass=1 compass=north tokenizer=bpe secretary=x",
    "encompass: everything",
    "basic authentication is refused; a bearer internationalization library",
    "https://db.example:8443/@scope/package",
    "http://[fd00::1]:8080/a@b",
    "git+ssh://git@github.com/a/b.git",
    "docker run --user 1000:1000 image",
    "curl -u aya https://db.example/",
    "fd00:1:2:3:4:5:6:7",
    "02:42:ac:11:00:02",
    "root:x:0:0:root:/root:/bin/bash",
    "md5sum d41d8cd98f00b204e9800998ecf8427e",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIBIjANBg\n-----END CERTIFICATE-----",
    "python -m http.server 8000 --bind 127.0.0.1 --directory /srv/task-secrets",
    "/usr/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf",
]


@pytest.mark.parametrize(("text", "secret"), PLANTED)
def test_a_planted_secret_is_replaced_by_its_mark_and_nothing_else_is(text: str, secret: str) -> None:
    assert REDACTOR.text(text) == text.replace(secret, REDACTOR.mark(secret))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) == text


def test_the_password_in_the_source_document_does_not_stay(source_document: str) -> None:
    given = re.findall(r"PGPASSWORD='([^']+)'", source_document)
    assert given
    redacted = REDACTOR.text(source_document)
    assert not [secret for secret in given if f"'{secret}'" in redacted]
    assert len(redacted.splitlines()) == len(source_document.splitlines())


# --- marks ------------------------------------------------------------------------------------------------------------


def test_equal_secrets_have_equal_marks_in_whatever_shape_they_stand() -> None:
    texts = [
        "password=s3cr3t",
        "password = 's3cr3t'",
        "--token s3cr3t",
        "postgres://a:s3cr3t@b",
        '{"passwd": "s3cr3t"}',
    ]
    assert {mark for text in texts for mark in re.findall(MARK, REDACTOR.text(text))} == {REDACTOR.mark("s3cr3t")}


@given(st.text(), st.text())
def test_a_mark_tells_whether_the_secret_changed_and_not_what_it_is(one: str, other: str) -> None:
    assert (REDACTOR.mark(one) == REDACTOR.mark(other)) == (one == other)
    assert re.fullmatch(MARK, REDACTOR.mark(one))


def test_another_key_gives_another_mark() -> None:
    assert Redactor(b"o" * KEY_BYTES).mark("s3cr3t") != REDACTOR.mark("s3cr3t")


FRAGMENTS = [part for text, _ in PLANTED for part in re.split(r"(?<=[\s=:'\"@,])", text) if part]


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=20).map("".join))
def test_redacting_again_changes_nothing(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(st.sampled_from(PLANTED), st.sampled_from(["", "\n", "# so\n  "]), st.sampled_from(["", "\n", " ", "\nmore"]))
def test_a_secret_is_found_among_other_lines(planted: tuple[str, str], before: str, after: str) -> None:
    text, secret = planted
    assert secret not in REDACTOR.text(before + text + after)


# --- what is let through ----------------------------------------------------------------------------------------------


def falsely_redacted(texts: Iterable[str]) -> tuple[int, list[str]]:
    """How many texts there are, and those that did not stay."""
    given = list(texts)
    return len(given), [text for text in given if REDACTOR.text(text) != text]


def test_no_setting_of_a_server_is_taken_for_a_secret(admin: Connection) -> None:
    settings = rows(admin, "SELECT * FROM pg_settings")
    texts = [str(value) for row in settings for value in row.values()]
    texts += [f"{row['name']} = '{row['setting']}'" for row in settings]
    texts += [f"{row['name']}={row['setting']}" for row in settings] + [json.dumps(row) for row in settings]
    texts += [json.dumps({row["name"]: row["setting"]}) for row in settings]
    assert len(settings) > 350
    assert falsely_redacted(texts)[1] == []


def test_no_column_of_a_catalog_is_taken_for_a_secret(admin: Connection) -> None:
    described = rows(
        admin,
        "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint UNION ALL "
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef UNION ALL SELECT indexdef FROM pg_indexes UNION ALL "
        "SELECT description FROM pg_description",
    )
    total, wrong = falsely_redacted(row["text"] for row in described)
    assert total > 1000
    assert wrong == []


def test_nothing_that_this_machine_says_of_itself_is_taken_for_a_secret() -> None:
    shown: list[str] = []

    def show(text: str) -> str:
        shown.append(text)
        return text

    for collected in collect_machine(LocalHost(), REDACTOR):
        facts = collected.facts
        for row in (*facts.interfaces, *facts.software, *facts.services):
            map_texts([getattr(row, name) for name in row.state_fields()], show)
        map_texts(facts.metadata, show)
    assert len(shown) > 500
    assert [text for text in shown if "[redacted:" in text] == []


def test_at_most_one_in_a_hundred_lines_of_recorded_machines_is_taken_for_a_secret(recordings: Path) -> None:
    files = [path for path in recordings.rglob("*") if path.is_file()]
    total, wrong = falsely_redacted(
        line for path in files for line in path.read_text("utf-8", "backslashreplace").splitlines()
    )
    assert total > 10_000
    assert len(wrong) <= total // 100


REPEATED = (
    *("a", "token", "token=", "--token ", "'token: a", "{token: a,", "token={{", "token=${;", "--token <a ", "a:1:b:"),
    *("://", "://a:", "@", "'", '"', "''", "\\", "curl ", "mysql -p", "-u a:", "requirepass ", "AIza" + "a" * 35),
    *("sk-", "eyJ", "md5", "-----BEGIN A", "bearer ", "\n", " "),
)


def test_no_text_however_long_and_strange_keeps_it_busy_for_ever() -> None:
    program = (
        "import sys; from aya.redaction import Redactor; r = Redactor(b'k' * 32)\n"
        f"for part in {REPEATED!r}: r.text('password' + part * (100_000 // len(part)))"
    )
    # What grows with the square of the length would take hours.
    subprocess.run([sys.executable, "-c", program], timeout=300, check=True)


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    one, other = load_redactor(folder), load_redactor(folder)
    assert one.key == other.key
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())] == [0o700, 0o600]
    assert load_redactor(tmp_path / "elsewhere").key != one.key


def test_a_key_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "redaction.key").write_bytes(b"short")
    with pytest.raises(HostError, match="does not hold a key"):
        load_redactor(tmp_path)


def test_keys_and_values_of_json_are_changed_and_its_other_values_kept() -> None:
    assert map_texts({"a": ["b", 1, None, {"c": "d"}]}, str.upper) == {"A": ["B", 1, None, {"C": "D"}]}


WRITTEN = [
    ("- **Admin password:** {0}", "Pl4typus&Rain"), ("* Kennwort: {0}", "Sonne-4711"), ("- **Mot de passe :** `{0}`", "Bal77yy"),
    ("| Password | {0} |", "Tab1ePass"), ("| User | Password |\n|---|---|\n| admin | {0} |\n", "Tab2ePass"),
    ("INSERT INTO users (name, password) VALUES ('bob', '{0}');", "Ins14Word"), ("redis-cli -a {0} ping", "Redis8Word"),
    ("The password of the replication user is {0}.", "Prose17Word"), ("Login: root / {0}", "Slash18Word"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), WRITTEN)
def test_what_people_write_into_documents_is_found(text: str, secret: str) -> None:
    assert re.fullmatch(re.escape(text).replace(re.escape("{0}"), MARK), REDACTOR.text(text.format(secret)))


@pytest.mark.parametrize(
    "text",
    [
        "- **Max password length:** 64",
        "| Setting | Value |\n|---|---|\n| password_encryption | scram-sha-256 |\n",
        "INSERT INTO users (name, age) VALUES ('bob', 'Ins14Word');",
        "| Password | Notes |\n|---|---|\n| required | yes |\n",
        "The password is kept elsewhere.",
        "- **Primary key:** id",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert REDACTOR.text(text) == text
