"""The file format of records: its schema, validation, storage and names.

All folders except ``catalogue`` may import it.
"""
