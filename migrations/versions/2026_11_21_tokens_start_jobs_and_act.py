"""A token may be made to start jobs, and to act on records; those there were may do neither."""

import sqlalchemy as sa
from alembic import op

revision = "a3c5e81f60d7"
down_revision = "a64d10f7c2b9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("starts", "acts"):
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("api_token", column)


def downgrade() -> None:
    given = sa.text("SELECT 1 FROM api_token WHERE starts OR acts LIMIT 1")
    if op.get_bind().execute(given).first():
        raise RuntimeError(
            "A token was made to start jobs or to act on records; without these columns the audit "
            "trail could not be verified. Restore a backup instead."
        )
    for name in ("acts", "starts"):
        op.drop_column("api_token", name)
