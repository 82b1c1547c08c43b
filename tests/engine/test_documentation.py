"""docs/engine.md lists every refusal code and every parameter with its default."""

from dataclasses import fields
from pathlib import Path

from engine.dose.parameters import Parameters
from engine.errors import NEXT_STEPS

PAGE = (Path(__file__).parents[2] / "docs" / "engine.md").read_text("utf-8")


def test_every_code_stands_there_with_its_next_step() -> None:
    for code, step in NEXT_STEPS.items():
        assert f"| `{code}` | {step} |" in PAGE


def test_every_parameter_stands_there_with_its_default() -> None:
    for field in fields(Parameters):
        row = next(line for line in PAGE.splitlines() if f"`{field.name}`" in line)
        default = "none" if field.default is None else f"{field.default}"
        assert default in row
