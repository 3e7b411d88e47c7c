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
from aya.secret import kept_secret

KEY_FILE = "redaction.key"
KEY_BYTES = 32

_NAME = r"""(?x: (?<![\w.-]) [\w.-]*?  # only from its beginning, so that a long text is gone over once
    (?: password | passwort | kennwort | mot[ ]de[ ]passe | contraseña
    |   passwd | passphrase | passcode | secrets? | token | credentials | requirepass | masterauth
    |   (?: api | access | account | auth | encryption | master | secret ) [_-]? key
    |   private [_-]? key (?! ["']? \s*[=:]\s* ["']? [/~$] )  # not the path of one
    |   (?: (?<=[_.-]) | (?<![\w.-]) | (?-i:(?<=[a-z])(?=P)) )  # these two only as whole words: not in "bypass"
        (?: pass (?! ["']? \s*[=:]\s* \d{1,4}\b ) | pwd (?! \s*=\s*/ ) )  # nor a count, nor the folder of a shell
    ) )"""
"""The name of something secret: it *ends* with such a word. `password_encryption` and `max_tokens` do not."""

_IS = r"(?:\s*(?::=|=>|=|:(?!:))\s*)"
"""Between a name and its value; `'password'::text` is a cast of SQL."""

_NO_SECRET = r"""(?x: (?! \[redacted: | \$\( | \# | (?: true | false | null | none | on | off | yes | no | any | all | \*+ | [|>]
    | \$\{[^}\s]{1,99}\} | \$[A-Z_]+ | \$\d+ | %s | \? | <[\w -]{1,99}> | \{\{ [^}\n]{1,99} \}\} ) (?: [\s,;&})\]'"] | $ ) ))"""
"""What stands where a secret could: a mark, a word that says whether there is one, a reference to a value elsewhere."""

_NO_STATE = r"(?!(?:required|enabled|disabled|unset|set|stored|rotated|expired|unknown|redacted|hidden)\b)"
"""A word that says how it stands with a secret."""

_IN_ONE_QUOTE = rf"'{_NO_SECRET}(?P<secret>(?:[^'\\\n]|\\.|'')+)(?:'|$)"
_IN_TWO_QUOTES = rf'"{_NO_SECRET}(?P<secret>(?:[^"\\\n]|\\.)+)(?:"|$)'
_BARE = rf"""(?!['"]){_NO_SECRET}(?x:(?P<secret> (?: [^\s'"&;,)\]}}]
    | [&;,)\]}}] (?= [^\s'"&;,)\]}}] ) (?! [\w.-]+= )  # the end of a list, or the next of its items, ends it
    | '{{1,2}} (?=\w) | " (?=\w) )+ ))"""
_BARE_WORD = rf"""{_NO_SECRET}(?P<secret>[^\s'"&;,)\]}}{{\[]+)"""
_FIELD = r"(?:[^:\\\s]|\\.)+"

_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE | re.MULTILINE)
    for shape in (
        # a private key, whole; or what there is of one that was cut off
        r"(?s:(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)))",
        # the verifiers that PostgreSQL keeps of passwords
        r"(?P<secret>SCRAM-SHA-256\$\d+:[a-z0-9+/=]+\$[a-z0-9+/=]+:[a-z0-9+/=]+)",
        r"(?<![0-9a-z])(?P<secret>md5[0-9a-f]{32})(?![0-9a-z])",
        # scheme://user:secret@host; up to the last @ before a slash, but a port is none
        r"""://[^\s:/@'"\[]*:(?!\d{1,5}(?:[/?#\s]|$))(?P<secret>[^\s/'"]{1,512}|[^\s@'"]{1,512})(?=@)""",
        r"://hooks\.slack\.com/services/(?P<secret>[\w/-]+)",
        # name = 'secret', "name": "secret", PASSWORD 'secret'; and quotes in quotes: 'name=''secret''', "{\"name\": \"secret\"}"
        rf"{_NAME}\s*=\s*''{_NO_SECRET}(?P<secret>(?:[^'\\\n]|\\.)+)''",
        rf'{_NAME}\\"\s*:\s*\\"{_NO_SECRET}(?P<secret>[^"\\\n]+)\\"',
        rf"""{_NAME}["']?(?:{_IS}|\s+)E?{_IN_ONE_QUOTE}""",
        rf"""{_NAME}["']?{_IS}{_IN_TWO_QUOTES}""",
        rf"\bIDENTIFIED\s+BY\s+{_IN_ONE_QUOTE}",
        # name=secret: libpq, environment, options, addresses
        rf"""{_NAME}["']?\s*(?::=|=(?![=>~]))\s*{_BARE}""",
        # name: secret, alone on its line, in a list of such, or a header in quotes
        rf"""(?:^[ \t]*(?:-[ ]+)?|[{{,]\s*|["']){_NAME}(?:["']\s*:(?!:)\s*|:\s+){_BARE_WORD}(?=\s*(?:$|[,}}\])'"#]))""",
        # **Admin password:** secret, and | Password | secret |, as Markdown has them
        rf"""^[ \t]*(?:[-*+>][ ]+|\d+[.)][ ]+)?(?:\*\*|__)?(?:[\w-]+ ){{0,3}}?{_NAME}(?:\*\*|__)?\s?:(?:\*\*|__)?[ \t]+"""
        rf"""`?{_NO_STATE}(?!['"]){_NO_SECRET}(?P<secret>[^\s`|]+)`?[ \t]*$""",
        rf"""^[ \t]*\|[ \t]*[*_`]{{0,2}}(?:[\w-]+ ){{0,3}}?{_NAME}[*_`]{{0,2}}:?[ \t]*\|[ \t]*`?{_NO_STATE}{_NO_SECRET}"""
        r"""(?P<secret>[^\s|`]+)`?[ \t]*\|(?=[ \t]*$)(?!.*\n[ \t]*\|?[ \t]*:?-)""",
        # the password for the user is secret; login: user / secret
        rf"""\b(?:password|passwort|kennwort|mot de passe)\b[^.\n:=|]{{0,60}}?\s(?:is|ist|est|lautet)[: ]\s*["'`]?{_NO_SECRET}"""
        r"""(?P<secret>(?=[^\s"'`]*\d)(?=[^\s"'`]*[a-z])[^\s"'`]{5,}[^\s"'`.,;])""",
        r"""\b(?:login|credentials|zugangsdaten|identifiants)\**:\**\s+[\w.@-]+\s+/\s+"""
        r"""(?P<secret>(?=\S*\d)(?=\S*[a-z])\S{6,})(?=[ \t]*$)""",
        # --name secret; name secret in the files of Redis and in .netrc
        rf"(?:^|\s)(?=--?\w)(?!--no-){_NAME}\s+(?!-){_BARE}",
        rf"(?:^|\s)(?=--?\w)(?!--no-){_NAME}\s+{_IN_TWO_QUOTES}",
        rf"^[ \t]*(?:requirepass|masterauth)\s+{_BARE}",
        rf"\blogin\s+\S+\s+password\s+{_BARE}",
        # Authorization: Bearer secret; elsewhere such words count only before something that looks like a key
        rf"""authorization["']?\s*[=:]\s*["']?(?:bearer|basic|token|digest|negotiate)\s+{_BARE}""",
        r"""\bbearer\s+(?P<secret>(?=[^\s'"]*\d)[a-z0-9+/=_.~-]{16,})""",
        r"""\bbasic\s+(?P<secret>(?-i:(?=[^\s'"]*\d)(?=[^\s'"]*[A-Z])[A-Za-z0-9+/]{16,}={0,2}))(?![\w-])""",
        # tokens that name themselves
        r"(?P<secret>(?-i:(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|gh[pousr]_[A-Za-z0-9]{30,}"
        r"|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}|[sr]k_live_\w{16,}"
        r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|tskey-[\w-]{16,}|hvs\.[\w-]{20,}"
        r"|aya_[0-9A-Za-z]{8}_[0-9A-Za-z]{40,}|dop_v1_[0-9a-f]{32,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}))",
        r"(?<![\w-])(?P<secret>(?-i:sk-(?=[\w-]*\d)[\w-]{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+))",
        # a line of .pgpass: host:port:database:user:secret
        rf"^(?!.*\[redacted:)[ \t]*(?!\#){_FIELD}:(?:\d{{1,5}}|\*):{_FIELD}:{_FIELD}:(?P<secret>{_FIELD})[ \t]*$",
    )
)
"""Each finds one shape of secret. None goes over a long text more than a few times, whatever is in it."""

_QUOTE = r"""(?P<quote>['"])?"""
_REST = rf"""{_NO_SECRET}(?P<secret>(?(quote)[^'"\n]+|[^\s'"]+))"""
_OPTIONS_OF_PROGRAMS = tuple(
    (re.compile(rf"\b(?:{programs})\b.*"), re.compile(rf"(?<!\S){option}{_REST}"))
    for programs, option in (
        ("curl", rf"""(?:-u|--user|--proxy-user)[\s=]*{_QUOTE}[^\s:'"\[]+:"""),
        ("sshpass", rf"-p\s*{_QUOTE}"),
        ("redis-cli", rf"-a\s*{_QUOTE}"),
        ("mongo|mongosh|mongodump", rf"-p\s*{_QUOTE}"),
        ("mysql|mysqldump|mysqladmin|mariadb|mariadb-dump", rf"-p{_QUOTE}"),
    )
)
"""Options that hold a secret with these programs only: the rest of the program's line, and the option in it."""

_HINT = re.compile(
    r"pass|pwd|secret|token|key|credential|identified|auth|bearer|basic|://|md5|scram|kennwort|contrase|login|zugang|identifiants|redis-cli|mongo|curl|mysql|mariadb|akia|asia|aiza"
    r"|gh[pousr]_|github_pat|glpat|xox|xapp|sk-|k_live|hf_|aya_|npm_|pypi|hvs|dop_v1|eyj|:(?:\d{1,5}|\*):"
)
"""A text without any of these, case aside, cannot hold a known shape; nearly every text is let through by this alone."""


_SECRET_COLUMN = re.compile(rf"(?:[\w-]+ )*{_NAME}", re.IGNORECASE)
_TABLE = re.compile(
    r"^[ \t]*\|(?P<head>[^\n]*)\|[ \t]*\n[ \t]*\|[ :|-]*-[ :|-]*\n(?P<rows>(?:[ \t]*\|[^\n]*(?:\n|\Z))*)", re.MULTILINE
)
_INSERT = re.compile(r"\binsert\s+into\s+[\w.\"]+\s*\((?P<head>[^()]*)\)\s*values\s*(?P<rows>[^;]*)", re.IGNORECASE)
_VALUE = re.compile(r"(?P<open>\()|(?P<comma>,)|'(?P<text>(?:[^']|'')*)'|[^,()']+|\)")
_NO_VALUE = re.compile(rf"{_NO_STATE}{_NO_SECRET}(?!\d{{1,6}}$)(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes secrets out of texts; the same key gives the same mark for the same secret."""

    key: bytes
    keeps_lines: bool = False
    """Whether what follows a secret of several lines stays on the line where it was."""

    def mark(self, secret: str) -> str:
        """What stands in the place of a secret."""
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), sha256).hexdigest()
        return f"[redacted:{digest[:16]}]"

    def text(self, text: str) -> str:
        """The text with every secret of a known shape replaced by its mark."""
        # Folding first is many times quicker than a pattern that ignores case.
        if not _HINT.search(text.casefold()):
            return text
        for shape in _SHAPES:
            text = shape.sub(self._replace, text)
        for line, option in _OPTIONS_OF_PROGRAMS:
            text = line.sub(self._replaced_in(option), text)
        return _INSERT.sub(self._inserted, _TABLE.sub(self._table, text))

    def _table(self, table: re.Match[str]) -> str:
        """A table of Markdown, without what stands in columns of secrets."""
        secret = [bool(_SECRET_COLUMN.fullmatch(name.strip(" *_`"))) for name in table["head"].split("|")]
        if not any(secret):
            return table[0]
        rows = []
        for row in table["rows"].splitlines(keepends=True):
            cells = row.split("|")
            for at, is_secret in enumerate(secret, 1):
                if is_secret and at < len(cells) and _NO_VALUE.match(bare := cells[at].strip(" \t`\n")):
                    cells[at] = cells[at].replace(bare, self.mark(bare))
            rows.append("|".join(cells))
        return table[0][: table.start("rows") - table.start()] + "".join(rows)

    def _inserted(self, insert: re.Match[str]) -> str:
        """`INSERT INTO users (name, password) VALUES ('a', 'secret')`, without the values of such columns."""
        secret = [bool(_SECRET_COLUMN.fullmatch(name.strip(' "\n\t'))) for name in insert["head"].split(",")]
        if not any(secret):
            return insert[0]
        rows, depth, column = [], 0, 0
        for part in _VALUE.finditer(insert["rows"]):
            if part["open"]:
                depth, column = depth + 1, column if depth else 0
            elif part[0] == ")":
                depth -= 1
            elif part["comma"] and depth == 1:
                column += 1
            is_secret = depth == 1 and column < len(secret) and secret[column]
            value = part["text"] if is_secret else None
            rows.append(f"'{self.mark(value)}'" if value and _NO_VALUE.match(value) else part[0])
        return insert[0][: insert.start("rows") - insert.start()] + "".join(rows)

    def _replaced_in(self, option: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
        return lambda line: option.sub(self._replace, line[0])

    def _replace(self, match: re.Match[str]) -> str:
        secret = match["secret"]
        if secret.startswith("[redacted:"):
            return match[0]
        start, end = match.span("secret")
        lines = "\n" * secret.count("\n") if self.keeps_lines else ""
        return match[0][: start - match.start()] + self.mark(secret) + lines + match[0][end - match.start() :]


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
    path = secrets_folder / KEY_FILE
    key = kept_secret(path, lambda: os.urandom(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise HostError(
            f"{path} does not hold a key.", remedy="Delete it: a new one is made, and all marks change once."
        )
    return Redactor(key)


def passing_redactor(secrets_folder: Path) -> Redactor:
    """The same redactor, but nothing is made: where there is no key to read, its marks hold for this once."""
    try:
        return Redactor((secrets_folder / KEY_FILE).read_bytes())
    except OSError:
        return Redactor(os.urandom(KEY_BYTES))
