"""Every option of AYA, its default and its help; the docs print from here.

An option is set by, strongest first: a command-line flag, the environment (`AYA_NODE`), the TOML file (`node = "ALPHA"`),
the default. The file is `AYA_CONFIG`, else `aya.toml` in `AYA_HOME`; naming one that is not there is an error.
"""

import getpass
import os
import socket
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from aya.errors import ConfigurationError

PREFIX = "AYA_"
FOREVER: Literal["forever"] = "forever"
Days = Annotated[int, Field(ge=1, le=100_000)] | Literal["forever"]
UNUSABLE_IN_HOME = frozenset('"$`\\,')


def default_home() -> Path:
    """`/var/lib/aya` as root, else the platform's user data folder."""
    return Path("/var/lib/aya") if os.geteuid() == 0 else Path(platformdirs.user_data_dir("aya"))


def default_node() -> str:
    """The short host name, as people use it."""
    return socket.gethostname().split(".")[0] or "localhost"


def default_actor() -> str:
    """Who runs this program, as the operating system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.geteuid()}"


class Settings(BaseSettings):
    """Every option, frozen once read."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Field(default_factory=default_home, description="Folder that holds all of AYA's data.")
    database_url: SecretStr | None = Field(
        None, description="An existing PostgreSQL 18 with pgvector to use instead of the embedded server."
    )
    node: str = Field(default_factory=default_node, description="Name of this node.", min_length=1, max_length=200)
    node_role: str | None = Field(
        None,
        description="Role of this node set by hand (primary, replica, client, standalone); default: found.",
        pattern="^(primary|replica|client|standalone)$",
    )
    tcp_port: int | None = Field(
        None, description="Loopback TCP port (SCRAM) of the embedded server; default: Unix socket only.", ge=1, le=65535
    )
    postgres_urls: tuple[SecretStr, ...] = Field(
        (), description="Further PostgreSQL servers to look at, as URLs; those running on this machine are found."
    )
    sql_url: SecretStr | None = Field(
        None,
        description="Where read-only SQL is run as the role aya_sql, if not where everything is: a standby, or a server that "
        "has its own password for the role.",
    )
    sql_timeout_s: int = Field(10, description="So long a statement of read-only SQL may take.", ge=1, le=3600)
    sql_rows: int = Field(1000, description="So many rows it gives at most.", ge=1, le=100_000)
    sql_bytes: int = Field(
        4 * 1024 * 1024, description="So long all its rows are at most, as JSON.", ge=1024, le=64 * 1024 * 1024
    )
    sql_value_bytes: int = Field(
        64 * 1024, description="So much it gives of one value at most.", ge=16, le=16 * 1024 * 1024
    )
    sql_concurrency: int = Field(4, description="So many statements of read-only SQL run at once.", ge=1, le=16)
    interval_s: int = Field(300, description="Seconds between two collections of `aya up` without --once.", ge=1)
    check_limit_s: int = Field(60, description="Seconds that one check of `aya verify` may take.", ge=1, le=86400)
    backup_folders: tuple[Path, ...] = Field(
        (), description="Folders of this machine that hold backups, to be verified."
    )
    stale_after_s: int | None = Field(
        None,
        description="Seconds after which a look is too old to say what is; default: three times interval_s.",
        ge=1,
    )
    keep_changes_days: Days = Field(
        FOREVER,
        description="Days for which superseded changes are kept, or `forever`. Set, `aya up` lets older ones go once a day.",
    )
    keep_measurements_days: Days = Field(
        90,
        description="Days for which measurements are kept, or `forever`. Set, `aya up` lets older ones go once a day.",
    )
    keep_runs_days: Days = Field(
        90,
        description="Days for which collection runs are kept, or `forever`. Set, `aya up` lets older ones go once a day.",
    )
    keep_checks_days: Days = Field(
        90,
        description="Days for which check results without a snapshot are kept, or `forever`. Set, `aya up` lets older ones go "
        "once a day.",
    )
    payload_limit_bytes: int = Field(
        256 * 1024 * 1024, description="Largest state of one node that is recorded, as JSON.", ge=1024
    )
    host: str = Field(
        "127.0.0.1",
        description="Address to serve on; any but loopback needs a token, and TLS or a word that it is not needed.",
    )
    port: int = Field(8080, description="Port to serve on.", ge=0, le=65535)
    tls_certificate: Path | None = Field(
        None, description="PEM file of the certificate to serve with (with its chain)."
    )
    tls_key: Path | None = Field(None, description="PEM file of its private key.")
    behind_proxy: bool = Field(
        False, description="A reverse proxy on this machine or network does TLS; nobody is then taken for local."
    )
    plain_http_allowed: bool = Field(
        False,
        description="Serve, and send tokens, without TLS beyond this machine: where the network itself is encrypted.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Further names by which AYA may be addressed (`aya.example.org`, or with its port)."
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="Further web origins whose pages may call AYA (`https://grafana.example.org`)."
    )
    loopback_read: bool = Field(
        True, description="On this machine, reading and read-only SQL need no token while AYA serves loopback only."
    )
    body_limit_bytes: int = Field(1024 * 1024, description="Largest body of a request.", ge=1024)
    delivery_limit_bytes: int = Field(
        32 * 1024 * 1024, description="Largest state that is taken from an agent elsewhere, as JSON.", ge=1024
    )
    body_time_s: float = Field(30.0, description="Seconds within which a request's body must be here, whole.", gt=0)
    rate_per_s: float = Field(
        200.0,
        description="Requests a second that one caller may make on average, twice that at once; 0: any number.",
        ge=0,
    )
    concurrent_calls: int = Field(32, description="Requests of one caller that are answered at the same time.", ge=1)
    concurrent_heavy_calls: int = Field(
        4,
        description="Requests for SQL, checks and recording that are answered at the same time, of all callers.",
        ge=1,
    )
    token: SecretStr | None = Field(None, description="Token to deliver with, see `aya collect --to`.")
    token_file: Path | None = Field(None, description="File that holds the token to deliver with.")
    spool_limit_bytes: int = Field(
        256 * 1024 * 1024,
        description="How much may wait to be delivered; then the oldest go, and that is told.",
        ge=1024,
    )
    embedding_served: bool = Field(True, description="Whether `aya up` and `aya serve` serve embeddings as well.")
    embedding_port: int = Field(8765, description="Port to serve embeddings on.", ge=0, le=65535)
    embedding_model: str | None = Field(
        None,
        description="Model for embeddings: OWNER/MODEL of the hub, the path of a folder, or all-MiniLM-L6-v2-int8, which is "
        "packaged; default: BAAI/bge-base-en-v1.5, and where that cannot be fetched the packaged one.",
        min_length=1,
        max_length=1000,
    )
    embedding_backend: str = Field(
        "onnx",
        description="What runs the model: onnx; with the extra of that name sentence_transformers or mlx.",
        max_length=100,
    )
    embedding_device: str = Field(
        "auto",
        description="What it runs on: auto, cpu, cuda or coreml, or what the backend calls it.",
        max_length=100,
    )
    embedding_query_prefix: str | None = Field(
        None, description="What stands before a query; default: as the model wants it.", max_length=1000
    )
    embedding_passage_prefix: str | None = Field(
        None, description="What stands before a passage; default: as the model wants it.", max_length=1000
    )
    embedding_texts: int = Field(4096, description="So many texts are embedded of one request.", ge=1)
    embedding_queue_texts: int = Field(16_384, description="So many texts may wait for the model.", ge=1)
    embedding_body_limit_bytes: int = Field(
        4 * 1024 * 1024, description="Largest body of a request for embeddings.", ge=1024
    )
    embedding_cache_bytes: int = Field(
        64 * 1024 * 1024, description="So much memory holds embeddings that were made before; 0: none.", ge=0
    )
    embedding_cache_kept: bool = Field(
        False, description="Keep as much of them in the database as well, for the next start."
    )
    actor: str = Field(default_factory=default_actor, description="Who is named in the log of changes.", max_length=200)
    reason: str | None = Field(None, description="Why, for the log of changes.", max_length=1000)
    log_level: str = Field(
        "warning", description="Least level that is logged to stderr.", pattern="^(debug|info|warning|error)$"
    )

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        try:
            home = home.expanduser().absolute()
        except RuntimeError as error:
            raise ValueError(f"{error}") from None
        # initdb and pg_ctl hand paths to a shell, and a socket's folder stands in lists that have commas.
        if not str(home).isprintable() or UNUSABLE_IN_HOME.intersection(str(home)):
            raise ValueError(
                f"a path with {' '.join(sorted(UNUSABLE_IN_HOME))} or unprintable characters cannot be used"
            )
        return home

    @field_validator("node", mode="after")
    @classmethod
    def _printable(cls, node: str) -> str:
        if not node.isprintable() or node != node.strip() or "/" in node:
            raise ValueError("a node name is printable, has no slash and no space around it")
        return node

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the TOML file. No `.env` file: AYA reads nothing it was not pointed to."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _options_file())


def _options_file() -> Path:
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigurationError(
                f"{PREFIX}CONFIG names {named}, which is not a file.", remedy="Create it, or unset the variable."
            )
        return Path(named)
    home = os.environ.get(f"{PREFIX}HOME")
    try:
        return (Path(home).expanduser() if home else default_home()) / "aya.toml"
    except RuntimeError as error:
        raise ConfigurationError(f"{PREFIX}HOME is {home}: {error}", remedy="Name a folder by its full path.") from None


def load(**flags: Any) -> Settings:
    """Read every option. `flags` are those given on the command line; None means not given.

    Raises ConfigurationError that names the option, where it was set and what is wrong with it.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"{name} (set by {'the command line' if name in given else _set_by(name)}): {said}"
            for name, said in (
                (
                    str(e["loc"][0]),
                    "there is no such option"
                    if e["type"] == "extra_forbidden"
                    else e["msg"].removeprefix("Value error, "),
                )
                for e in error.errors(include_input=False)
            )
        )
        raise ConfigurationError(
            f"An option cannot be used: {problems}.", remedy="docs/settings.md lists all options."
        ) from None
    except SettingsError as error:
        raise ConfigurationError(
            f"An option cannot be used: {error}.",
            remedy='A variable that holds a list is written as JSON: ["...", "..."].',
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The file of options is not TOML: {error}.", remedy=f"Mend {_options_file()}."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"The file of options cannot be read: {error}.", remedy="Let it be read, or choose another AYA_HOME."
        ) from None


def describe() -> list[dict[str, str]]:
    """Every option: its name, value, where it was set (environment, file or default) and its help. Secrets are not
    shown.
    """
    current = load()
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(current, name)
        rows.append(
            {
                "option": name,
                "variable": f"{PREFIX}{name.upper()}",
                "value": "" if value is None else str(value),
                "set_by": _set_by(name),
                "help": field.description or "",
            }
        )
    return rows


def _set_by(name: str) -> str:
    """Where an option that is no flag was set: a variable, the file, or nowhere."""
    variable, file = f"{PREFIX}{name.upper()}", _options_file()
    if name in Settings.model_fields and os.environ.get(variable):
        return variable
    return str(file) if file.is_file() and name in tomllib.loads(file.read_text("utf-8")) else "default"
