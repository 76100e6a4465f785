"""Worlds of their own, one for each side: what a careful client, provider and shop look like, and subjects to start with."""
