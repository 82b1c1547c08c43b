"""Accounts remember whether their password was given by somebody else."""

import sqlalchemy as sa
from alembic import op

revision = "9b27c4e0d1f3"
down_revision = "5d0c6f1b7a24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "person", sa.Column("password_given_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("person", "password_given_at")
