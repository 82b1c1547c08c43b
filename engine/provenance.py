"""What a result came from: inputs by UID and digest, parameters, code and library versions."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Whoever asks only for the engine's digest does without numpy.
    from engine.dicom.objects import Source

ENGINE_VERSION = "0.1.0"
LIBRARIES = ("numpy", "shapely", "pydicom", "pynetdicom")
"""Whatever the engine imports; tests compare this with its sources."""

HOME = Path(__file__).resolve().parent
SOURCE_SUFFIXES = frozenset({".py", ".json", ".yaml"})


@cache
def engine_digest() -> str:
    """Return the SHA-256 over the engine's own source files, their names included.

    Read once per process: the code that runs is the code that was there at its start.
    """
    total = hashlib.sha256()
    for name in engine_files():
        content = (HOME / name).read_bytes()
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


@cache
def engine_files() -> tuple[str, ...]:
    """Return the names of the engine's own source files, relative to it and in order."""
    files = (p for p in HOME.rglob("*") if p.suffix in SOURCE_SUFFIXES and p.is_file())
    return tuple(sorted(path.relative_to(HOME).as_posix() for path in files))


@cache
def library_versions() -> Mapping[str, str]:
    """Return the versions of the libraries that the engine imports."""
    return MappingProxyType({name: version(name) for name in LIBRARIES})


@dataclass(frozen=True)
class Provenance:
    """Where a result came from; equal provenance means an equal result."""

    inputs: tuple[Mapping[str, str], ...]
    parameters: Mapping[str, object]
    engine_version: str
    engine_digest: str
    libraries: Mapping[str, str]
    python: str

    def as_dict(self) -> dict[str, object]:
        """Return the provenance as plain JSON values."""
        return {
            "inputs": [dict(item) for item in self.inputs],
            "parameters": dict(self.parameters),
            "engine_version": self.engine_version,
            "engine_digest": self.engine_digest,
            "libraries": dict(self.libraries),
            "python": self.python,
        }


def provenance_of(sources: Sequence["Source"], parameters: Mapping[str, object]) -> Provenance:
    """Describe a calculation on some files under some parameters."""
    return Provenance(
        inputs=tuple(
            MappingProxyType(
                {
                    "file": source.file,
                    "sha256": source.sha256,
                    "sop_class_uid": source.sop_class_uid,
                    "sop_instance_uid": source.sop_instance_uid,
                }
            )
            for source in sources
        ),
        parameters=MappingProxyType(dict(parameters)),
        engine_version=ENGINE_VERSION,
        engine_digest=engine_digest(),
        libraries=library_versions(),
        python=platform.python_version(),
    )
