"""Turn records into tables, figures, one HTML page and one Markdown page, in four stages that run in one direction.

READ: ``records.loading`` reads the records. SUMMARISE AND JUDGE: ``view``, ``cases``, ``summary``, ``devices``,
``facts`` and ``side_by_side`` turn them into plain data; only ``side_by_side`` asks for verdicts. DRAW: ``figures``
draws that data. WRITE: ``render``, ``output`` and ``github`` write pages and files. ``page`` runs the stages.
``history``, ``live``, ``plugin`` and ``cli`` may import this folder.
"""
