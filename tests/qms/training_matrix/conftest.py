"""Browsers on the office's database, as the tests of core have them."""

from tests.core.conftest import browser_of, no_rules_of_others, service

__all__ = ["browser_of", "no_rules_of_others", "service"]
