"""Imported results say where their tests ran, and whether they ran again; earlier ones do not."""

import sqlalchemy as sa
from alembic import op

revision = "a41d7c93e5b2"
down_revision = "b6d2f08a31c5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "result_import",
        sa.Column("environment", sa.String(), nullable=False, server_default=""),
    )
    op.add_column(
        "result_import",
        sa.Column("rerun", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    said = sa.text("SELECT 1 FROM result_import WHERE rerun OR environment <> '' LIMIT 1")
    if op.get_bind().execute(said).first():
        raise RuntimeError(
            "Results were imported of a rerun or an environment; without these columns what they "
            "come to would be another. Restore a backup instead."
        )
    op.drop_column("result_import", "rerun")
    op.drop_column("result_import", "environment")
