"""Hazard logs in the layout of the RDM template, and forms as a browser posts them."""

import io
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from openpyxl import Workbook

HEADINGS = (
    "hazard_id ", "hazard_description ", "potential_clinical_impact ", "possible_causes ",
    "existing_controls ", "initial_severity ", "initial_likelihood", "initial_risk ",
    "design_controls", "final_likelihood", "final_risk",
)  # fmt: skip
"""With the blanks that the template has."""


def hazard(number: int) -> list[object]:
    """Return one row without a fault; its levels are those of the matrix that ships."""
    return [
        f"HAZ-{number:03d}",
        f"Hazard {number}: a plan of another patient is read",
        "Wrong dose",
        "Two plans open\nNo second check",
        "Staff are trained",
        "Major",
        "Medium",
        3,
        "REQ-001" if number % 2 else "REQ-001; REQ-002",
        "2 - Low",
        3,
    ]


def faulty_log() -> list[list[object]]:
    """Return two hundred rows with ten faults, no two of them alike."""
    rows = [hazard(number) for number in range(1, 201)]
    for row, column, value in (
        (2, 5, 7),
        (10, 6, "Sometimes"),
        (20, 1, None),
        (30, 0, "HAZ-005"),
        (40, 8, "REQ-0O1"),
        (50, 1, "A plan " * 90),
        (60, 2, "=CONCATENATE(A1, B1)"),
        (70, 0, "hazard seventy-one"),
        (80, 7, 5),
        (90, 0, "REQ-001"),
    ):
        rows[row][column] = value
    return rows


FAULTS = {
    "Row 4, Severity": "no step of the scale. The steps are 1 Minor, 2 Significant",
    "Row 12, Likelihood before controls": "'Sometimes', which is no step",
    "Row 22, Hazard": "Hazard is empty.",
    "Row 32, Id": "HAZ-005 is the id of row 6 already.",
    "Row 42, Controls": "REQ-0O1 is no requirement here. Did you mean REQ-001?",
    "Row 52, Hazard": "Hazard has 629 characters; 500 are kept.",
    "Row 62, Harm": "Harm holds a formula, =CONCATENATE(A1, B1)",
    "Row 72, Id": "'hazard seventy-one' is no id.",
    "Row 82, Level before": "has 3 at Major x Medium",
    "Row 92, Id": "REQ-001 is a requirement here.",
}
"""What is said of each, by the row of the workbook and the column."""

MENDS = {
    "cell_4_5": "4",
    "cell_12_6": "Medium",
    "cell_22_1": "Named at last",
    "cell_32_0": "HAZ-031",
    "cell_42_8": "REQ-001",
    "cell_52_1": "A plan",
    "cell_62_2": "Wrong dose",
    "cell_72_0": "",
    "cell_82_7": "3",
    "cell_92_0": "HAZ-091",
}
"""What is typed over them."""


def workbook(
    rows: Sequence[Sequence[object]], headings: Sequence[str] = HEADINGS, title: str = "Sheet1"
) -> bytes:
    """Return a workbook with its headings in the first row."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in (headings, *rows):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Form(HTMLParser):
    """The fields of the form that a button belongs to, as a browser would post them."""

    def __init__(self, html: str, button: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self.ticks: set[str] = set()
        self.action = ""
        self._button = button
        self._area: str | None = None
        self._select = ""
        self._pressed: dict[str, str] | None = None
        self._done = False
        self.feed(html)
        assert self._done, f"there is no button {button!r}"

    def handle_starttag(self, tag: str, given: Sequence[tuple[str, str | None]]) -> None:
        """Take a field as it stands."""
        if self._done:
            return
        at = {name: value or "" for name, value in given}
        if tag == "form":
            self.fields, self.action = {}, at.get("action", "")
        elif tag == "input" and at.get("type") != "file":
            ticked = at.get("type") not in ("checkbox", "radio") or "checked" in at
            if not ticked:
                self.ticks.add(at["name"])
            elif at.get("name"):
                self.fields[at["name"]] = at.get("value", "")
        elif tag == "textarea":
            self._area = at["name"]
            self.fields[self._area] = ""
        elif tag == "select":
            self._select = at["name"]
            self.fields.setdefault(self._select, "")
        elif tag == "option" and "selected" in at:
            self.fields[self._select] = at["value"]
        elif tag == "button":
            self._pressed = at

    def handle_data(self, data: str) -> None:
        """Take the text of a field of several lines, or see which button it is."""
        if self._area is not None:
            self.fields[self._area] += data
        elif self._pressed is not None and data.strip().startswith(self._button):
            if self._pressed.get("name"):
                self.fields[self._pressed["name"]] = self._pressed.get("value", "")
            self._done = True

    def handle_endtag(self, tag: str) -> None:
        """End a field."""
        if tag == "textarea" and self._area is not None:
            # A browser leaves out the line feed that follows the tag, and sends both characters.
            text = self.fields[self._area].removeprefix("\n")
            self.fields[self._area] = text.replace("\n", "\r\n")
            self._area = None
        elif tag == "button":
            self._pressed = None

    def filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what is posted with some fields typed over; each of them is on the page."""
        unknown = set(values) - set(self.fields) - self.ticks
        assert not unknown, f"the page has no field {unknown}"
        return {**self.fields, **values}
