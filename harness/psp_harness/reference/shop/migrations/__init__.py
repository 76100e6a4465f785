"""How the tables came to be what they are, step by step: Alembic's. `Books.prepare` applies what is missing."""
