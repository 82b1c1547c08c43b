"""Runs know the registered data sets they were given; earlier ones made their own data."""

import sqlalchemy as sa
from alembic import op

revision = "a64d10f7c2b9"
down_revision = "7e5a90c3b1d8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validation_run_data_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["validation_run.id"], name="fk_validation_run_data_set_run_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_validation_run_data_set"),
        sa.UniqueConstraint("run_id", "uid", name="uq_validation_run_data_set_run_id_uid"),
    )
    op.create_index("ix_validation_run_data_set_run_id", "validation_run_data_set", ["run_id"])


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM validation_run_data_set LIMIT 1")).first():
        raise RuntimeError(
            "Data sets of runs are on record; without their table nobody could tell what these "
            "runs were given, nor verify the audit trail. Restore a backup instead."
        )
    op.drop_index("ix_validation_run_data_set_run_id", "validation_run_data_set")
    op.drop_table("validation_run_data_set")
