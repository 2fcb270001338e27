"""What tests read of a written report: its page as a browser would, and its files."""

from html.parser import HTMLParser


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
