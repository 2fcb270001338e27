"""Two sides measured at the same time, with interleaved rounds, until the verdict is clear; and bisection.

To follow one measurement, read revisions, worktrees, environments and checkouts (what runs); processes and members (a
session in a child process); groups (two interleaved pairs of sessions); continuous (from group to verdict); display.
Only ``cli`` may import this folder.
"""
