"""A change anywhere in a marked block makes its link suspect, and a neighbour's change does not."""

from textwrap import dedent

import pytest

from qms.repositories.markers import markers_in
from tests.qms.repositories.conftest import Registered, SourceRepository
from tests.qms.repositories.test_marking import Team

BLOCKS = {
    "ifdef.c": """\
        // REQ-001
        int f(int x)
        {
            int a = 1;
        #ifdef FAST
            if (x) {
        #else
            if (!x) {
        #endif
                a = 2;
            }
        out:
            return a + LIMIT;
        }
        int g(void)
        {
            return OTHER;
        }
        """,
    "access.cpp": """\
        // REQ-001
        class A {
        public:
            void f();

        private:
            const char *brace = "}";
            int limit = LIMIT; // }
        };
        class B {
            int limit = OTHER;
        };
        """,
    "default.java": """\
        class A {
            // REQ-001
            @Timed(
                "f"
            )
            public int f(int x) {
                switch (x) {
                case 1: return 1;

            default:
                return LIMIT;
                }
            }

            public int g() {
                return OTHER;
            }
        }
        """,
    "template.ts": """\
        describe("dose", () => {
          // REQ-001
          it("is shown", () => {
            const text = `
        } at the margin
            `;
            const brace = /[}/]}/;
            expect(text).toBe(LIMIT);
          });

          it("is hidden", () => {
            expect(OTHER).toBe(1);
          });
        });
        """,
    "lifetimes.rs": """\
        // REQ-001
        fn f<'a>(x: &'a str, y: &'static str) -> u8 {
            let brace = '}';
        // let old = 1;
            LIMIT
        }

        #[inline]
        fn g() -> u8 {
            OTHER
        }
        """,
    "comment.py": '''\
        # REQ-001
        @cached(
            1,
        )
        def f(x):
            """Return a dose.

        def is a word of this text.
        """
            a = 1
        # a = 2

            q = f"""
        SELECT {x}
        """
            return [
        q, LIMIT]


        def g(x):
            return OTHER
        ''',
    "method.py": """\
        class A:
            # REQ-001
            @property
            @pytest.mark.verifies("REQ-002")
            def f(self):
                if self:
                    a = 1
        # REQ-002
                return LIMIT

            def g(self):
                return OTHER
        """,
    "decorated.py": """\
        @pytest.mark.parametrize("x", [LIMIT])
        @pytest.mark.verifies("REQ-001", reason="a (b)")
        def test_f(x):
            assert x

        def test_g():
            assert OTHER
        """,
    "unparsable.py": '''\
        # REQ-001
        def f(x):
            print "old"
            q = """
        SELECT
        """
            return 0777 + LIMIT


        def g(x):
            return OTHER
        ''',
    "script.sh": """\
        # REQ-001
        f() {
            cat <<EOF
        {
        EOF
            case $1 in
        start)
            echo it\\'s
            ;;
        stop)
            echo LIMIT
            ;;
            esac
        }
        g() {
            echo OTHER
        }
        """,
    "flow.yml": """\
        on: push
        # REQ-001
        steps:
        - name: don't
          run: a
        - name: b
          run: LIMIT

        other:
          - OTHER
        """,
    "two.yaml": """\
        # REQ-001
        first: 1
        limit: LIMIT

        second: OTHER
        """,
    "limits.toml": """\
        # REQ-001
        [limits]
        a = 1

        b = "LIMIT"
        [others]
        c = "OTHER"
        """,
    "query.sql": """\
        -- REQ-001
        CREATE FUNCTION f()
        BEGIN
          SELECT 1;

        -- old
          SELECT LIMIT;
        END;

        CREATE FUNCTION g()
        BEGIN
          SELECT OTHER;
        END;
        """,
    "two.feature": '''\
        Feature: Doses
          @REQ-001
          Scenario: One
            Given a text
              """
        @not a tag
        Note: nothing ends here
              """
            Then LIMIT

          Scenario: Two
            Then OTHER
        ''',
    "trailing.go": """\
        func f(x int) int { // REQ-001
            if x > 1 {

            }
            return LIMIT
        }
        func g() int {
            return OTHER
        }
        """,
    "trailing.cs": """\
        class A {
            int F(int x) // REQ-001
            {
                return LIMIT;
            }
            int G() { return OTHER; }
        }
        """,
    "doc.py": '''\
        def f(x):
            """Return a dose.

        @relation(REQ-001, scope=function)
            """
            return LIMIT


        def g(x):
            return OTHER
        ''',
    "inner.c": """\
        int f(int x)
        {
            int a = LIMIT;
        out:
            return a;
            // REQ-001
        }

        int g() { return OTHER; }
        """,
    "page.html": """\
        <!-- REQ-001 -->
        <section>
          <p>LIMIT</p>
        </section>
        <section>OTHER</section>
        """,
}


@pytest.fixture
def team(registered: Registered, source: SourceRepository) -> Team:
    return Team(registered, source)


def of_first(team: Team) -> set[str]:
    """Return the files whose lines of REQ-001 need re-review."""
    return {one.link.path for one in team.lines("REQ-001") if one.doubt}


def test_a_changed_line_of_a_block_is_never_silent_and_a_neighbour_s_always(team: Team) -> None:
    files = {path: dedent(text) for path, text in BLOCKS.items()}
    team.commit(1, files)
    team.approve("REQ-001", 10)
    team.scan()
    found = {one.link.path for one in team.lines("REQ-001")}

    team.commit(20, {path: text.replace("OTHER", "OTHER2") for path, text in files.items()})
    team.scan()
    beside = of_first(team)
    team.commit(30, {path: text.replace("LIMIT", "LIMIT2") for path, text in files.items()})
    team.scan()

    assert found == set(files)
    assert beside == set()
    assert of_first(team) == set(files)


@pytest.mark.parametrize("dialect", ["slash", "hash", "python", "dash", "percent", "matlab"])
def test_brackets_and_texts_that_never_end_stop_nothing(dialect: str) -> None:
    """Read quickly and without an error, however it is made."""
    for piece in ("{", "(", "`", '"""', "'", '"', "/*", 'R"x(', "<<A\n", "\\begin{", "#if 1\n{"):
        text = piece * 5_000 + "\n# REQ-001\n// REQ-001\n-- REQ-001\n% REQ-001\nx = 1\n"
        assert markers_in(text.encode(), dialect).unread == ""
