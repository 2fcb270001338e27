"""Helpers for tests of pages: the section of a record, a parsed page, and the files of a report."""

from html.parser import HTMLParser

import recordings

from autoenc_bench.records import loading
from autoenc_bench.report.view import Section


def section(folder, *, entries=None, run=recordings.RUN, **content):
    """Write a record into a folder, and return its section."""
    found = recordings.content(run=run, entries=None if entries is None else list(entries), **content)
    return Section(loading.read_record(recordings.save(folder, found)))


class Reader(HTMLParser):
    """Collect the text, tags and attributes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep a text."""
        self.texts.append(data)

    @property
    def text(self):
        """Return all text."""
        return " ".join(self.texts)


def files(folder):
    """Return the content of every file in a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
