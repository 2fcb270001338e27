"""The documentation, the code and the tests use words that a reader understands at once."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("autoenc_bench", "benchmarks", "docs", "reports", "tests")
FILES = [*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*"))]
READ = [path for path in FILES if path.suffix in (".py", ".md", ".html", ".css") and path != Path(__file__)]

# These words hide the actor of a sentence, or its order. CONTRIBUTING.md has the rules.
RIDDLES = re.compile(
    r"\b(nobody|somebody|anybody|whoever|whatever|told|held\s+against|by\s+turns|is\s+said|says\s+so)\b", re.IGNORECASE
)
ALLOWED = 25  # in all files together, where the word is necessary: in a quotation, for example


def test_words_are_plain():
    """All files together have at most 25 riddles such as "nobody" or "is said"."""
    found = {
        str(path.relative_to(ROOT)): Counter(re.sub(r"\s+", " ", word.lower()) for word in RIDDLES.findall(text))
        for path in READ
        if RIDDLES.search(text := path.read_text("utf-8"))
    }
    total = sum(words.total() for words in found.values())
    shown = "\n".join(f"{name}: {dict(words)}" for name, words in sorted(found.items()))
    assert total <= ALLOWED, f"{total} riddles, at most {ALLOWED} are allowed:\n{shown}"
