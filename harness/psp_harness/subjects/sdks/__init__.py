"""Adapters to published SDKs: each speaks the subject protocol's verbs as methods, and is imported only when it is asked for."""
