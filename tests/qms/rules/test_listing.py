"""docs/release-check.md lists exactly the rules that the code asks."""

from pathlib import Path

from qms.rules.listing import rules_as_markdown

PAGE = Path(__file__).parents[3] / "docs/release-check.md"


def test_the_page_lists_the_rules_of_the_code() -> None:
    text = PAGE.read_text()

    listed = text.split("python -m qms.rules.listing -->\n")[1].split("\n<!-- end of rules -->")[0]

    assert listed == rules_as_markdown()
