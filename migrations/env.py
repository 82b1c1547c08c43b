"""Run migrations on the connection that `app.schema` hands over."""

from typing import Any

from alembic import context
from sqlalchemy import types


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our own column types as plain SQLAlchemy, so that a migration imports nothing of us."""
    if kind != "type" or not isinstance(item, types.TypeDecorator):
        return False
    name = type(item).__name__
    if name == "UtcDateTime":
        return "sa.DateTime(timezone=True)"
    if name == "JsonColumn":
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return "sa.String()"


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
