"""Small device repositories for tests: real files, real Git, one tag."""

from pathlib import Path

from git import Actor, Repo

MANIFEST = 'schema: engine-app/1\nname: adder\nversion: "0.1.0"\nengine: {version: "0.1.0"}\n'

FEATURE = """Feature: Adding

  @TST-001
  Scenario: Two numbers are added
    Given the numbers 1 and 2
    When they are added
    Then the sum is 3 within 0.5

  @TST-002
  Scenario: The sum of the table is stated
    Given the numbers of the table
      | value |
      | 1     |
      | 2.25  |
    When they are added
    Then the sum is 3.25 within 0
"""

STEPS = '''"""Steps of the adding device."""
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("../features")


@given(parsers.parse("the numbers {a:g} and {b:g}"), target_fixture="numbers")
def two(a, b, evidence):
    evidence.input("numbers", [a, b])
    return [a, b]


@given("the numbers of the table", target_fixture="numbers")
def table(datatable):
    return [float(row[0]) for row in datatable[1:]]


@when("they are added", target_fixture="total")
def add(numbers, evidence):
    evidence.attach("numbers.txt", repr(numbers).encode(), "text/plain")
    return sum(numbers)


@then(parsers.parse("the sum is {expected:g} within {tolerance:g}"))
def check(total, expected, tolerance, evidence):
    evidence.measure("sum", actual=total, expected=expected, tolerance=tolerance, unit="Gy")
'''

AUTHOR = Actor("Amara Kole", "amara@example.org")


class Device:
    """A device's working repository and its bare mirror."""

    def __init__(self, root: Path) -> None:
        self.work = root / "device"
        self.mirror = root / "mirror.git"
        self.repository = Repo.init(self.work, mkdir=True, initial_branch="main")
        # What Git itself writes, an annotated tag or a bare commit, needs a name too.
        with self.repository.config_writer() as config:
            config.set_value("user", "name", AUTHOR.name)
            config.set_value("user", "email", AUTHOR.email)

    def write(self, files: dict[str, str]) -> None:
        """Write files by path."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit(self, tag: str = "", message: str = "Add numbers") -> str:
        """Commit everything, tag it when asked, and bring the mirror up to date."""
        self.repository.git.add("-A")
        commit = self.repository.index.commit(message, author=AUTHOR, committer=AUTHOR)
        if tag:
            self.repository.create_tag(tag, commit)
        self.publish()
        return commit.hexsha

    def publish(self) -> None:
        """Bring the mirror up to date with every branch and tag."""
        if self.mirror.exists():
            Repo(self.mirror).remotes.origin.fetch("+refs/*:refs/*")
        else:
            self.repository.clone(self.mirror, mirror=True)


def adding_device(root: Path, **changes: str) -> Device:
    """Return the adding device at tag v0.1.0; `changes` replace feature, steps or manifest."""
    device = Device(root)
    device.write(
        {
            "app.yaml": changes.get("manifest", MANIFEST),
            "features/adding.feature": changes.get("feature", FEATURE),
            "steps/test_adding.py": changes.get("steps", STEPS),
        }
    )
    device.commit("v0.1.0")
    return device


def folder_with(root: Path, feature: str = FEATURE, steps: str = STEPS, **others: str) -> Path:
    """Return a plain folder with a protocol; `others` are further files by ``steps/name``."""
    for name, text in {
        "app.yaml": MANIFEST,
        "features/adding.feature": feature,
        "steps/test_adding.py": steps,
        **others,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root
