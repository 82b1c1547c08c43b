"""Who may ask for what: one line per route of the application, and nothing else decides.

A route that is not here fails a test, and so does a line without a route. People are the kinds of
`tests.app.furnished`: a role is held in the project that the address names, and nowhere else.
"""

from itertools import chain

from tests.app.access_kinds import (
    AUTHORS,
    CANCELLERS,
    CHECKERS,
    EVERYBODY,
    FOUNDERS,
    FREEZERS,
    KEEPERS,
    MEMBERS,
    NAMERS,
    NEED_SIGNERS,
    NEED_WRITERS,
    ONLY_OWNER,
    PACKERS,
    PROBLEM_WRITERS,
    RAISERS,
    REPORTERS,
    RUNNERS,
    SIGNED_IN,
    WRITER,
    Line,
)
from tests.app.access_map import MAP, MAP_API
from tests.app.furnished import ANONYMOUS
from tests.core.conftest import PASSWORD

PASS = {"password": PASSWORD}
ADDED = {"title": "Another", "action": "save"}
RAISED = {**ADDED, "body": "It is twice what was planned.", "field.found_in": "0.1.0"}
FORM = {"title": "A need", "action": "save", "expected": "{draft_read}"}
ACCOUNT = {"username": "new.one", "uid": "PPL-NEW", "name": "New One", "password": PASSWORD}
READY = "{draft}/{draft_read}"
CHOSEN = "{waiting}/approved/quality_manager/{waiting_read}"

PEOPLE = (
    Line("GET /", SIGNED_IN),
    Line("GET /map", SIGNED_IN, 303),
    Line("GET /sign-in", frozenset({ANONYMOUS}), otherwise=303),  # the others are there already
    Line("POST /sign-in", EVERYBODY, 303, sends={"username": "viewer", **PASS}),
    Line("POST /sign-out", SIGNED_IN, 303),
    Line("GET /account", SIGNED_IN),
    Line("POST /account/password", SIGNED_IN, 303, sends={
        "current": PASSWORD, "wanted": "another long sentence", "again": "another long sentence",
    }),
    Line("GET /account/tokens", SIGNED_IN),
    Line("POST /account/tokens", SIGNED_IN, sends={
        **PASS, "token_name": "import", "scope": "write", "expires": "{tomorrow}",
    }),
    Line("POST /account/tokens/{token_id}/revoke", frozenset({"viewer"}), 303, otherwise=404),
    Line("GET /projects", SIGNED_IN),
    Line("GET /projects/new", FOUNDERS),
    Line("POST /projects/new", FOUNDERS, 303, sends={"key": "NEW", "title": "Begun"}),
    Line("GET /people", ONLY_OWNER),
    Line("POST /people", ONLY_OWNER, 303, sends=ACCOUNT),
    Line("GET /people/{uid}", ONLY_OWNER, at={"uid": "person"}),
    Line("POST /people/{uid}/roles", ONLY_OWNER, 303, at={"uid": "person"}, sends={
        "role": "tester", "project": "RPM",
    }),
    Line("POST /people/{uid}/roles/revoke", ONLY_OWNER, 303, at={"uid": "person"}, sends={
        "role": "viewer", "project": "RPM",
    }),
    Line("POST /people/{uid}/password", ONLY_OWNER, 303, at={"uid": "person"}, sends=PASS),
    Line("POST /people/{uid}/close", ONLY_OWNER, 303, at={"uid": "person"}),
    Line("POST /people/{uid}/open", ONLY_OWNER, 409, at={"uid": "person"}),
    Line("POST /people/{uid}/tokens/{token_id}/revoke", ONLY_OWNER, 303, at={"uid": "person"}),
    Line("GET /key", SIGNED_IN),
    Line("GET /installation.pub.pem", SIGNED_IN),
    Line("GET /openapi.json", SIGNED_IN),
    Line("GET /audit", ONLY_OWNER),
    Line("GET /p/{project}/audit", MEMBERS),
    Line("GET /p/{project}/deputies", MEMBERS),
    Line("POST /p/{project}/deputies", NAMERS, 303, sends={
        "held": "PPL-tester/tester", "deputy": "PPL-viewer", "reason": "Leave.",
        "first_day": "{tomorrow}", "last_day": "{tomorrow}",
    }),
    Line("POST /p/{project}/deputies/{deputyship_id}/end", NAMERS, 303, sends={"reason": "Back."}),
)  # fmt: skip

JOBS = (
    Line("GET /jobs/{job_id}", MEMBERS),
    Line("GET /jobs/{job_id}.json", MEMBERS),
    Line("GET /jobs/{job_id}/progress", MEMBERS),
    Line("POST /jobs/{job_id}/cancel", CANCELLERS, 303),
)  # fmt: skip

RECORDS = (
    Line("GET /p/{project}", MEMBERS, 303),
    Line("GET /p/{project}/records", MEMBERS),
    Line("GET /p/{project}/{uid}", MEMBERS),
    Line("GET /p/{project}/{uid}/touches", MEMBERS),
    Line("GET /p/{project}/{uid}/document.pdf", MEMBERS),
    Line("GET /p/{project}/{uid}/history", MEMBERS),
    Line("GET /p/{project}/{uid}/history/{number}", MEMBERS),
    Line("GET /p/{project}/{uid}/compare", MEMBERS),
    Line("GET /p/{project}/{uid}/files/{file_id}", MEMBERS),
    Line("POST /p/{project}/{uid}/files", NEED_WRITERS | NEED_SIGNERS, 422),
    Line("GET /p/{project}/new", MEMBERS),
    Line("GET /p/{project}/new/{type_name}", NEED_WRITERS),
    Line("POST /p/{project}/new/{type_name}", NEED_WRITERS, 303, sends=ADDED),
    Line("GET /p/{project}/{uid}/edit", NEED_WRITERS, at={"uid": "draft"}),
    Line("POST /p/{project}/{uid}/edit", NEED_WRITERS, 303, at={"uid": "draft"}, sends=FORM),
    Line("POST /p/{project}/{uid}/submit", WRITER, 303, at={"uid": "draft"}, sends={
        **PASS, "expected": "{draft_read}",
    }),
    Line("POST /p/{project}/{uid}/sign", frozenset({"quality_manager"}), 303, at={"uid": "waiting"},
        sends={**PASS, "expected": "{waiting_read}", "meaning": "approved",
               "role": "quality_manager"}),
    Line("POST /p/{project}/{uid}/reject", NEED_WRITERS | NEED_SIGNERS, 303, at={"uid": "waiting"},
        sends={"expected": "{waiting_read}", "reason": "Not clear."}),
    Line("POST /p/{project}/{uid}/discard", WRITER | NEED_SIGNERS, 303, at={"uid": "proposed"},
        sends={"expected": "{proposed_read}", "reason": "Not needed."}),
    Line("POST /p/{project}/{uid}/withdraw", NEED_SIGNERS, 303, at={"uid": "held"}, sends={
        **PASS, "expected": "{held_read}", "reason": "No longer.",
    }),
    Line("POST /p/{project}/{uid}/move", PROBLEM_WRITERS, 303, at={"uid": "problem"}, sends={
        "expected": "{problem_read}", "reason": "Looked at.", "to": "assessed",
    }),
    Line("POST /p/{project}/{uid}/decide", frozenset({"quality_manager"}), 303,
        at={"uid": "problem"}, sends={
            **PASS, "expected": "{problem_read}", "reason": "None.", "to": "rejected",
            "role": "quality_manager",
        }),
    Line("POST /p/{project}/{uid}/review", AUTHORS | {"quality_manager", "technical_reviewer"}, 303,
        at={"uid": "doubtful"}, sends={"expected": "{doubtful_read}", "reason": "It holds."}),
    Line("POST /p/{project}/{uid}/threads", MEMBERS, 303, at={"uid": "held"}, sends={
        "read": "{held_read}", "text": "Is it seen?",
    }),
    Line("POST /p/{project}/{uid}/threads/{thread_id}/answer", MEMBERS, 303, sends={
        "text": "It is.",
    }),
    Line("POST /p/{project}/{uid}/threads/{thread_id}/settle", WRITER, 303, sends={
        "text": "It is seen.",
    }),
    Line("GET /p/{project}/re-review", MEMBERS),
    Line("POST /p/{project}/re-review", AUTHORS | {"quality_manager", "technical_reviewer"}, 303,
        sends={"chosen": "{doubtful_choice}", "reason": "It holds."}),
    Line("GET /p/{project}/re-review/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/submit", MEMBERS),
    Line("POST /p/{project}/submit", WRITER, 303, sends={**PASS, "chosen": READY}),
    Line("GET /p/{project}/sign", MEMBERS),
    Line("POST /p/{project}/sign", frozenset({"quality_manager"}), 303, sends={
        **PASS, "chosen": CHOSEN,
    }),
)  # fmt: skip

RELEASES = (
    Line("GET /p/{project}/releases", MEMBERS),
    Line("GET /p/{project}/releases/{uid}", MEMBERS, at={"uid": "release"}),
    Line("GET /p/{project}/releases/{uid}/check.json", MEMBERS, at={"uid": "release"}),
    Line("GET /p/{project}/releases/{uid}/pack", MEMBERS, at={"uid": "released"}),
    Line("POST /p/{project}/releases/{uid}/freeze", WRITER, 422, at={"uid": "release"}),
    Line("POST /p/{project}/releases/{uid}/validate", RUNNERS, 422, at={"uid": "release"}),
    Line("POST /p/{project}/releases/{uid}/pack", PACKERS, 303, at={"uid": "released"}),
    Line("GET /p/{project}/runs", MEMBERS),
    Line("POST /p/{project}/runs", RUNNERS, 422, sends={"release": "{release}"}),
    Line("GET /p/{project}/runs/by-hand", MEMBERS),
    Line("POST /p/{project}/runs/by-hand", RUNNERS, 422, sends={"test": "TST-404"}),
    Line("POST /p/{project}/runs/{number}/entries", RUNNERS, 409, at={"number": "run"},
        sends={"step": "1"}),
    Line("POST /p/{project}/runs/{number}/sign", RUNNERS, 409, at={"number": "run"}, sends=PASS),
    Line("POST /p/{project}/runs/{number}/give-up", RUNNERS | {"quality_manager"}, 409,
        at={"number": "run"}),
    Line("GET /p/{project}/runs/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/runs/{number}.json", MEMBERS, at={"number": "run"}),
    Line("GET /p/{project}/runs/{number}", MEMBERS, at={"number": "run"}),
    Line("GET /p/{project}/runs/{number}/progress", MEMBERS, at={"number": "run"}),
    Line("POST /p/{project}/runs/{number}/deviations",
        RUNNERS | {"quality_manager", "technical_reviewer"}, 303, at={"number": "run"},
        sends={"what": "A lamp.", "effect": "None.", "disposition": "Accepted.", **PASS}),
    Line("GET /p/{project}/runs/{number}/export/{format_name}", MEMBERS, at={"number": "run"}),
    Line("GET /p/{project}/runs/{number}/files/{sha256}", MEMBERS, at={"number": "run"}),
)  # fmt: skip

EVIDENCE = (
    Line("GET /p/{project}/releases/{uid}/contents", MEMBERS, 409, at={"uid": "release"}),
    Line(
        "GET /p/{project}/releases/{uid}/contents/export/{format_name}",
        MEMBERS,
        409,
        at={"uid": "release"},
    ),
    Line("GET /p/{project}/repositories", MEMBERS),
    Line("POST /p/{project}/repositories", KEEPERS, 422, sends={"address": "nowhere"}),
    Line("POST /p/{project}/repositories/{name}/scan", KEEPERS, 303),
    Line("POST /p/{project}/repositories/{name}/retire", KEEPERS, 303),
    Line("GET /p/{project}/repositories/{name}/commits/{sha}", MEMBERS),
    Line(
        "GET /p/{project}/repositories/{name}/commits/{sha}/file",
        MEMBERS,
        sends={"path": "plan.py"},
    ),
    Line("GET /p/{project}/repositories/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/repositories/lines/{link}", MEMBERS),
    Line(
        "POST /p/{project}/repositories/lines/{link}/acceptance",
        NEED_WRITERS | NEED_SIGNERS,
        422,
        sends={"digest": "none"},
    ),
    Line("GET /p/{project}/results", MEMBERS),
    Line("POST /p/{project}/results", REPORTERS, 422),
    Line("GET /p/{project}/results/{number}", MEMBERS, at={"number": "import"}),
    Line(
        "GET /p/{project}/results/{number}/files/{sha256}",
        MEMBERS,
        at={"number": "import", "sha256": "report"},
    ),
    Line("GET /p/{project}/files-in", MEMBERS),
    Line("POST /p/{project}/files-in", CHECKERS, 422),
    Line("GET /p/{project}/files-in/{number}", MEMBERS, at={"number": "check"}),
    Line(
        "GET /p/{project}/files-in/{number}/export/{format_name}", MEMBERS, at={"number": "check"}
    ),
    Line(
        "GET /p/{project}/files-in/{number}/files/{sha256}",
        MEMBERS,
        at={"number": "check", "sha256": "checked"},
    ),
    Line("GET /p/{project}/risks", MEMBERS),
    Line("GET /p/{project}/risks/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/sheets/{type_name}", NEED_WRITERS),
    Line("POST /p/{project}/sheets/{type_name}", NEED_WRITERS, sends={"text": "title\nSeen"}),
    Line("POST /p/{project}/risks/issues", AUTHORS, 303),
    Line(
        "POST /p/{project}/risks/issues/{uid}/take",
        AUTHORS,
        404,
        at={"uid": "doubtful"},
        sends={"expected": "1.draft.0"},
    ),
    Line("GET /p/{project}/trace", MEMBERS),
    Line("GET /p/{project}/trace/why/{uid}", MEMBERS, at={"uid": "doubtful"}),
    Line("GET /p/{project}/trace/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/training", MEMBERS),
    Line("GET /p/{project}/training/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/trace/views", MEMBERS),
    Line("POST /p/{project}/trace/views", MEMBERS, 303, sends={"name": "Of my own"}),
    Line("GET /p/{project}/trace/views/{view_id}", MEMBERS, 303),
    Line("POST /p/{project}/trace/views/{view_id}/rename", WRITER, 303, sends={"name": "Other"}),
    Line("POST /p/{project}/trace/views/{view_id}/replace", WRITER, 303),
    Line("POST /p/{project}/trace/views/{view_id}/delete", WRITER | {"quality_manager"}, 303),
    Line("POST /p/{project}/trace/views/{view_id}/default", MEMBERS, 303, sends={"wanted": "true"}),
    Line("GET /p/{project}/baselines", MEMBERS),
    Line(
        "POST /p/{project}/baselines",
        FREEZERS,
        303,
        sends={
            "name": "Design freeze",
            "reason": "The design is whole.",
            **PASS,
        },
    ),
    Line("GET /p/{project}/baselines/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/baselines/compare", MEMBERS),
    Line("GET /p/{project}/baselines/compare/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/baselines/{number}", MEMBERS, at={"number": "baseline"}),
    Line(
        "GET /p/{project}/baselines/{number}/export/{format_name}",
        MEMBERS,
        at={"number": "baseline"},
    ),
    Line("GET /p/{project}/findings", MEMBERS),
    Line("GET /p/{project}/findings/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/due", MEMBERS),
    Line("GET /p/{project}/trend", MEMBERS),
    Line("GET /p/{project}/trend/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/sbom", MEMBERS),
    Line("POST /p/{project}/sbom", AUTHORS, 422),
    Line("GET /p/{project}/sbom/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/sbom/sbom.cdx.json", MEMBERS, 404),  # this project has none
    Line("GET /p/{project}/clauses", MEMBERS),
    Line("GET /p/{project}/clauses.json", MEMBERS),
    Line("GET /p/{project}/clauses/export/{format_name}", MEMBERS),
    Line("GET /p/{project}/clauses/{framework}/{clause}", MEMBERS),
    Line("GET /p/{project}/clauses/{framework}/{clause}.json", MEMBERS),
)

RECORD_API = (
    Line("GET /api/projects", SIGNED_IN),
    Line("GET /api/p/{project}/records", MEMBERS),
    Line("POST /api/p/{project}/records", NEED_WRITERS, 201, sends={
        "type": "user_need", "title": "From a program",
    }),
    Line("GET /api/p/{project}/records/{uid}", MEMBERS),
    Line("PUT /api/p/{project}/records/{uid}", NEED_WRITERS, at={"uid": "draft"}, sends={
        "title": "From a program", "expected": "{draft_read}",
    }),
    Line("GET /api/p/{project}/records/{uid}/history", MEMBERS),
    Line("GET /api/p/{project}/records/{uid}/history/{number}", MEMBERS),
    Line("GET /api/p/{project}/records/{uid}/compare", MEMBERS),
    Line("GET /api/p/{project}/records/{uid}/impact", MEMBERS),
    Line("POST /api/p/{project}/records/{uid}/impact", NEED_WRITERS, at={"uid": "held"}, sends={
        "title": "From a program",
    }),
    Line("GET /api/p/{project}/records/{uid}/links", MEMBERS),
    Line("GET /api/p/{project}/records/{uid}/files", MEMBERS),
    Line("POST /api/p/{project}/records/{uid}/files", NEED_WRITERS | NEED_SIGNERS, 422),
    Line("GET /api/p/{project}/records/{uid}/threads", MEMBERS),
    Line("POST /api/p/{project}/records/{uid}/threads", MEMBERS, 201, at={"uid": "held"}, sends={
        "read": "{held_read}", "text": "Is it seen?",
    }),
    Line("POST /api/p/{project}/records/{uid}/threads/{thread_id}/answer", MEMBERS, 201, sends={
        "text": "It is.",
    }),
    Line("POST /api/p/{project}/records/{uid}/threads/{thread_id}/settle", WRITER, 201, sends={
        "text": "It is seen.",
    }),
    Line("POST /api/p/{project}/records/{uid}/reject", NEED_WRITERS | NEED_SIGNERS,
        at={"uid": "waiting"}, sends={"expected": "{waiting_read}", "reason": "Not clear."}),
    Line("POST /api/p/{project}/records/{uid}/move", PROBLEM_WRITERS, at={"uid": "problem"}, sends={
        "expected": "{problem_read}", "reason": "Looked at.", "to": "assessed",
    }),
    Line("GET /api/p/{project}/re-review", MEMBERS),
    Line("POST /api/p/{project}/re-review", AUTHORS | {"quality_manager", "technical_reviewer"},
        sends={"chosen": "{doubtful_choice}", "reason": "It holds."},
        listed=frozenset({"chosen"})),
    Line("GET /api/p/{project}/runs", MEMBERS),
    Line("POST /api/p/{project}/runs", RUNNERS, 422, sends={"release": "{release}"}),
    Line("GET /api/p/{project}/repositories", MEMBERS),
    Line("GET /api/p/{project}/repositories/lines", MEMBERS),
    Line("POST /api/p/{project}/repositories", KEEPERS, 422, sends={"address": "nowhere"}),
    Line("POST /api/p/{project}/repositories/{name}/scan", KEEPERS, 202),
    Line("POST /api/p/{project}/repositories/{name}/retire", KEEPERS),
    Line("GET /api/p/{project}/results", MEMBERS),
    Line("POST /api/p/{project}/results", REPORTERS, 422),
    Line("GET /api/p/{project}/trace-checks", MEMBERS),
    Line("POST /api/p/{project}/trace-checks", CHECKERS, 422),
    Line("GET /api/p/{project}/trace-checks/{number}", MEMBERS, at={"number": "check"}),
    Line("GET /api/p/{project}/check", MEMBERS),
    Line("GET /api/p/{project}/releases", MEMBERS),
    Line("POST /api/p/{project}/releases/{uid}/baseline", WRITER, 422, at={"uid": "release"}),
    Line("POST /api/p/{project}/releases/{uid}/pack", PACKERS, 202, at={"uid": "released"}),
    Line("GET /api/waiting", SIGNED_IN),
    Line("GET /api/p/{project}/waiting", MEMBERS),
    Line("GET /api/p/{project}/training", MEMBERS),
    Line("GET /api/p/{project}/trace/why/{uid}", MEMBERS, at={"uid": "doubtful"}),
    Line("GET /api/p/{project}/trace/views", MEMBERS),
    Line("POST /api/p/{project}/trace/views", MEMBERS, 201, sends={"name": "Of my own"}),
    Line("PUT /api/p/{project}/trace/views/{view_id}", WRITER, sends={"name": "Other"}),
    Line("DELETE /api/p/{project}/trace/views/{view_id}", WRITER | {"quality_manager"}),
    Line("POST /api/p/{project}/trace/views/{view_id}/default", MEMBERS, sends={"wanted": "true"}),
    Line("POST /api/jobs/{job_id}/cancel", CANCELLERS),
    Line("GET /api/p/{project}/baselines", MEMBERS),
    Line("GET /api/p/{project}/baselines/{name}", MEMBERS, at={"name": "baseline"}),
    Line("GET /api/p/{project}/baselines/{before}/diff/{after}", MEMBERS,
        at={"before": "baseline", "after": "baseline"}),
)  # fmt: skip

API = (*RECORD_API, *MAP_API)

TABLE = tuple(chain(PEOPLE, JOBS, RECORDS, MAP, RELEASES, EVIDENCE, API))

RAISING = (
    Line("GET /p/{project}/new/{type_name}", RAISERS, at={"type_name": "raised"}),
    Line("POST /p/{project}/new/{type_name}", RAISERS, 303, at={"type_name": "raised"},
        sends=RAISED),
    Line("GET /p/{project}/{uid}/edit", PROBLEM_WRITERS, at={"uid": "problem"}),
)  # fmt: skip
"""The same routes once more, asked for what more people may raise than may work on."""
