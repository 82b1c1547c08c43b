"""Hostile DICOM files: each asks for more than a reader should give, or breaks off.

They are built byte by byte, because no well-behaved writer would.
"""

import struct
import zlib
from pathlib import Path

from engine.dicom.extract import RT_DOSE_STORAGE
from engine.dicom.scan import DEFLATED_LITTLE, EXPLICIT_LITTLE
from engine.synth.dicom import synthetic_uid
from engine.synth.faults import write_set

UNDEFINED = 0xFFFFFFFF
SEQUENCE_TAG = (0x3006, 0x0020)
CLAIMED_BYTES = 1024**3


def _short(group: int, element: int, vr: bytes, value: bytes) -> bytes:
    value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
    return struct.pack("<HH2sH", group, element, vr, len(value)) + value


def _preamble(syntax: str) -> bytes:
    elements = _short(0x0002, 0x0002, b"UI", RT_DOSE_STORAGE.encode())
    elements += _short(0x0002, 0x0003, b"UI", synthetic_uid("hostile").encode())
    elements += _short(0x0002, 0x0010, b"UI", syntax.encode())
    length = _short(0x0002, 0x0000, b"UL", struct.pack("<I", len(elements)))
    return b"\0" * 128 + b"DICM" + length + elements


def truncated(path: Path, folder: Path, keep: float = 0.6) -> Path:
    """Write an RT Dose that breaks off after a share of its bytes; the whole goes to ``folder``."""
    whole = next(file for file in write_set(folder) if file.name == "rtdose.dcm").read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    return path


def nested(path: Path, depth: int = 300, delimited: bool = True) -> Path:
    """Write sequences inside sequences, ``depth`` levels deep."""
    group, element = SEQUENCE_TAG
    content = b""
    for _ in range(depth):
        if delimited:
            item = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + content
            item += struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            body = item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
            length = UNDEFINED
        else:
            body = struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
            length = len(body)
        content = struct.pack("<HH2sHI", group, element, b"SQ", 0, length) + body
    uid = _short(0x0008, 0x0016, b"UI", RT_DOSE_STORAGE.encode())
    path.write_bytes(_preamble(EXPLICIT_LITTLE) + uid + content)
    return path


def deflated_bomb(path: Path, claimed: int = CLAIMED_BYTES) -> Path:
    """Write a small deflated file whose pixel data inflate to ``claimed`` bytes of zero."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    uid = _short(0x0008, 0x0016, b"UI", RT_DOSE_STORAGE.encode())
    packed = deflater.compress(uid + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, claimed))
    block = b"\0" * (1024 * 1024)
    parts = [packed]
    parts.extend(deflater.compress(block) for _ in range(claimed // len(block)))
    parts.append(deflater.flush())
    path.write_bytes(_preamble(DEFLATED_LITTLE) + b"".join(parts))
    return path


def overlong_element(path: Path) -> Path:
    """Write an element that claims four gigabytes in a file of a few hundred bytes."""
    uid = _short(0x0008, 0x0016, b"UI", RT_DOSE_STORAGE.encode())
    claim = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 0xFFFFFFFE)
    path.write_bytes(_preamble(EXPLICIT_LITTLE) + uid + claim + b"\0" * 64)
    return path
