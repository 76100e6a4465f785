from __future__ import annotations

from threading import Thread

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from psp_harness.errors import UsageError
from psp_harness.reference.shop.books import MIGRATIONS, Books
from psp_harness.reference.shop.tables import Order, Subscription, Table


def test_the_migrations_make_the_tables(database: str) -> None:
    """Nothing is in the one and not in the other; and what is applied is not applied again."""
    books = Books(database)
    books.prepare()
    books.prepare()
    with books.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    books.close()


def test_the_index_on_the_psp_s_id_is_unique_and_partial(database: str) -> None:
    """Several refunds of which the PSP has said nothing yet, and one of each that it named."""
    books = Books(database)
    books.prepare()
    (index,) = [each for each in inspect(books.engine).get_indexes("refunds") if each["column_names"] == ["psp_id"]]
    assert index["unique"]
    assert "psp_id IS NOT NULL" in " ".join(str(each) for each in index["dialect_options"].values())
    books.close()


def test_a_row_is_added_once(database: str) -> None:
    """The second one like it changes nothing."""
    books = Books(database)
    books.prepare()
    row = {"checkout": "c", "amount": 1, "currency": "EUR", "capture": "automatic", "status": "created", "captured": 0}
    with books.transaction() as session:
        assert [books.add_once(session, Order, id=name, **row) for name in ("a", "b")] == [True, False]
    books.close()


def test_what_breaks_in_a_transaction_writes_nothing(database: str) -> None:
    """Nothing of it, though the half was written when it broke."""
    books = Books(database)
    books.prepare()
    row = {"checkout": "c", "amount": 1, "currency": "EUR", "capture": "automatic", "status": "created", "captured": 0}

    def broken() -> None:
        with books.transaction() as session:
            books.add_once(session, Order, id="a", **row)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with books.transaction() as session:
        assert session.get(Order, "a") is None
    books.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://root@localhost/shop"])
def test_another_database_is_refused(url: str) -> None:
    """With what to say instead, and without the address, which may hold a password."""
    with pytest.raises(UsageError, match="sqlite:///FILE or postgresql://") as refused:
        Books(url)
    assert "root" not in str(refused.value)


def test_what_is_read_in_a_snapshot_is_of_one_moment(database: str) -> None:
    """Though another one would have written between two of its reads."""
    books = Books(database)
    books.prepare()
    row = {"checkout": "c", "amount": 1, "currency": "EUR", "capture": "automatic", "status": "created", "captured": 0}
    with books.snapshot() as session:
        before = session.scalars(select(Order)).all()
        writing = Thread(target=_write, args=(books, row))
        writing.start()
        writing.join(0.2)
        assert (before, session.scalars(select(Order)).all()) == ([], [])
    writing.join(60)
    with books.snapshot() as session:
        assert len(session.scalars(select(Order)).all()) == 1
    books.close()


def _write(books: Books, row: dict[str, object]) -> None:
    with books.transaction() as session:
        books.add_once(session, Order, id="a", **row)


def test_what_fails_is_said_without_what_was_to_be_written(database: str) -> None:
    """A log is read by others than a database is."""
    books = Books(database)
    books.prepare()
    row = {"id": "sub_1", "request": "f-1", "amount": 900, "currency": "EUR", "status": "active"}
    with pytest.raises(IntegrityError) as failed, books.transaction() as session:
        session.add(Subscription(**row, customer_id="cus_0", method="pm_of_ada"))
    assert "pm_of_ada" not in str(failed.value)
    books.close()


def test_a_shop_of_yesterday_is_brought_to_today(database: str) -> None:
    """Its orders are there afterwards, and are nobody's: there were no customers then."""
    books = Books(database)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with books.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO orders VALUES ('ord_1', 'cart-1', 6540, 'EUR', 'automatic', 'paid', 6540)")
        )
    books.prepare()
    with books.snapshot() as session:
        order = session.get_one(Order, "ord_1")
    assert (order.captured, order.customer_id) == (6540, None)
    books.close()


def test_every_step_can_be_taken_back(database: str) -> None:
    """Down to nothing, and up again."""
    books = Books(database)
    books.prepare()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with books.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(books.engine).get_table_names()) <= {"alembic_version"}
    books.prepare()
    assert set(Table.metadata.tables) <= set(inspect(books.engine).get_table_names())
    books.close()
