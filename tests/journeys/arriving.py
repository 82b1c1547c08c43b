"""When a browser has arrived at the page that answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page


@contextmanager
def arrival(page: Page) -> Iterator[None]:
    """Do something that another page answers, and wait until that one is there with all it needs.

    It is known by its `load`. A place within a page (`#talk`) is told as a navigation of its own,
    some time after the page; it would be taken for the answer to what was pressed meanwhile.
    """
    page.wait_for_load_state()
    with page.expect_event("load"):
        yield
