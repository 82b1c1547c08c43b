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
from core.web.sessions import ActSession, ReadSession, StartSession, WriteSession

__all__ = [
    "ActSession",
    "CurrentPerson",
    "NumberInPath",
    "ProjectInPath",
    "ReadSession",
    "RecordInPath",
    "StartSession",
    "WriteSession",
    "fragment",
    "page",
    "readable_projects",
    "require",
    "say",
]
