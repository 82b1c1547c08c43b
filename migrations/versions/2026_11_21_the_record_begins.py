"""Create every table of the record; there are no rows to carry over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "18813de293d8"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
        sa.UniqueConstraint("subject", "window", name=op.f("uq_failed_sign_in_subject_window")),
    )
    op.create_table(
        "job_worker",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("process_space", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_worker")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_action"), ["action"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_project_id"), ["project_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entry_subject"), ["subject"], unique=False)

    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("uid", name=op.f("uq_person_uid")),
        sa.UniqueConstraint("username", name=op.f("uq_person_username")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("key", name=op.f("uq_project_key")),
    )
    op.create_table(
        "baseline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_baseline_person_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_baseline_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_baseline_project_id_number")),
    )
    with op.batch_alter_table("baseline", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_baseline_root"), ["root"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column(
            "payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("most_attempts", sa.Integer(), nullable=False),
        sa.Column("fruitless", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "progress", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "result", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_job_created_by")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_job_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_job_state_not_before", ["state", "not_before"], unique=False)
        batch_op.create_index(
            "uq_job_live_key",
            ["kind", "key"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )

    op.create_table(
        "record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("latest_id", sa.Integer(), nullable=True),
        sa.Column("effective_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_record_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("project_id", "uid", name=op.f("uq_record_project_id_uid")),
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index("ix_record_project_id_type", ["project_id", "type"], unique=False)

    op.create_table(
        "repository",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("default_branch", sa.String(), nullable=False),
        sa.Column("tips", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_repository_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_repository_project_id_name")),
    )
    with op.batch_alter_table("repository", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repository_project_id"), ["project_id"], unique=False)

    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_role_grant_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_grant_person_id"), ["person_id"], unique=False)

    op.create_table(
        "uid_counter",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_uid_counter_project_id")
        ),
        sa.PrimaryKeyConstraint("project_id", "prefix", name=op.f("pk_uid_counter")),
    )
    op.create_table(
        "web_session",
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_web_session_person_id")
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_web_session")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_attachment_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_record_id"), ["record_id"], unique=False)

    op.create_table(
        "baseline_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("baseline_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["baseline.id"], name=op.f("fk_baseline_entry_baseline_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline_entry")),
    )
    with op.batch_alter_table("baseline_entry", schema=None) as batch_op:
        batch_op.create_index("ix_baseline_entry_baseline_id", ["baseline_id"], unique=False)

    op.create_table(
        "job_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("child_pid", sa.Integer(), nullable=True),
        sa.Column("child_started", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_attempt_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_attempt")),
        sa.UniqueConstraint("job_id", "number", name=op.f("uq_job_attempt_job_id_number")),
        sa.UniqueConstraint("job_id", "token", name=op.f("uq_job_attempt_job_id_token")),
    )
    op.create_table(
        "job_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column(
            "value", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_step_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_step")),
        sa.UniqueConstraint("job_id", "name", name=op.f("uq_job_step_job_id_name")),
    )
    op.create_table(
        "link_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("source_fingerprint", sa.String(), nullable=False),
        sa.Column("target_fingerprint", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_link_review_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["record.id"], name=op.f("fk_link_review_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["record.id"], name=op.f("fk_link_review_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_review")),
    )
    with op.batch_alter_table("link_review", schema=None) as batch_op:
        batch_op.create_index(
            "ix_link_review_link", ["source_id", "role", "target_id"], unique=False
        )

    op.create_table(
        "observed_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column(
            "attributes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_observed_link_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observed_link")),
        sa.UniqueConstraint(
            "record_id",
            "kind",
            "source_ref",
            "role",
            name=op.f("uq_observed_link_record_id_kind_source_ref_role"),
        ),
    )
    with op.batch_alter_table("observed_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_link_record_id"), ["record_id"], unique=False)

    op.create_table(
        "repository_commit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("parents", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "trailers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name=op.f("fk_repository_commit_repository_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository_commit")),
        sa.UniqueConstraint(
            "repository_id", "sha", name=op.f("uq_repository_commit_repository_id_sha")
        ),
    )
    with op.batch_alter_table("repository_commit", schema=None) as batch_op:
        batch_op.create_index("ix_repository_commit_at", ["repository_id", "at"], unique=False)

    op.create_table(
        "repository_tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("annotated", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_from", sa.String(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name=op.f("fk_repository_tag_repository_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository_tag")),
        sa.UniqueConstraint(
            "repository_id", "name", name=op.f("uq_repository_tag_repository_id_name")
        ),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("author_uid", sa.String(), nullable=False),
        sa.Column(
            "co_authors", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("envelope_digest", sa.String(), nullable=False),
        sa.Column("previous_digest", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_revision_author_id")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_revision_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("record_id", "number", name=op.f("uq_revision_record_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revision_record_id"), ["record_id"], unique=False)

    op.create_table(
        "validation_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("release_uid", sa.String(), nullable=True),
        sa.Column("predecessor", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tester_id", sa.Integer(), nullable=True),
        sa.Column("tester", sa.String(), nullable=False),
        sa.Column("tester_uid", sa.String(), nullable=False),
        sa.Column("tester_role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("manifest_digest", sa.String(), nullable=False),
        sa.Column("protocol_digest", sa.String(), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("engine_digest", sa.String(), nullable=False),
        sa.Column(
            "environment", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("environment_digest", sa.String(), nullable=False),
        sa.Column("data_folder", sa.String(), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("steps_planned", sa.Integer(), nullable=False),
        sa.Column(
            "known_tests", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_validation_run_project_id")
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name=op.f("fk_validation_run_repository_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run")),
        sa.UniqueConstraint(
            "project_id", "number", name=op.f("uq_validation_run_project_id_number")
        ),
    )
    with op.batch_alter_table("validation_run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_project_id"), ["project_id"], unique=False
        )

    op.create_table(
        "record_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column(
            "attributes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_record_link_revision_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["record.id"], name=op.f("fk_record_link_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_link")),
        sa.UniqueConstraint(
            "revision_id", "position", name=op.f("uq_record_link_revision_id_position")
        ),
    )
    with op.batch_alter_table("record_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_record_link_revision_id"), ["revision_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_record_link_target_id"), ["target_id"], unique=False)

    op.create_table(
        "repository_mention",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("commit_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("named", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["repository_commit.id"], name=op.f("fk_repository_mention_commit_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_repository_mention_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository_mention")),
        sa.UniqueConstraint(
            "commit_id", "role", "named", name=op.f("uq_repository_mention_commit_id_role_named")
        ),
    )
    with op.batch_alter_table("repository_mention", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_repository_mention_record_id"), ["record_id"], unique=False
        )

    op.create_table(
        "signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("printed_name", sa.String(), nullable=False),
        sa.Column("person_uid", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("envelope_digest", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_signature_person_id")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_signature_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        sa.UniqueConstraint(
            "envelope_digest",
            "meaning",
            "person_id",
            name=op.f("uq_signature_envelope_digest_meaning_person_id"),
        ),
    )
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_revision_id"), ["revision_id"], unique=False)

    op.create_table(
        "validation_run_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["validation_run.id"], name=op.f("fk_validation_run_event_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_event")),
    )
    with op.batch_alter_table("validation_run_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_event_run_id"), ["run_id"], unique=False
        )

    op.create_table(
        "validation_run_scenario",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("test_uid", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("tags", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "example", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column(
            "flags", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("evidence_sha256", sa.String(), nullable=False),
        sa.Column("stdout_sha256", sa.String(), nullable=False),
        sa.Column("stderr_sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["validation_run.id"], name=op.f("fk_validation_run_scenario_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_scenario")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_validation_run_scenario_run_id_name")),
        sa.UniqueConstraint(
            "run_id", "ordinal", name=op.f("uq_validation_run_scenario_run_id_ordinal")
        ),
    )
    with op.batch_alter_table("validation_run_scenario", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_scenario_run_id"), ["run_id"], unique=False
        )
        batch_op.create_index("ix_validation_run_scenario_test", ["test_uid"], unique=False)

    op.create_table(
        "validation_run_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("automated", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["validation_run.id"], name=op.f("fk_validation_run_test_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_test")),
        sa.UniqueConstraint("run_id", "uid", name=op.f("uq_validation_run_test_run_id_uid")),
    )
    with op.batch_alter_table("validation_run_test", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_validation_run_test_run_id"), ["run_id"], unique=False)

    op.create_table(
        "validation_run_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("keyword", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "inputs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["scenario_id"],
            ["validation_run_scenario.id"],
            name=op.f("fk_validation_run_step_scenario_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_step")),
        sa.UniqueConstraint(
            "scenario_id", "ordinal", name=op.f("uq_validation_run_step_scenario_id_ordinal")
        ),
    )
    with op.batch_alter_table("validation_run_step", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_step_scenario_id"), ["scenario_id"], unique=False
        )

    op.create_table(
        "validation_run_attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["validation_run_step.id"],
            name=op.f("fk_validation_run_attachment_step_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_attachment")),
        sa.UniqueConstraint(
            "step_id", "ordinal", name=op.f("uq_validation_run_attachment_step_id_ordinal")
        ),
    )
    with op.batch_alter_table("validation_run_attachment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_attachment_sha256"), ["sha256"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_validation_run_attachment_step_id"), ["step_id"], unique=False
        )

    op.create_table(
        "validation_run_measurement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("comparison", sa.String(), nullable=False),
        sa.Column(
            "figures", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["validation_run_step.id"],
            name=op.f("fk_validation_run_measurement_step_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_run_measurement")),
        sa.UniqueConstraint(
            "step_id", "ordinal", name=op.f("uq_validation_run_measurement_step_id_ordinal")
        ),
    )
    with op.batch_alter_table("validation_run_measurement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_validation_run_measurement_step_id"), ["step_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("validation_run_measurement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_measurement_step_id"))

    op.drop_table("validation_run_measurement")
    with op.batch_alter_table("validation_run_attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_attachment_step_id"))
        batch_op.drop_index(batch_op.f("ix_validation_run_attachment_sha256"))

    op.drop_table("validation_run_attachment")
    with op.batch_alter_table("validation_run_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_step_scenario_id"))

    op.drop_table("validation_run_step")
    with op.batch_alter_table("validation_run_test", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_test_run_id"))

    op.drop_table("validation_run_test")
    with op.batch_alter_table("validation_run_scenario", schema=None) as batch_op:
        batch_op.drop_index("ix_validation_run_scenario_test")
        batch_op.drop_index(batch_op.f("ix_validation_run_scenario_run_id"))

    op.drop_table("validation_run_scenario")
    with op.batch_alter_table("validation_run_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_event_run_id"))

    op.drop_table("validation_run_event")
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signature_revision_id"))

    op.drop_table("signature")
    with op.batch_alter_table("repository_mention", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repository_mention_record_id"))

    op.drop_table("repository_mention")
    with op.batch_alter_table("record_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_link_target_id"))
        batch_op.drop_index(batch_op.f("ix_record_link_revision_id"))

    op.drop_table("record_link")
    with op.batch_alter_table("validation_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_validation_run_project_id"))

    op.drop_table("validation_run")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_record_id"))

    op.drop_table("revision")
    op.drop_table("repository_tag")
    with op.batch_alter_table("repository_commit", schema=None) as batch_op:
        batch_op.drop_index("ix_repository_commit_at")

    op.drop_table("repository_commit")
    with op.batch_alter_table("observed_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_observed_link_record_id"))

    op.drop_table("observed_link")
    with op.batch_alter_table("link_review", schema=None) as batch_op:
        batch_op.drop_index("ix_link_review_link")

    op.drop_table("link_review")
    op.drop_table("job_step")
    op.drop_table("job_attempt")
    with op.batch_alter_table("baseline_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_baseline_entry_baseline_id")

    op.drop_table("baseline_entry")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_record_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_session_person_id"))

    op.drop_table("web_session")
    op.drop_table("uid_counter")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_grant_person_id"))

    op.drop_table("role_grant")
    with op.batch_alter_table("repository", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repository_project_id"))

    op.drop_table("repository")
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index("ix_record_project_id_type")

    op.drop_table("record")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_live_key",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_job_state_not_before")
        batch_op.drop_index(batch_op.f("ix_job_project_id"))
        batch_op.drop_index(batch_op.f("ix_job_kind"))
        batch_op.drop_index(batch_op.f("ix_job_created_by"))

    op.drop_table("job")
    with op.batch_alter_table("baseline", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_baseline_root"))

    op.drop_table("baseline")
    op.drop_table("project")
    op.drop_table("person")
    op.drop_table("ledger_head")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_subject"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_project_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_action"))

    op.drop_table("ledger_entry")
    op.drop_table("job_worker")
    op.drop_table("failed_sign_in")
    op.drop_table("blob")
