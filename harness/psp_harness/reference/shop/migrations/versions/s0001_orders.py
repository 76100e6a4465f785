"""Orders, refunds, and the inbox of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the indexes that let things be there once."""
    op.create_table(
        "orders",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("checkout", sa.String(), nullable=False, unique=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("capture", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("order_id", sa.String(), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("psp_id", sa.String(), nullable=True),
        sa.UniqueConstraint("order_id", "request", name="refunds_request_once"),
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"])
    told = sa.text("psp_id IS NOT NULL")
    op.create_index("refunds_psp_id_once", "refunds", ["psp_id"], unique=True, sqlite_where=told, postgresql_where=told)
    op.create_table(
        "inbox",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_index("ix_inbox_status", "inbox", ["status"])


def downgrade() -> None:
    """Drop all of it."""
    for table in ("inbox", "refunds", "orders"):
        op.drop_table(table)
