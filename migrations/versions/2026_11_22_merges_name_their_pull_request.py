"""Merges name their pull request; the next scan reads the commits that are stored once more."""

import sqlalchemy as sa
from alembic import op

revision = "b7c40d2e95f1"
down_revision = "e2f6a81d04c7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "repository", sa.Column("trailer_keys", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "repository_mention", sa.Column("via", sa.String(), nullable=False, server_default="")
    )
    op.create_table(
        "repository_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("spread", sa.Boolean(), nullable=False),
        _to("repository_request", "repository_id", "repository"),
        _to("repository_request", "merge_id", "repository_commit"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_request"),
        sa.UniqueConstraint("merge_id", name="uq_repository_request_merge_id"),
    )
    op.create_index("ix_repository_request_repository_id", "repository_request", ["repository_id"])
    op.create_table(
        "repository_brought",
        sa.Column("commit_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        _to("repository_brought", "commit_id", "repository_commit"),
        _to("repository_brought", "request_id", "repository_request"),
        sa.PrimaryKeyConstraint("commit_id", name="pk_repository_brought"),
    )
    op.create_index("ix_repository_brought_request_id", "repository_brought", ["request_id"])


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def downgrade() -> None:
    op.drop_table("repository_brought")
    op.drop_table("repository_request")
    # What a commit names by its pull request alone would read as if it said so itself.
    op.execute("DELETE FROM repository_mention WHERE via <> ''")
    op.drop_column("repository_mention", "via")
    op.drop_column("repository", "trailer_keys")
