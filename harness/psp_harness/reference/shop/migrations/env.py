"""Alembic's entry: the migrations run on the connection, and in the transaction, that `Books.prepare` hands over."""

from __future__ import annotations

from alembic import context

from psp_harness.reference.shop.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
