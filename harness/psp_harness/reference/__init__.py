"""Worlds of their own: what a careful client and a careful provider look like, and subjects to start with."""
