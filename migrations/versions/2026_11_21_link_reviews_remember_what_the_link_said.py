"""Link reviews remember what the link said, and that it was gone.

Reviews made before keep no attributes: what their links said then is not known, so a change of it
since is not held against them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5d0c6f1b7a24"
down_revision = "18813de293d8"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("link_review", sa.Column("attributes", JSON, nullable=True))
    op.add_column(
        "link_review",
        sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("link_review", "gone")
    op.drop_column("link_review", "attributes")
