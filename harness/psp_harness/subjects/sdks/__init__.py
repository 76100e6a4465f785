"""Adapters to published SDKs: the subject protocol's verbs as methods; each is imported only when it is asked for."""
