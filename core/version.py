"""Which version of the product this is."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version


@lru_cache
def product_version() -> str:
    """Return the installed version; "development" where the product is not installed."""
    try:
        return version("fiducial")
    except PackageNotFoundError:
        return "development"
