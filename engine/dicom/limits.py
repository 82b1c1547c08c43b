"""The limits under which an untrusted file is read."""

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much one untrusted file may cost. Every limit has a refusal code of its own.

    Parameters
    ----------
    file_bytes
        Largest file opened at all.
    inflated_bytes
        Most bytes inflated from a deflated file before it is refused; nothing is kept of them.
    nesting_depth
        Deepest sequence nesting. Real RT objects stay below 8.
    elements
        Most data elements walked, nested ones included.
    memory_bytes
        Address space of the reading child (RLIMIT_AS).
    cpu_seconds
        CPU time the child may use for one file (RLIMIT_CPU, renewed for each file).
    wall_seconds
        Wall time after which the parent ends the child.
    files_per_child
        A child is replaced after so many files, so that nothing builds up in it.
    """

    file_bytes: int = 512 * MEGABYTE
    inflated_bytes: int = 64 * MEGABYTE
    nesting_depth: int = 32
    elements: int = 2_000_000
    memory_bytes: int = 2048 * MEGABYTE
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    files_per_child: int = 64


DEFAULT_LIMITS = Limits()
