"""A lock file is read whole or refused with every fault; markers are decided for one machine."""

import pytest

from core.errors import Invalid
from qms.soup import locks, markers
from qms.soup.components import Component
from qms.soup.locks import read_lock
from qms.soup.markers import MarkerError, holds, this_machine
from tests.effort import effort
from tests.qms.soup.conftest import read

LINUX = {**this_machine("3.11.9"), "sys_platform": "linux", "platform_system": "Linux"}


def named(text: str, python: str = "3.11.9") -> dict[str, Component]:
    return {one.name: one for one in read(text, python).components}


def faults(content: bytes) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_lock(content, "a.lock", LINUX)
    return [f"{one.code} {one.where}" for one in refused.value.faults]


def test_our_own_lock_file_is_read_whole(lock_text) -> None:
    bill = read(lock_text)
    pinned = [line for line in lock_text.splitlines() if "==" in line and line[0].isalnum()]

    assert len(bill.components) + len(bill.left_out) == len(pinned)
    assert all(one.hashes for one in bill.components)
    assert sum(1 for one in bill.components if one.direct and one.delivered) == 34
    hashes = sum(len(one.hashes) for one in (*bill.components, *bill.left_out))
    assert hashes == lock_text.count("--hash=")


def test_the_python_that_it_is_read_for_decides_between_versions(lock_text) -> None:
    old, new = read(lock_text, "3.11.9"), read(lock_text, "3.12.0")

    assert (old.by_name["numpy"].version, new.by_name["numpy"].version) == ("2.4.6", "2.5.5")
    assert "3.11.9" in old.read_for
    assert ("numpy", "2.5.5") in {(one.name, one.version) for one in old.left_out}


def test_comments_tell_who_asks_for_what() -> None:
    found = named(
        "# made by a tool\n"
        "Zope.Interface==7.0 \\\n    --hash=sha256:AA \\\n    --hash=sha256:bb\n"
        "    # via\n    #   -r requirements.in\n    #   pyramid\n"
        "pyramid[x,y]==2.0 # via -r requirements.in\n"
        "six==1.0\n    # via zope-interface\n"
        "ruff==0.1\n    # via -r requirements-dev.in\n"
        "click==8.0\n    # via ruff\n"
    )

    assert found["Zope.Interface"].key == ("pypi", "zope-interface")
    assert found["Zope.Interface"].hashes == ("sha256:aa", "sha256:bb")
    assert (found["Zope.Interface"].direct, found["Zope.Interface"].needed_by) == (
        True,
        ("pyramid",),
    )
    assert (found["six"].direct, found["six"].delivered) == (False, True)
    assert (found["ruff"].delivered, found["click"].delivered) == (False, False)


def test_what_a_tool_shares_with_the_software_is_delivered() -> None:
    found = named(
        "a==1\n    # via -r requirements.in\n"
        "tool==1\n    # via app (pyproject.toml:dev)\n"
        "both==1\n    # via\n    #   app (pyproject.toml:dev)\n    #   a\n"
    )

    assert (found["both"].delivered, found["both"].direct) == (True, False)
    assert not found["tool"].delivered


def test_without_comments_nobody_knows_what_is_direct() -> None:
    assert named("--index-url https://example.org/simple\na==1\nb==2\n")["a"].direct is None


def test_every_fault_is_named_with_its_line() -> None:
    content = (
        b"a==1\nb>=2\n-r other.txt\nc @ https://example.org/c.whl\n-e .\n"
        b"d==1 ; sys_platform is 'linux'\na==2\ne==1; nonsense == 'x'\n"
    )

    assert faults(content) == [
        "SR04 a.lock:2",
        "SR03 a.lock:3",
        "SR04 a.lock:4",
        "SR03 a.lock:5",
        "SR05 a.lock:6",
        "SR05 a.lock:8",
        "SR06 a.lock",
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "SR02"), (b"\xff\xfe", "SR02"), (b"# only said\n", "SR02"), (b"{}", "SR04")],
)
def test_what_is_no_lock_file_is_refused(content: bytes, code: str) -> None:
    assert faults(content)[0].startswith(code)


def test_size_and_lines_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(b"#" * (locks.LARGEST_BYTES + 1)) == ["SR01 a.lock"]
    assert faults(b"a==1\n#" + b"x" * locks.LONGEST_LINE) == ["SR01 a.lock:2"]
    monkeypatch.setattr(locks, "MOST_COMPONENTS", 1)
    assert faults(b"a==1\nb==1\n") == ["SR01 a.lock"]


@pytest.mark.parametrize(
    ("marker", "answer"),
    [
        ("python_version >= '3.9'", True),
        ("python_version < '3.9'", False),  # 3.11 is more than 3.9, though not as text
        ("python_full_version == '3.11.*'", True),
        ("python_full_version ~= '3.11.2'", True),
        ("python_full_version ~= '3.10.2'", False),
        ("python_version == '3.11.0'", True),
        ("sys_platform == 'win32' or sys_platform == 'linux'", True),
        ("sys_platform == 'win32' and python_version > '3'", False),
        ("not_here == 'x' or sys_platform == 'linux'", None),
        ("(sys_platform == 'win32' or os_name == 'posix') and python_version > '3'", True),
        ("'linux' in sys_platform", True),
        ("sys_platform not in 'linux darwin'", False),
        ("extra == 'dev'", False),
        ("sys_platform == 'linux' and", None),
        ("sys_platform < 'linux'", None),
        ("(sys_platform == 'linux'", None),
        ("__import__('os').system('true') == 0", None),
        ("(" * 50 + "os_name == 'posix'" + ")" * 50, None),
    ],
)
def test_markers(marker: str, answer: bool | None) -> None:
    if answer is None:
        with pytest.raises(MarkerError):
            holds(marker, LINUX)
    else:
        assert holds(marker, LINUX) is answer


def test_markers_agree_with_the_reference_implementation(lock_text) -> None:
    """Every marker of our own lock file, for three Pythons, as `packaging` answers it."""
    reference = pytest.importorskip("packaging.markers")
    found = {one.condition for one in (*read(lock_text).components, *read(lock_text).left_out)}
    found -= {""}

    assert len(found) > 8
    for marker in found:
        for python in ("3.11.9", "3.12.0", "3.15.0"):
            machine = {**this_machine(python), "implementation_version": python}
            assert holds(marker, machine) == reference.Marker(marker).evaluate(machine), marker


def test_the_machine_is_told_in_words() -> None:
    assert markers.described(this_machine("3.12.1")).startswith("CPython 3.12.1 on ")


@pytest.mark.parametrize(
    "content",
    [
        (b"a==1" + b" " * 19_000 + b"\n") * 250,
        b"a" * 19_000 + b"\\\n" + (b"a" * 19_000 + b"\\\n") * 200,
        b"a==1\n" * 300_000,
        b"a==1 ; " + b"(" * 15_000 + b"\n",
        b"x\n" * 15_000,
    ],
    ids=["spaces", "one long line", "many lines", "brackets", "many faults"],
)
def test_a_hostile_lock_file_is_refused_in_seconds(content: bytes) -> None:
    found: list[str] = []

    spent = effort(lambda: found.extend(faults(content)))

    assert 0 < len(found) <= locks.MOST_FAULTS
    assert spent < 1000
