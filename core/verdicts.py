"""What the latest run says about one test, in the words every page uses."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class VerdictWord(StrEnum):
    """The four answers to "did this test pass for this release?"."""

    PASSED = "passed"
    FAILED = "failed"
    OLDER_COMMIT = "older commit"
    """The test ran, but on another commit than the release's: it says nothing about the release."""
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Verdict:
    """The latest verdict on one test, with where it comes from.

    Attributes
    ----------
    word : VerdictWord
        The verdict itself.
    run : str
        The run as people name it ("14"); empty when there is none.
    commit : str
        The device commit that was executed, in full.
    at : datetime or None
        When the test ended, aware UTC.
    detail : str
        One clause with the figures: "largest error 0.31 % of volume, allowed 0.4 %".
    revision : int or None
        The revision of the test that was executed.
    address : str
        The page that shows the evidence, "/p/RPM/runs/14".
    imported : bool
        Whether imported results say it, and no run that was recorded here; `run` then numbers the
        import.
    """

    word: VerdictWord
    run: str = ""
    commit: str = ""
    at: datetime | None = None
    detail: str = ""
    revision: int | None = None
    address: str = ""
    imported: bool = False

    @property
    def passed(self) -> bool:
        """Whether this is a pass on the release's own commit."""
        return self.word is VerdictWord.PASSED


NOT_RUN = Verdict(VerdictWord.NOT_RUN)
"""What every test reads until a recorded run says otherwise."""
