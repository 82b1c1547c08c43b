"""Files of other tools are checked and what was found is kept; nobody has sent any yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b6d2f08a31c5"
down_revision = "b7c40d2e95f1"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "trace_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("levels", JSON, nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_trace_check_project_id_project"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trace_check"),
        sa.UniqueConstraint("project_id", "number", name="uq_trace_check_project_id_number"),
    )
    op.create_table(
        "trace_check_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["trace_check.id"], name="fk_trace_check_file_check_id_trace_check"
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name="fk_trace_check_file_sha256_blob"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trace_check_file"),
        sa.UniqueConstraint("check_id", "name", name="uq_trace_check_file_check_id_name"),
    )
    _create_results()


def _create_results() -> None:
    op.create_table(
        "trace_check_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("faults", JSON, nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("left_out", JSON, nullable=False),
        sa.Column("not_judged", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["trace_check.id"], name="fk_trace_check_result_check_id_trace_check"
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name="fk_trace_check_result_sha256_blob"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trace_check_result"),
        sa.UniqueConstraint("check_id", name="uq_trace_check_result_check_id"),
    )
    op.create_table(
        "trace_check_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["trace_check.id"], name="fk_trace_check_finding_check_id_trace_check"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trace_check_finding"),
        sa.UniqueConstraint("check_id", "ordinal", name="uq_trace_check_finding_check_id_ordinal"),
    )


def downgrade() -> None:
    op.drop_table("trace_check_finding")
    op.drop_table("trace_check_result")
    op.drop_table("trace_check_file")
    op.drop_table("trace_check")
