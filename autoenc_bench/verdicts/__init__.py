"""Did it regress? Statistics and verdicts on records."""
