"""Many records -> how results changed over time and how machines compare, as tables, JSON and a page.

Only ``cli`` may import it.
"""
