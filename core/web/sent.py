"""What a program sends, as pydantic takes it."""

from typing import Annotated

from pydantic import Field

Words = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text without the character of the code 0, which no database keeps alike."""
