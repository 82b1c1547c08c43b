"""Views of the matrix have names; nobody has kept one yet, and none opens by default."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7e5a90c3b1d8"
down_revision = "e7a90b3c51d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column(
            "query", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_saved_view_project_id_project"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_saved_view_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint(
            "project_id", "person_id", "name", name="uq_saved_view_project_id_person_id_name"
        ),
    )
    op.create_table(
        "default_view",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_default_view_project_id_project"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_default_view_person_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name="fk_default_view_view_id_saved_view"
        ),
        sa.PrimaryKeyConstraint("project_id", "person_id", name="pk_default_view"),
    )
    op.create_index("ix_default_view_view_id", "default_view", ["view_id"])


def downgrade() -> None:
    op.drop_index("ix_default_view_view_id", "default_view")
    op.drop_table("default_view")
    op.drop_table("saved_view")
