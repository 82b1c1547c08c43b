"""What was read of source files says by which reading; the next scan reads all of it anew.

Blocks end elsewhere by the present reading, so that what was kept by the first one (1) is no
measure for it. Bases are read anew from their own commits then, and nothing else is forgotten.
"""

import sqlalchemy as sa
from alembic import op

revision = "b7c04e19a2d6"
down_revision = "a41d7c93e5b2"
branch_labels = None
depends_on = None

_READINGS = (
    ("repository", "marked_reading"),
    ("repository_blob", "reading"),
    ("repository_marked", "base_reading"),
)


def upgrade() -> None:
    for table, name in _READINGS:
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="1"))
    op.add_column("repository", sa.Column("marked_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE repository SET marked_at = scanned_at WHERE marked_commit <> ''")


def downgrade() -> None:
    op.drop_column("repository", "marked_at")
    for table, name in reversed(_READINGS):
        op.drop_column(table, name)
