"""Environment markers of a lock file: for which Python and machine a line holds. Pure.

The grammar is that of the dependency specifiers (PEP 508); what is not of it is refused, never
guessed.
"""

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<op>===|==|!=|<=|>=|~=|<|>)|(?P<paren>[()]))"
)
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_ORDER: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
DEEPEST = 20
"""Brackets within brackets; a marker that tools write has one or two."""


class MarkerError(ValueError):
    """A marker that cannot be read."""


def this_machine(python: str = "") -> dict[str, str]:
    """Return the values that markers ask for, of this machine.

    Parameters
    ----------
    python : str, optional
        Full version of another Python to read them for.
    """
    full = python or platform.python_version()
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": ".".join(full.split(".")[:2]),
        "python_full_version": full,
        "implementation_name": sys.implementation.name,
        "implementation_version": full,
        "extra": "",
    }


def described(machine: Mapping[str, str]) -> str:
    """Return an environment in words: "CPython 3.11.9 on Linux x86_64"."""
    return (
        f"{machine['platform_python_implementation']} {machine['python_full_version']} on "
        f"{machine['platform_system']} {machine['platform_machine']}"
    )


def holds(marker: str, machine: Mapping[str, str]) -> bool:
    """Whether a marker holds on a machine.

    Raises
    ------
    MarkerError
        If it cannot be read.

    Examples
    --------
    >>> holds("python_full_version < '3.12' and sys_platform == 'linux'",
    ...       {"python_full_version": "3.11.9", "sys_platform": "linux"})
    True
    """
    reader = _Reader(_tokens(marker), machine)
    answer = reader.either(0)
    if reader.rest:
        raise MarkerError(f"{reader.rest[0][1]!r} is not expected there")
    return answer


def _tokens(marker: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    marker = marker.rstrip()
    while at < len(marker):
        found = _TOKEN.match(marker, at)
        if found is None or found.lastgroup is None:
            raise MarkerError(f"{marker[at : at + 20]!r} is no part of a marker")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


class _Reader:
    """Reads a marker from left to right; both sides of `and` and `or` are always read."""

    def __init__(self, tokens: list[tuple[str, str]], machine: Mapping[str, str]) -> None:
        self.rest = tokens
        self.machine = machine

    def either(self, depth: int) -> bool:
        answer = self.both(depth)
        while self.take("word", "or"):
            right = self.both(depth)
            answer = answer or right
        return answer

    def both(self, depth: int) -> bool:
        answer = self.one(depth)
        while self.take("word", "and"):
            right = self.one(depth)
            answer = answer and right
        return answer

    def one(self, depth: int) -> bool:
        if self.take("paren", "("):
            if depth >= DEEPEST:
                raise MarkerError("it is nested too deep")
            answer = self.either(depth + 1)
            if not self.take("paren", ")"):
                raise MarkerError("a bracket is not closed")
            return answer
        left_name, left = self.value()
        comparison = self.comparison()
        right_name, right = self.value()
        return _compare(left, comparison, right, {left_name, right_name} & _VERSIONS != set())

    def take(self, kind: str, text: str) -> bool:
        if self.rest and self.rest[0] == (kind, text):
            self.rest = self.rest[1:]
            return True
        return False

    def next(self) -> tuple[str, str]:
        if not self.rest:
            raise MarkerError("it ends too early")
        first, self.rest = self.rest[0], self.rest[1:]
        return first

    def value(self) -> tuple[str, str]:
        kind, text = self.next()
        if kind == "text":
            return "", text[1:-1]
        if kind == "word" and text in self.machine:
            return text, self.machine[text]
        raise MarkerError(f"{text!r} is no name of a marker")

    def comparison(self) -> str:
        kind, text = self.next()
        if kind == "op" or (kind == "word" and text == "in"):
            return text
        if (kind, text) == ("word", "not") and self.take("word", "in"):
            return "not in"
        raise MarkerError(f"{text!r} is no comparison")


def _compare(left: str, comparison: str, right: str, versions: bool) -> bool:
    if comparison in ("in", "not in"):
        return (left in right) == (comparison == "in")
    if versions:
        return _compare_versions(left, comparison, right)
    if comparison in ("==", "==="):
        return left == right
    if comparison == "!=":
        return left != right
    raise MarkerError(f"{comparison!r} is asked of {left!r}, which is no version")


def _compare_versions(left: str, comparison: str, right: str) -> bool:
    if right.endswith(".*") and comparison in ("==", "!="):
        wanted = _numbers(right[:-2])
        return (_numbers(left)[: len(wanted)] == wanted) == (comparison == "==")
    one, other = _numbers(left), _numbers(right)
    if comparison == "~=":
        stem = other[:-1]
        return _padded(one, other) >= _padded(other, one) and one[: len(stem)] == stem
    return _ORDER[comparison](_padded(one, other), _padded(other, one))


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERS.match(version.strip())
    if found is None:
        raise MarkerError(f"{version!r} is no version")
    return tuple(int(part[:9]) for part in found[1].split("."))


def _padded(version: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return version + (0,) * (len(other) - len(version))
