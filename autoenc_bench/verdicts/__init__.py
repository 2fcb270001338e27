"""Statistics and verdicts on records: did time, memory, error or counts regress between two sides?

`report`, `live`, `cli` and `plugin` may import it. It never imports what measures.
"""
