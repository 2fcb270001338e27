"""Draw the figures of a report from plain data, and hold what figures share: ``style``, ``layout`` and ``rows``.

Figures read no records and ask for no verdicts. ``report`` and ``history`` may import this folder.
"""
