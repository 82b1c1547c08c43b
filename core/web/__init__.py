"""All that a route imports."""

from core.web.access import (
    CurrentPerson,
    ProjectInPath,
    RecordInPath,
    readable_projects,
    require,
)
from core.web.pages import fragment, page, say
from core.web.sessions import ReadSession, WriteSession

__all__ = [
    "CurrentPerson",
    "ProjectInPath",
    "ReadSession",
    "RecordInPath",
    "WriteSession",
    "fragment",
    "page",
    "readable_projects",
    "require",
    "say",
]
