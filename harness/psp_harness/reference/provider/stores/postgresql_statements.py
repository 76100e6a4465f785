"""The tables of the PostgreSQL store, and every statement that it knows; no value is ever written into one.

Names stand bare: the session's `search_path` says in which schema they are.
"""

from __future__ import annotations

from psp_harness.reference.provider.stores.rows import COLUMNS

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
"""CREATE … IF NOT EXISTS is no lock: of two that create at once, one fails."""

TABLES = """
CREATE TABLE IF NOT EXISTS keys (
    tenant text, operation text, key bytea, fingerprint text NOT NULL, token text NOT NULL,
    leased_until double precision NOT NULL, expires double precision NOT NULL, answer text,
    PRIMARY KEY (tenant, operation, key)
);
CREATE INDEX IF NOT EXISTS keys_expire ON keys (expires);
CREATE INDEX IF NOT EXISTS keys_in_flight ON keys (leased_until) WHERE answer IS NULL;
CREATE TABLE IF NOT EXISTS entries (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL, kind text NOT NULL, id text NOT NULL, of text NOT NULL, amount bigint NOT NULL,
    currency text NOT NULL, reference text, created double precision NOT NULL, about text NOT NULL,
    UNIQUE (tenant, kind, id)
);
CREATE INDEX IF NOT EXISTS entries_of_one ON entries (tenant, of) WHERE of <> '';
"""

_OVER = "keys.expires <= %(now)s OR (keys.answer IS NULL AND keys.leased_until <= %(now)s)"
_SLOT = "tenant = %(tenant)s AND operation = %(operation)s AND key = %(key)s"
_OWNED = f"{_SLOT} AND token = %(token)s AND answer IS NULL"

CLAIM = f"""
INSERT INTO keys (tenant, operation, key, fingerprint, token, leased_until, expires)
VALUES (%(tenant)s, %(operation)s, %(key)s, %(fingerprint)s, %(token)s, %(leased_until)s, %(expires)s)
ON CONFLICT (tenant, operation, key) DO UPDATE
SET fingerprint = excluded.fingerprint, token = excluded.token,
    leased_until = excluded.leased_until, expires = excluded.expires, answer = NULL
WHERE {_OVER}
"""  # noqa: S608 - parameters alone, here and below
"""A row that is not over is not updated, and locked all the same (SQL INSERT, "ON CONFLICT Clause")."""

FIND = f"SELECT fingerprint, answer FROM keys WHERE {_SLOT}"  # noqa: S608

FORGET = f"""
DELETE FROM keys WHERE (tenant, operation, key) IN (
    SELECT tenant, operation, key FROM keys WHERE {_OVER} LIMIT 20 FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608
"""A broom, a few at a time. It waits for nobody, so that two of them cannot wait for each other."""

OWNS = f"SELECT 1 FROM keys WHERE {_OWNED} FOR UPDATE"  # noqa: S608
KEEP = f"UPDATE keys SET answer = %(answer)s WHERE {_OWNED}"  # noqa: S608
FREE = f"DELETE FROM keys WHERE {_OWNED}"  # noqa: S608

LOCK = "SELECT 1 FROM entries WHERE tenant = %(tenant)s AND kind = %(k_above)s AND id = %(i_above)s FOR UPDATE"
READ_ALL = f"SELECT {COLUMNS} FROM entries ORDER BY number"  # noqa: S608
LOOK = f"""
SELECT {COLUMNS} FROM (
    SELECT * FROM entries WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s
    UNION SELECT * FROM entries WHERE tenant = %(tenant)s AND kind = %(k_above)s AND id = %(i_above)s
    UNION SELECT * FROM entries WHERE tenant = %(tenant)s AND of = %(of)s AND of <> ''
) AS of_one ORDER BY number
"""  # noqa: S608
ENTER = f"""
INSERT INTO entries ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tenant, kind, id) DO NOTHING
"""  # noqa: S608
REDACT = "UPDATE entries SET reference = %s, about = %s WHERE tenant = %s AND kind = %s AND id = %s"
