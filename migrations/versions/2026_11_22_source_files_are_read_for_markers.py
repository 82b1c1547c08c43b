"""Source files are read for markers; no file was read before, so the next scan reads them all."""

import sqlalchemy as sa
from alembic import op

revision = "e2f6a81d04c7"
down_revision = "3f9b61c0d7e8"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    op.add_column(
        "repository", sa.Column("marked_commit", sa.String(), nullable=False, server_default="")
    )
    _create_contents()
    _create_links()


def _create_contents() -> None:
    op.create_table(
        "repository_blob",
        *_numbers("id", "repository_id"),
        *_words("sha", "dialect", "problem"),
        _to("repository_blob", "repository_id", "repository"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_blob"),
        sa.UniqueConstraint(
            "repository_id", "sha", "dialect", name="uq_repository_blob_repository_id_sha_dialect"
        ),
    )
    op.create_table(
        "repository_marker",
        *_numbers("id", "blob_id"),
        *_words("form", "role", "named"),
        *_numbers("line", "first", "last"),
        *_words("digest"),
        _to("repository_marker", "blob_id", "repository_blob"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_marker"),
    )
    op.create_index("ix_repository_marker_blob_id", "repository_marker", ["blob_id"])
    op.create_table(
        "repository_place",
        *_numbers("id", "repository_id"),
        *_text("path"),
        sa.Column("blob_id", sa.Integer(), nullable=True),
        *_words("problem"),
        _to("repository_place", "repository_id", "repository"),
        _to("repository_place", "blob_id", "repository_blob"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_place"),
        sa.UniqueConstraint("repository_id", "path", name="uq_repository_place_repository_id_path"),
    )


def _create_links() -> None:
    op.create_table(
        "repository_marked",
        *_numbers("id", "repository_id", "record_id"),
        *_words("form", "role", "named", "commit"),
        *_text("path"),
        *_words("blob"),
        *_numbers("line", "first", "last"),
        *_words("digest"),
        _moment("committed_at"),
        *_words("base_of", "base_commit"),
        *_text("base_path"),
        *_numbers("base_first", "base_last"),
        *_words("base_digest"),
        *_text("diff"),
        _moment("gone_at", nullable=True),
        _to("repository_marked", "repository_id", "repository"),
        _to("repository_marked", "record_id", "record"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_marked"),
    )
    for column in ("repository_id", "record_id"):
        op.create_index(f"ix_repository_marked_{column}", "repository_marked", [column])
    op.create_table(
        "repository_acceptance",
        *_numbers("id", "marked_id"),
        *_words("commit"),
        *_text("path"),
        *_words("blob"),
        *_numbers("first", "last"),
        *_words("digest"),
        sa.Column("gone", sa.Boolean(), nullable=False),
        *_numbers("person_id"),
        *_words("person_name"),
        *_text("reason"),
        _moment("at"),
        _to("repository_acceptance", "marked_id", "repository_marked"),
        _to("repository_acceptance", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_repository_acceptance"),
    )
    op.create_index("ix_repository_acceptance_marked_id", "repository_acceptance", ["marked_id"])


def downgrade() -> None:
    accepted = sa.text("SELECT 1 FROM repository_acceptance LIMIT 1")
    if op.get_bind().execute(accepted).first():
        raise RuntimeError(
            "Somebody said of marked lines that they still hold; without these tables that would "
            "be lost. Restore a backup instead."
        )
    for name in ("acceptance", "marked", "place", "marker", "blob"):
        op.drop_table(f"repository_{name}")
    op.drop_column("repository", "marked_commit")
