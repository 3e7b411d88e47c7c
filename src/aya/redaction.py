"""Keep secrets out of everything that is stored, shown, logged or embedded.

A secret becomes `[redacted:0123456789abcdef]`: a keyed hash (HMAC-SHA256, cut to 64 bits), so that a change of the
secret still shows, and equal secrets look equal, while nobody without the key can guess it by trying. Redaction is
best effort: it knows the shapes below, and errs towards redacting.
"""

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from aya.errors import HostError

KEY_BYTES = 32

_WORD = r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)"
_SHAPES: tuple[re.Pattern[str], ...] = (
    # a private key, whole
    re.compile(r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))", re.S),
    # the verifiers that PostgreSQL keeps of passwords
    re.compile(r"(?P<secret>SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+)"),
    re.compile(r"(?<![0-9A-Za-z])(?P<secret>md5[0-9a-f]{32})(?![0-9A-Za-z])"),
    # scheme://user:secret@host
    re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'\"]*:(?P<secret>[^\s@'\"]+)@"),
    # the values of libpq keywords, options, environment variables, JSON and YAML members: name=…, name: …, --name …
    re.compile(
        rf"(?i)(?:[A-Za-z0-9]*[_-])?{_WORD}(?:[_-]?[A-Za-z0-9]*)?[\"']?\s*(?:=|:(?!//))\s*'(?P<secret>(?:[^'\\]|\\.|'')+)'"
    ),
    re.compile(
        rf"(?i)(?:[A-Za-z0-9]*[_-])?{_WORD}(?:[_-]?[A-Za-z0-9]*)?[\"']?\s*(?:=|:(?!//))\s*\"(?P<secret>(?:[^\"\\]|\\.)+)\""
    ),
    re.compile(rf"(?i)(?:[A-Za-z0-9]*[_-])?{_WORD}\s*=\s*(?P<secret>[^\s'\"&;,\[]+)"),
    re.compile(r"\bPGPASSWORD\s*=\s*(?P<secret>[^\s'\"\[]+)"),
    re.compile(rf"(?i)(?:^|\s)--?(?:[a-z0-9]+-)*{_WORD}(?:\s+)(?P<secret>[^\s'\"\-\[][^\s'\"]*)"),
    re.compile(r"(?i)\b(?:authorization|bearer|basic)[:\s]+(?:bearer\s+|basic\s+)?(?P<secret>[A-Za-z0-9+/=_.~-]{16,})"),
    # tokens that name themselves
    re.compile(
        r"\b(?P<secret>(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,}|glpat-[\w-]{20,}"
        r"|xox[abpr]-[\w-]{10,}|sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|tskey-[\w-]{16,}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+)"
    ),
    # a line of .pgpass: host:port:database:user:password
    re.compile(r"(?m)^[^:\s#]+:(?:\d{1,5}|\*):[^:\s]+:[^:\s]+:(?P<secret>[^:\s]+)$"),
)
_HINT = re.compile(
    r"(?i)pass|pwd|secret|token|key|credential|authorization|bearer|basic|://|md5|scram|AKIA|ASIA|gh[pousr]_|github_pat"
    r"|glpat|xox|sk-|hf_|npm_|eyJ|:(?:\d{1,5}|\*):"
)
"""A text without any of these cannot hold a known shape; nearly every text is let through by this alone."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes secrets out of texts; the same key gives the same mark for the same secret."""

    key: bytes

    def mark(self, secret: str) -> str:
        """What stands in the place of a secret."""
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), sha256).hexdigest()
        return f"[redacted:{digest[:16]}]"

    def text(self, text: str) -> str:
        """The text with every secret of a known shape replaced by its mark."""
        if not _HINT.search(text):
            return text
        for shape in _SHAPES:
            text = shape.sub(self._replace, text)
        return text

    def _replace(self, match: re.Match[str]) -> str:
        secret = match["secret"]
        if secret.startswith("[redacted:"):
            return match[0]
        start, end = match.span("secret")
        return match[0][: start - match.start()] + self.mark(secret) + match[0][end - match.start() :]

    def json(self, value: Any) -> Any:
        """Every text inside a JSON value redacted; keys as well."""
        return map_texts(value, self.text)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed, keys too; unchanged parts are kept as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): map_texts(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_texts(item, change) for item in value]
    return value


def load_redactor(secrets_folder: Path) -> Redactor:
    """The redactor of this installation; its key is made at first use and stays in a closed file outside the
    database.
    """
    path = secrets_folder / "redaction.key"
    try:
        secrets_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(os.urandom(KEY_BYTES))
        except FileExistsError:
            pass
        key = path.read_bytes()
    except OSError as error:
        raise HostError(
            f"The key that marks redacted secrets cannot be kept in {path}: {error}.",
            remedy="Set AYA_HOME to a folder that you may write.",
        ) from error
    if len(key) != KEY_BYTES:
        raise HostError(
            f"{path} does not hold a key.", remedy="Delete it: a new one is made, and all marks change once."
        )
    return Redactor(key)
