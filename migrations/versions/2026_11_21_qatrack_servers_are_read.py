"""QATrack+ servers are named and read; none is named yet, and QA procedures stay as they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b3d81f60c9e2"
down_revision = "a3c5e81f60d7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "qatrack_server",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_qatrack_server"),
        sa.UniqueConstraint("name", name="uq_qatrack_server_name"),
    )
    op.create_table(
        "qatrack_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id"], ["qatrack_server.id"], name="fk_qatrack_reading_server_id_qatrack_server"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_qatrack_reading"),
    )
    op.create_index("ix_qatrack_reading_server", "qatrack_reading", ["server_id", "begun_at"])
    op.create_table(
        "qatrack_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("told", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reading_id"],
            ["qatrack_reading.id"],
            name="fk_qatrack_item_reading_id_qatrack_reading",
        ),
        sa.ForeignKeyConstraint(
            ["server_id"], ["qatrack_server.id"], name="fk_qatrack_item_server_id_qatrack_server"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_qatrack_item"),
        sa.UniqueConstraint(
            "reading_id", "kind", "slug", name="uq_qatrack_item_reading_id_kind_slug"
        ),
    )
    op.create_index("ix_qatrack_item_key", "qatrack_item", ["server_id", "kind", "slug"])


def downgrade() -> None:
    tables = ("qatrack_item", "qatrack_reading", "qatrack_server")
    bound = op.get_bind()
    if any(bound.execute(sa.text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in tables):  # noqa: S608
        raise RuntimeError(
            "QATrack+ servers are on record; without their tables what was read of them is lost, "
            "and the audit trail could not be verified. Restore a backup instead."
        )
    for table in tables:
        op.drop_table(table)
