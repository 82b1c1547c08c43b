"""Settings, read from `FIDUCIAL_*` environment variables; docs/settings.md explains each."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import Fault, Invalid

PREFIX = "FIDUCIAL_"

DATA_SETS = "data-sets"
"""Folder of the registered data sets in the data folder, unless another is named."""

PUBLIC_PLANTUML = "plantuml.com"

JsonList = Annotated[list[str], NoDecode]
"""A list written as JSON. Read here: pydantic-settings would end at the first that is none."""


class Settings(BaseSettings):
    """What an installation may decide. Nothing here is a secret: keys live in the data folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""
    types_dir: Path | None = None
    frameworks_dir: Path | None = None
    documents_dir: Path | None = None
    reference_data: Path = Path("../shared/data")
    data_sets: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    allowed_hosts: JsonList = ["127.0.0.1", "localhost", "[::1]"]
    https: bool = False
    session_hours: float = Field(default=10, gt=0, le=24)
    session_idle_minutes: float = Field(default=60, gt=0)
    sign_in_tries: int = Field(default=5, ge=1)
    sign_in_window_s: int = Field(default=300, ge=1)
    largest_upload_mb: int = Field(default=50, ge=1)
    repository_sources: JsonList = []
    run_data_sources: JsonList = []
    qatrack_servers: JsonList = []
    plantuml_server: str = ""
    probe_hosts: JsonList = []
    scenario_minutes: float = Field(default=30, gt=0, le=24 * 60)

    @field_validator(
        "allowed_hosts",
        "repository_sources",
        "run_data_sources",
        "qatrack_servers",
        "probe_hosts",
        mode="before",
    )
    @classmethod
    def _read_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('is no list in JSON; write e.g. ["one", "two"]') from None

    @field_validator("plantuml_server")
    @classmethod
    def _read_server(cls, value: str) -> str:
        if not value:
            return ""
        named = urlsplit(value)
        host = (named.hostname or "").lower()
        if named.scheme not in ("http", "https") or not host or named.username or named.query:
            raise ValueError("is no address of a server; write e.g. http://127.0.0.1:8080/plantuml")
        if host == PUBLIC_PLANTUML or host.endswith(f".{PUBLIC_PLANTUML}"):
            raise ValueError("names the public PlantUML server; no map of ours is sent there")
        return value

    @property
    def data_sets_dir(self) -> Path:
        """Where the registered data sets lie: the folder named, or one in the data folder."""
        return (self.data_sets or self.data_dir / DATA_SETS).absolute()

    @property
    def database(self) -> str:
        """The database to open: the one named, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'fiducial.db'}"


@lru_cache
def get_settings() -> Settings:
    """Return the settings of this process, read once.

    Raises
    ------
    Invalid
        With every variable that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as refused:
        faults = [
            Fault(
                "setting-wrong",
                PREFIX + str(error["loc"][0]).upper(),
                f"{error['msg'].removeprefix('Value error, ')}.",
                "docs/settings.md lists what it may be.",
            )
            for error in refused.errors()
        ]
        raise Invalid("The settings of the environment cannot be used.", faults) from None
