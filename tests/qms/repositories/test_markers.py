"""Markers of source files: every form, what they mark, and what is none."""

from textwrap import dedent

import pytest

from qms.repositories.dialects import dialect_of
from qms.repositories.markers import MOST_MARKERS, Form, markers_in, region_text
from qms.repositories.testmarks import LONGEST_LINE
from tests.effort import effort


def found(text: str, dialect: str = "python") -> list[tuple[str, str, int, int, int]]:
    """Return role, id, line, first and last of every marker."""
    return [
        (one.role, one.named, one.line, one.first, one.last)
        for one in markers_in(dedent(text).encode(), dialect).markers
    ]


def digests(text: str, dialect: str = "python") -> dict[str, str]:
    return {one.named: one.digest for one in markers_in(dedent(text).encode(), dialect).markers}


FUNCTIONS = """\
    # REQ-001: withhold weak metrics
    # as the risk file asks
    @cached
    def first(
        plan,
    ):
        a = 1

        return a

    # Verifies: REQ-002, REQ-003
    def second():
        return 2  # REQ-004
    """


def test_a_comment_marks_the_block_below_it_and_at_the_end_of_a_line_that_line() -> None:
    assert found(FUNCTIONS) == [
        ("implements", "REQ-001", 1, 3, 9),
        ("verifies", "REQ-002", 11, 12, 13),
        ("verifies", "REQ-003", 11, 12, 13),
        ("implements", "REQ-004", 13, 13, 13),
    ]


def test_changing_one_line_changes_exactly_the_markers_that_stand_over_it() -> None:
    before = digests(FUNCTIONS)

    after = digests(FUNCTIONS.replace("a = 1", "a = 2"))

    assert {named for named in before if before[named] != after[named]} == {"REQ-001"}


def test_another_marker_a_comment_s_end_and_indentation_change_nothing() -> None:
    before = digests("# REQ-001\ndef f():\n    return 1\n")

    assert digests(
        "class A:\n    # REQ-001\n    # REQ-002\n    def f():\n        return 1  \n"
    ) == {
        **before,
        "REQ-002": before["REQ-001"],
    }
    with_inner = digests("# REQ-001\ndef f():\n    # REQ-009\n    return 1  # REQ-008\n")
    assert with_inner["REQ-001"] == before["REQ-001"]


@pytest.mark.parametrize(
    "text",
    [
        "text = 'see # REQ-001'\n",
        "# the rest of REQ-001 is elsewhere\n",
        "# see REQ-001\n",
        "x = 1 # req-001\n",
        "#" + "x" * LONGEST_LINE + "\n# \n",
    ],
)
def test_what_is_no_marker_is_not_read(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("\ufeff# REQ-001\nx = 1\n", "python"),
        ("\ufeff// REQ-001\nint a;\n", "slash"),
        ("A = B';  % REQ-001\n", "matlab"),
        ("if clk'event and clk='1' then -- REQ-001\n", "dash"),
        ("let s: &'static str = f(); // REQ-001\n", "slash"),
        ('x = "don\'t"  # REQ-001\n', "python"),
        ("x = \"don't\"  # REQ-001\nprint 'old'\n", "python"),
        ("name: don't  # REQ-001\n", "hash"),
        ("f(1); /* old */ // REQ-001\n", "slash"),
        ("f(1);// REQ-001\n", "slash"),
        ("@pytest.mark.verifies('REQ-001', reason='a (b)')\ndef test(): pass\n", "python"),
        ("@mark.verifies('REQ-001')\ndef test(): pass\n", "python"),
        ("@mark.verifies('REQ-001')\ndef test(): print 'old'\n", "python"),
        ("@pytest.mark.verifies(['REQ-001'])\nclass T: x = '\\d'\n", "python"),
    ],
)
def test_a_marker_is_found_behind_odd_quotes_and_byte_order_marks(text: str, dialect: str) -> None:
    assert [named for _, named, *_ in found(text, dialect)] == ["REQ-001"]


def test_a_mark_speaks_for_the_test_the_class_or_the_file_that_it_stands_at() -> None:
    text = """\
    from pytest import mark

    class TestA:
        pytestmark = mark.verifies("REQ-001")

        @mark.parametrize("x", [mark.verifies("REQ-002")(1)])
        def test_a(self, record_property, x):
            if x:
                record_property("verifies", "REQ-003"); x = 2
            assert x

    pytestmark = [mark.req("REQ-004", reason="REQ-009"), mark.slow]
    """

    assert found(text) == [
        ("verifies", "REQ-001", 4, 3, 10),
        ("verifies", "REQ-002", 6, 6, 10),
        ("verifies", "REQ-003", 9, 6, 10),
        ("verifies", "REQ-004", 12, 1, 12),
    ]
    before, after = digests(text), digests(text.replace("x = 2", "x = 3"))
    assert before["REQ-003"] != after["REQ-003"]


def test_a_relation_has_a_scope_and_a_role() -> None:
    text = '''\
    """Module. @relation(REQ-001, scope=file)"""

    def first():
        """Compute. @relation(REQ-002, REQ-003, scope=function, role=Verification)"""
        return 1

    # @relation(REQ-004, scope=range_start)
    a = 1

    b = 2
    # @relation(REQ-004, scope=range_end)
    # @relation(REQ-005, scope=line)
    c = 3
    d = 4
    '''

    assert found(text) == [
        ("implements", "REQ-001", 1, 1, 14),
        ("verifies", "REQ-002", 4, 3, 5),
        ("verifies", "REQ-003", 4, 3, 5),
        ("implements", "REQ-004", 7, 8, 10),
        ("implements", "REQ-005", 12, 13, 13),
    ]


def test_coverage_tags_name_their_target_and_their_kind_tells_the_role() -> None:
    text = """\
    // [impl->dsn~margin~1]
    int f() {
      return 1;
    }
    // [utest~margin~2->dsn~margin~1, dsn~other~3 >> itest]
    int g() { return 2; }
    """

    assert found(text, "slash") == [
        ("implements", "dsn~margin~1", 1, 2, 4),
        ("verifies", "dsn~margin~1", 5, 6, 6),
        ("verifies", "dsn~other~3", 5, 6, 6),
    ]


def test_a_comment_in_front_of_a_function_marks_it_in_languages_with_braces() -> None:
    text = """\
    /**
     * @relation(REQ-001, scope=function)
     */
    int f(void)
    {
        return 1; // REQ-002
    }
    int g(void) { return 2; }
    """

    assert found(text, "slash") == [
        ("implements", "REQ-001", 2, 4, 7),
        ("implements", "REQ-002", 6, 6, 6),
    ]


def test_feature_tags_mark_their_scenario_or_the_whole_feature() -> None:
    text = """\
    @REQ-001
    Feature: Metrics

      @REQ-002 @slow
      Scenario: One
        Given a plan:
          | a |

        Examples:
          | b |

      @REQ-003
      Scenario: Two
        Then it is refused
    """

    assert found(text, "feature") == [
        ("verifies", "REQ-001", 1, 1, 14),
        ("verifies", "REQ-002", 4, 4, 10),
        ("verifies", "REQ-003", 12, 12, 14),
    ]


def test_pytest_names_records_by_marks_and_properties() -> None:
    text = """\
    pytestmark = pytest.mark.verifies("REQ-001")

    @pytest.mark.requirement(
        "REQ-002",
        'REQ_3',
    )
    @pytest.mark.parametrize("uid", ["REQ-009"])
    def test_one(record_property):
        record_property("verifies", "REQ-004, REQ-005")
        assert True
    """

    assert found(text) == [
        ("verifies", "REQ-001", 1, 1, 10),
        ("verifies", "REQ-002", 3, 7, 10),
        ("verifies", "REQ_3", 3, 7, 10),
        ("verifies", "REQ-004", 9, 7, 10),
        ("verifies", "REQ-005", 9, 7, 10),
    ]


def test_words_that_look_like_ids_are_told_apart_by_their_form() -> None:
    forms = {one.named: one.form for one in markers_in(b"# UTF-8 only\nx = 1\n", "python").markers}

    assert forms == {"UTF-8": Form.COMMENT}


@pytest.mark.parametrize(
    ("path", "dialect"),
    [("a/b.PY", "python"), ("x.feature", "feature"), ("Makefile", "hash"), ("q.sql", "dash"),
     ("README.md", ""), ("data.json", ""), ("scan.dcm", ""), ("noending", ""), (".gitignore", "")],
)  # fmt: skip
def test_only_files_whose_comments_are_known_are_read(path: str, dialect: str) -> None:
    assert dialect_of(path) == dialect


def test_any_bytes_can_be_read() -> None:
    assert markers_in(b"\xff\xfe# REQ-001\r\n" * 3, "python") is not None
    assert markers_in(b"# REQ-001", "python").markers[0].last == 1
    assert markers_in(b"", "python") == ([], "")


def test_marked_lines_are_read_as_they_are_compared() -> None:
    content = b"class A:\n    # REQ-001\n    def f():\n        return 1  # REQ-002\n"

    assert region_text(content, "python", 3, 4) == ["def f():", "    return 1"]


@pytest.mark.parametrize(
    ("line", "dialect"),
    [("# REQ-001\n", "python"), ("@REQ-001\n", "feature"), ("x # @relation(REQ-1)\n", "python"),
     ("// @relation(REQ-1, scope=range_start)\n", "slash"), ("#" + " " * 1998 + "\n", "python"),
     ('pytest.mark.verifies("REQ-1"' + ", " * 800 + "\n", "python"),
     ("@a\n# REQ-1\n", "python"), ("{ // REQ-1\n", "slash"), ("<<A # REQ-1\n", "hash"),
     ("x = 1 # REQ-1\n\\\n", "hash"), ("R\"a( // REQ-1\n", "slash")],
)  # fmt: skip
def test_a_file_made_to_keep_a_scan_busy_does_not(line: str, dialect: str) -> None:
    content = (line * (500_000 // len(line))).encode()
    found: list[object] = []

    spent = effort(lambda: found.extend(markers_in(content, dialect).markers))

    assert len(found) <= 2 * (MOST_MARKERS + 1)
    assert spent < 1000  # 200 were seen
