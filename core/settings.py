"""Settings, read from `FIDUCIAL_*` environment variables; docs/settings.md explains each."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may decide. Nothing here is a secret: keys live in the data folder."""

    model_config = SettingsConfigDict(env_prefix="FIDUCIAL_", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""
    types_dir: Path | None = None
    reference_data: Path = Path("../shared/data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    allowed_hosts: list[str] = ["127.0.0.1", "localhost", "[::1]"]
    https: bool = False
    session_hours: float = Field(default=10, gt=0, le=24)
    session_idle_minutes: float = Field(default=60, gt=0)
    sign_in_tries: int = Field(default=5, ge=1)
    sign_in_window_s: int = Field(default=300, ge=1)
    largest_upload_mb: int = Field(default=50, ge=1)
    repository_sources: list[str] = []

    @property
    def database(self) -> str:
        """The database to open: the one named, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'fiducial.db'}"


@lru_cache
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
