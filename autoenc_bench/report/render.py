"""Templates and what they show -> the text of HTML pages and of Markdown pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from autoenc_bench import __version__
from autoenc_bench.text import code, count, moment


def fill(template: str, **content: object) -> str:
    """Return a page by its template; HTML escapes every text, Markdown shows names from records as ``code``."""
    environment = Environment(
        loader=PackageLoader("autoenc_bench.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(code=code, count=count, moment=moment)
    environment.globals.update(version=__version__, index=None)
    return environment.get_template(template).render(content)
