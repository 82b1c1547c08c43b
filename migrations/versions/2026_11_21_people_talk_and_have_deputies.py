"""Records have threads, roles have deputies; signatures given before were given by no deputy."""

import sqlalchemy as sa
from alembic import op

revision = "e7a90b3c51d4"
down_revision = "c41f7d2e8a60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_threads()
    _make_deputyships()
    for name in ("deputy_for", "deputy_for_uid"):
        op.add_column("signature", sa.Column(name, sa.String(), nullable=False, server_default=""))


def _make_threads() -> None:
    op.create_table(
        "record_thread",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        *_said(),
        _key("record_thread", "record_id", "record"),
        _key("record_thread", "revision_id", "revision"),
        _key("record_thread", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_record_thread"),
    )
    op.create_index("ix_record_thread_record_id", "record_thread", ["record_id"])
    op.create_table(
        "thread_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("settles", sa.Boolean(), nullable=False),
        *_said(),
        _key("thread_comment", "thread_id", "record_thread"),
        _key("thread_comment", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_thread_comment"),
        sa.UniqueConstraint("thread_id", "ordinal", name="uq_thread_comment_thread_id_ordinal"),
    )
    op.create_index("ix_thread_comment_thread_id", "thread_comment", ["thread_id"])


def _make_deputyships() -> None:
    op.create_table(
        "deputyship",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("principal_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("named_by", sa.String(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        _key("deputyship", "project_id", "project"),
        _key("deputyship", "principal_id", "person"),
        _key("deputyship", "deputy_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_deputyship"),
    )
    for name in ("project_id", "deputy_id"):
        op.create_index(f"ix_deputyship_{name}", "deputyship", [name])
    op.create_table(
        "deputyship_end",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deputyship_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        _key("deputyship_end", "deputyship_id", "deputyship"),
        sa.PrimaryKeyConstraint("id", name="pk_deputyship_end"),
        sa.UniqueConstraint("deputyship_id", name="uq_deputyship_end_deputyship_id"),
    )


def _said() -> list[sa.Column]:
    """Return the columns of who said something, and when."""
    return [
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("person_uid", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    ]


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def downgrade() -> None:
    kept = ("record_thread", "deputyship")
    bound = op.get_bind()
    if any(bound.execute(sa.text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in kept):  # noqa: S608
        raise RuntimeError(
            "Threads or deputies are on record; without their tables the audit trail and the "
            "signatures of deputies could not be verified. Restore a backup instead."
        )
    for name in ("deputy_for_uid", "deputy_for"):
        op.drop_column("signature", name)
    op.drop_table("deputyship_end")
    for name in ("deputy_id", "project_id"):
        op.drop_index(f"ix_deputyship_{name}", "deputyship")
    op.drop_table("deputyship")
    op.drop_index("ix_thread_comment_thread_id", "thread_comment")
    op.drop_table("thread_comment")
    op.drop_index("ix_record_thread_record_id", "record_thread")
    op.drop_table("record_thread")
