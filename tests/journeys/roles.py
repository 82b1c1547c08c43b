"""Who walks through the pages, and what each of them is refused."""

import re
from collections.abc import Iterable

from playwright.sync_api import Page

from tests.journeys.conftest import Desk
from tests.journeys.visits import Visit

READER, AUTHOR, ADMINISTRATOR = "esther.quill", "amara.kole", "admin"

WRITING = r"/p/\w+/(new/.+|.+/edit|map/(add-system|connect|paste|pathways/.+/steps).*|sheets/.+)"
ADMINISTERING = r"/people(/.*)?|/audit|/qatrack"
CONCESSIONS = (
    r"/p/RPM/(new/(waiver|action|applicability|management_review|surveillance_event|training"
    r"|audit|audit_finding|capa|change|complaint|judgement|nonconformity|problem)"
    r"|(WVR|TRN|CR|PR|JDG)-.+/edit)"
)
REFUSED = {
    # Who decides on quality asks for concessions, works on issues and keeps some registers.
    READER: re.compile(f"(?!{CONCESSIONS})({WRITING}|{ADMINISTERING})"),
    AUTHOR: re.compile(f"{ADMINISTERING}|/projects/new"),
    ADMINISTRATOR: re.compile(WRITING),
}
"""The addresses that each of them is told they may not read; every other one answers."""


def met_by(visit: Visit, page: Page, refused: re.Pattern[str]) -> list[str]:
    """Have a person ask for every page that was opened; return what is wrong with the answers."""
    before = len(visit.faults)
    for address in list(visit.opened):
        visit.meet_again(page, address, refused.fullmatch(address) is not None)
    return visit.faults[before:]


def answering_strangers(desk: Desk, addresses: Iterable[str]) -> list[str]:
    """Return the addresses that tell anything to whoever has not signed in."""
    context = desk.chromium.new_context(base_url=desk.origin)
    desk.contexts.append(context)
    found = []
    for address in sorted(addresses):
        answer = context.request.get(address, max_redirects=0)
        led = answer.headers.get("location", "").startswith("/sign-in?next=")
        if not (answer.status == 401 or (answer.status == 303 and led)) or len(answer.body()) > 999:
            found.append(address)
    return found
