"""Lines of secrets are told, the secrets are not."""

from hypothesis import given
from hypothesis import strategies as st

from aya.documentation.secrets import without_secrets
from aya.redaction import Redactor

REDACTOR = Redactor(b"k" * 32)
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\nAbCd\n-----END PRIVATE KEY-----"
PLAIN = st.sampled_from(
    ["", "A line.", "- shared_buffers: 128MB", "[redacted:0123456789abcdef]", "pass the salt", "| a | b |"]
)
SECRET = st.sampled_from(
    ["PGPASSWORD='s3cr3t-value' psql", "password = s3cr3t-value", "postgresql://u:s3cr3t-value@h/db", KEY]
)


@given(st.lists(st.tuples(st.booleans(), PLAIN, SECRET), max_size=12))
def test_every_line_with_a_secret_is_told_and_no_other(lines: list[tuple[bool, str, str]]) -> None:
    text, wanted, number = [], [], 1
    for is_secret, plain, secret in lines:
        said = secret if is_secret else plain
        if is_secret:
            wanted.append(number)
        number += said.count("\n") + 1
        text.append(said)
    redacted, found = without_secrets("\n".join(text), REDACTOR)
    assert list(found) == wanted
    assert "s3cr3t-value" not in redacted
    assert "MIIB" not in redacted


def test_two_secrets_on_one_line_are_one_line() -> None:
    assert without_secrets("password=abc123 token=def456\n", REDACTOR)[1] == (1,)
