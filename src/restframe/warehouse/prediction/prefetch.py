"""Asking a remote model about all distinct arguments before a query runs."""


def prefetch(translation, session):
    pass
