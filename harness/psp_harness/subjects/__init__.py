"""Subjects: from an address to something that can be driven. One file per role, one table of address kinds."""
