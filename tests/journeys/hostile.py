"""Files that ask for more than a reader should give, written byte by byte as PS3.5 and PS3.10 say.

Nothing of ours takes part: a reader that shared a mistake with its writer would pass.
"""

import struct
import zlib
from pathlib import Path

RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
GIGABYTE = 1 << 30
MEGABYTE = 1 << 20

SEQUENCE = struct.pack("<HH2sHI", 0x3006, 0x0020, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
END_OF_ITEM = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
END_OF_SEQUENCE = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def _uid(group: int, element: int, value: str) -> bytes:
    text = value.encode() + b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", group, element, b"UI", len(text)) + text


def _file(syntax: str, content: bytes) -> bytes:
    meta = _uid(0x0002, 0x0002, RT_DOSE) + _uid(0x0002, 0x0003, "2.25.1")
    meta += _uid(0x0002, 0x0010, syntax)
    length = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(meta))
    return b"\0" * 128 + b"DICM" + length + meta + content


def truncated(whole: Path, target: Path) -> Path:
    """Write the first 60 per cent of a file."""
    content = whole.read_bytes()
    target.write_bytes(content[: len(content) * 6 // 10])
    return target


def nested(target: Path, depth: int = 300) -> Path:
    """Write sequences in items in sequences, 300 deep, in 11 KB."""
    begin, end = (SEQUENCE + ITEM) * depth, (END_OF_ITEM + END_OF_SEQUENCE) * depth
    target.write_bytes(_file(EXPLICIT_LITTLE, _uid(0x0008, 0x0016, RT_DOSE) + begin + end))
    return target


def deflated(target: Path) -> Path:
    """Write 300 KB whose pixel data claim a gigabyte, and inflate to 300 MB before they end."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    claim = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, GIGABYTE)
    parts = [deflater.compress(_uid(0x0008, 0x0016, RT_DOSE) + claim)]
    parts += [deflater.compress(bytes(MEGABYTE)) for _ in range(300)]
    target.write_bytes(_file(DEFLATED_LITTLE, b"".join([*parts, deflater.flush()])))
    return target


def laughing() -> str:
    """Return a YAML of 500 bytes whose aliases stand for three thousand million words."""
    lines = ['a0: &a0 ["x", "x", "x", "x", "x", "x", "x", "x", "x"]']
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 10)]
    return "\n".join([*lines, "systems: *a9", ""])


def bottomless() -> str:
    """Return a YAML whose one list holds a list, 5,000 times over."""
    return f"systems: {'[' * 5_000}{']' * 5_000}\n"
