"""All that a route imports."""

from core.web.access import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    RecordInPath,
    readable_projects,
    require,
)
from core.web.pages import fragment, page, say
from core.web.sessions import ReadSession, WriteSession

__all__ = [
    "CurrentPerson",
    "NumberInPath",
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
