"""What a run reads of a device's ``app.yaml``: the engine it is pinned to, its models' digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import Fault, Invalid
from core.located_yaml import read_mapping

SCHEMA = "engine-app/1"
MEND = "Mend app.yaml and tag a new commit."


@dataclass(frozen=True)
class Manifest:
    """The part of a device's declaration that decides what a run executes.

    Attributes
    ----------
    engine_version : str
        The version the device is pinned to.
    models : mapping
        Path in the repository to SHA-256, each checked against the file itself.
    """

    name: str
    version: str
    engine_version: str
    models: Mapping[str, str]


def read_manifest(checkout: Path, installed_engine: str) -> Manifest:
    """Read ``app.yaml`` and hold it against the installed engine and the model files.

    Parameters
    ----------
    installed_engine : str
        The version of the engine that would execute the run.

    Raises
    ------
    Invalid
        With every fault at once: unreadable, another schema, another engine, a model that is
        missing or has other content than declared.
    """
    held = _load(checkout / "app.yaml")
    faults: list[Fault] = []
    if held.get("schema") != SCHEMA:
        faults.append(_fault("schema", f"is {held.get('schema')!r}, not {SCHEMA!r}."))
    pinned = _pinned(held)
    if not pinned:
        faults.append(_fault("engine", "names no engine version.", "Pin engine: {version: ...}."))
    elif pinned != installed_engine:
        faults.append(
            _fault(
                "engine",
                f"is pinned to {pinned}, but {installed_engine} is installed.",
                "Install the pinned engine, or release the device for the installed one.",
            )
        )
    models = held.get("models") or {}
    if not isinstance(models, Mapping):
        faults.append(_fault("models", "is not a mapping of path to SHA-256."))
        models = {}
    faults.extend(fault for path, stated in models.items() for fault in _of(checkout, path, stated))
    if faults:
        raise Invalid("The device's manifest does not fit what is here.", faults)
    return Manifest(
        name=str(held.get("name", "")),
        version=str(held.get("version", "")),
        engine_version=pinned,
        models={str(path): str(stated) for path, stated in sorted(models.items())},
    )


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return read_mapping(path.read_bytes(), path.name)
    except Invalid as error:
        raise Invalid("The device's manifest cannot be read.", error.faults) from error


def _pinned(held: Mapping[str, Any]) -> str:
    engine = held.get("engine")
    return str(engine.get("version") or "") if isinstance(engine, Mapping) else ""


def _of(checkout: Path, path: Any, stated: Any) -> list[Fault]:
    """Find what is wrong with one declared model."""
    parts = PurePosixPath(str(path))
    if parts.is_absolute() or ".." in parts.parts:
        return [_fault(f"model {path}", "lies outside the repository.")]
    model = checkout / parts
    if not model.is_file():
        return [_fault(f"model {path}", "is missing.")]
    with model.open("rb") as stream:
        actual = file_digest(stream, "sha256").hexdigest()
    if actual != str(stated).removeprefix("sha256:"):
        return [_fault(f"model {path}", f"has the SHA-256 {actual}, not the declared one.")]
    return []


def _fault(where: str, what: str, mend: str = MEND) -> Fault:
    return Fault("manifest", where, what, mend)
