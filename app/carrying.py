"""What of every table goes along when a project moves to another installation, and what stays."""

from core.archive.people import role_faults
from core.archive.register import Behind, Carried, Own, Register, Repositories, Shared
from core.records.moving import record_faults
from dataflows.planning.pack.build import BUILT as IMPACT_PACK_BUILT
from dataflows.qatrack.moving import servers_used
from qms.interchange.checks.moving import checks_under_way
from qms.repositories.moving import address_faults
from qms.repositories.service import mirror_in
from validation.pack.standing import BUILT as RELEASE_PACK_BUILT
from validation.runs.moving import runs_under_way

TRAIL = "the audit trail of each installation is its own; entries about a project come in others"
WAY_IN = "nobody signs in elsewhere with what they have here"
WORK = "work that was asked for here is done here"

RECORDS = (
    Own("project", "key", "made anew; one that is there already is refused"),
    Own("person", "uid", "found by uid, or made without a password and closed"),
    Own("blob", "sha256", "by digest, with the bytes"),
    Carried(
        "record",
        by="project_id",
        known_by=("project_id", "uid"),
        soft={"latest_id": "revision", "effective_id": "revision"},
        later={"latest_id": None, "effective_id": None},
    ),
    Carried(
        "revision",
        by="record_id",
        known_by=("record_id", "number"),
        # The links of a revision are written while it is a draft, and the database holds to that.
        later={"state": "draft"},
        people=("author_uid", "co_authors"),
    ),
    Carried("record_link", by="revision_id", elsewhere=("target_id",)),
    Carried("observed_link", by="record_id"),
    Carried("link_review", by="source_id", elsewhere=("target_id",)),
    Carried("uid_counter", by="project_id"),
    Carried("attachment", by="record_id", files=("sha256",)),
    Carried("record_thread", by="record_id", people=("person_uid",)),
    Carried("thread_comment", by="thread_id", people=("person_uid",)),
    Carried("signature", by="revision_id", people=("person_uid", "deputy_for_uid")),
    Carried("baseline", by="project_id", known_by=("project_id", "number")),
    Carried("baseline_entry", by="baseline_id"),
)

PEOPLE = (
    Carried("role_grant", by="project_id"),
    Carried("deputyship", by="project_id"),
    Carried("deputyship_end", by="deputyship_id"),
    Carried("saved_view", by="project_id", known_by=("project_id", "person_id", "name")),
    Carried("default_view", by="project_id"),
)

REPOSITORIES = (
    Carried("repository", by="project_id", known_by=("project_id", "name")),
    Carried("repository_commit", by="repository_id", known_by=("repository_id", "sha")),
    Carried("repository_mention", by="commit_id"),
    Carried("repository_request", by="repository_id"),
    Carried("repository_brought", by="commit_id"),
    Carried("repository_tag", by="repository_id"),
    Carried("repository_blob", by="repository_id", known_by=("repository_id", "sha", "dialect")),
    Carried("repository_marker", by="blob_id"),
    Carried("repository_place", by="repository_id"),
    Carried(
        "repository_marked",
        by="repository_id",
        later={"base_of": ""},
        worded={"base_of": ("acceptance ", "repository_acceptance")},
    ),
    Carried("repository_acceptance", by="marked_id"),
)

RESULTS = (
    Carried("result_import", by="project_id", known_by=("project_id", "number")),
    Carried("result_report", by="import_id", known_by=("import_id", "name"), files=("sha256",)),
    Carried("result_case", by="report_id", known_by=("report_id", "ordinal"), files_in=("files",)),
    Carried("result_naming", by="case_id"),
)

CHECKS = (
    Carried(
        "trace_check",
        by="project_id",
        known_by=("project_id", "number"),
        left={"job_id": 0},
    ),
    Carried("trace_check_file", by="check_id", files=("sha256",)),
    Carried("trace_check_result", by="check_id", files=("sha256",)),
    Carried("trace_check_finding", by="check_id"),
)

RUNS = (
    Carried(
        "validation_run",
        by="project_id",
        known_by=("project_id", "number"),
        soft={"tester_id": "person"},
        left={"job_id": None},
        people=("tester_uid",),
    ),
    Carried("validation_run_test", by="run_id"),
    Carried("validation_run_data_set", by="run_id"),
    Carried("validation_run_event", by="run_id", files_in=("data",)),
    Carried(
        "validation_run_scenario",
        by="run_id",
        known_by=("run_id", "ordinal"),
        files=("evidence_sha256", "stdout_sha256", "stderr_sha256"),
    ),
    Carried("validation_run_step", by="scenario_id", known_by=("scenario_id", "ordinal")),
    Carried("validation_run_attachment", by="step_id", files=("sha256",)),
    Carried("validation_run_measurement", by="step_id"),
)

MAP = (
    Carried("probe_result", by="project_id"),
    Carried("destination_list", by="project_id"),
    Shared("qatrack_server", "name", servers_used, same=("address", "time_zone")),
    Carried("qatrack_reading", by="server_id"),
    Carried("qatrack_item", by="server_id"),
)

BEHIND = (
    Behind("ledger_entry", TRAIL),
    Behind("ledger_head", TRAIL),
    Behind("web_session", WAY_IN),
    Behind("api_token", WAY_IN),
    Behind("failed_sign_in", WAY_IN),
    Behind("job", WORK),
    Behind("job_attempt", WORK),
    Behind("job_step", WORK),
    Behind("job_worker", WORK),
)

CARRYING = Register(
    lines=(*RECORDS, *PEOPLE, *REPOSITORIES, *RESULTS, *CHECKS, *RUNS, *MAP, *BEHIND),
    repositories=Repositories("repository", lambda folder, number: mirror_in(folder, number).path),
    files_of_acts=frozenset({RELEASE_PACK_BUILT, IMPACT_PACK_BUILT}),
    checks=(record_faults, role_faults, address_faults),
    under_way=(runs_under_way, checks_under_way),
)
