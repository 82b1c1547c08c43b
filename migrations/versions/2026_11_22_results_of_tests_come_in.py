"""Results of tests come in, as other tools report them; nobody has sent any yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3f9b61c0d7e8"
down_revision = "c7d2e94a51b8"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "result_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_result_import_project_id_project"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_result_import"),
        sa.UniqueConstraint("project_id", "number", name="uq_result_import_project_id_number"),
    )
    op.create_table(
        "result_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["result_import.id"], name="fk_result_report_import_id_result_import"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_result_report_sha256_blob"),
        sa.PrimaryKeyConstraint("id", name="pk_result_report"),
        sa.UniqueConstraint("import_id", "name", name="uq_result_report_import_id_name"),
    )
    _create_cases()


def _create_cases() -> None:
    op.create_table(
        "result_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("files", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["result_report.id"], name="fk_result_case_report_id_result_report"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_result_case"),
        sa.UniqueConstraint("report_id", "ordinal", name="uq_result_case_report_id_ordinal"),
    )
    op.create_table(
        "result_naming",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("stated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["result_case.id"], name="fk_result_naming_case_id_result_case"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_result_naming"),
        sa.UniqueConstraint("case_id", "uid", name="uq_result_naming_case_id_uid"),
    )
    op.create_index("ix_result_naming_uid", "result_naming", ["uid"])


def downgrade() -> None:
    op.drop_index("ix_result_naming_uid", "result_naming")
    op.drop_table("result_naming")
    op.drop_table("result_case")
    op.drop_table("result_report")
    op.drop_table("result_import")
