"""How the name of a file is told that Git keeps as bytes. Pure."""

import re

_ODD = re.compile("[\udc80-\udcff]")
_ESCAPE = re.compile(r"\\x([89a-f][0-9a-f]|5c)")
_LIKE = re.compile(r"\\(?=x[0-9a-f]{2})")


def readable_name(path: str) -> str:
    r"""Return a name with what is no UTF-8 as escapes, so that no two files have the same one.

    Parameters
    ----------
    path : str
        As Python tells file names: bytes that are no UTF-8 as lone surrogates.

    Examples
    --------
    >>> readable_name(b"caf\xe9.py".decode("utf-8", "surrogateescape"))
    'caf\\xe9.py'
    """
    # A name that looks like such an escape is written so that it is none.
    plain = _LIKE.sub(r"\\x5c", path)
    return _ODD.sub(lambda one: f"\\x{ord(one[0]) - 0xDC00:02x}", plain)


def name_in_git(shown: str) -> bytes:
    r"""Return the bytes of a name that was made readable.

    Examples
    --------
    >>> name_in_git(r"caf\xe9.py")
    b'caf\xe9.py'
    """
    pieces = _ESCAPE.split(shown)
    return b"".join(
        bytes([int(piece, 16)]) if at % 2 else piece.encode("utf-8", "surrogateescape")
        for at, piece in enumerate(pieces)
    )
