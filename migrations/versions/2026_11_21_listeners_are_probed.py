"""DICOM listeners are probed and destination lists imported; nothing was probed before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c7d2e94a51b8"
down_revision = "b3d81f60c9e2"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "probe_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("question", JSON, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("accepted", JSON, nullable=False),
        sa.Column("refused", JSON, nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_probe_result_project_id_project"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_probe_result_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_probe_result"),
    )
    op.create_index(
        "ix_probe_result_association", "probe_result", ["project_id", "connection", "number"]
    )
    op.create_table(
        "destination_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("destinations", JSON, nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_destination_list_project_id_project"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_destination_list_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_destination_list"),
    )
    op.create_index("ix_destination_list_project", "destination_list", ["project_id", "system"])


def downgrade() -> None:
    tables = ("destination_list", "probe_result")
    bound = op.get_bind()
    if any(bound.execute(sa.text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in tables):  # noqa: S608
        raise RuntimeError(
            "Listeners were probed or destination lists imported; without their tables that is "
            "lost, and the audit trail could not be verified. Restore a backup instead."
        )
    for table in tables:
        op.drop_table(table)
