"""A secret of a known shape never stays in a text, and nothing else is taken for one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
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
SCRAM = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2Kj"
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
    ('serve --db-password="s3 cr3t" --port 80', "s3 cr3t"),
    ("redis-server --port 6380 --requirepass s3cr3t", "s3cr3t"),
    ("serve --api-key s3cr3t", "s3cr3t"),
    ("serve -token s3cr3t", "s3cr3t"),
    ("curl -u aya:s3cr3t https://db.example/", "s3cr3t"),
    ("curl -s --user 'aya:s3 cr3t' https://db.example/", "s3 cr3t"),
    ("sshpass -p s3cr3t ssh db", "s3cr3t"),
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
    "PWD=/root/work OLDPWD=/tmp",
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
