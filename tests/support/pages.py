"""What tests of pages share: sections made of small records, a page as a browser reads it, and a report's files."""

from html.parser import HTMLParser

import recordings

from autoenc_bench.records import loading
from autoenc_bench.report.view import Section


def section(folder, *, entries=None, run=recordings.RUN, **content):
    """Write a record into a folder, and return what a page shows of it."""
    found = recordings.content(run=run, entries=None if entries is None else list(entries), **content)
    return Section(loading.read(recordings.save(folder, found)))


class Reader(HTMLParser):
    """Collect a page's text, tags and attributes as a browser would read them."""

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
