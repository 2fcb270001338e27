"""Fill the templates of HTML and Markdown pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from autoenc_bench import __version__
from autoenc_bench.formatting import code, count, line, moment, visible


def fill(template: str, **content: object) -> str:
    """Return the text of a page. HTML escapes every text; Markdown shows names from records as code."""
    environment = Environment(
        loader=PackageLoader("autoenc_bench.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(code=code, count=count, line=line, moment=moment)
    # What only some pages have.
    absent = {"index": None, "together": None, "beside": None, "unreadable": (), "apart": False}
    environment.globals.update(absent, version=__version__)
    return environment.get_template(template).render(content)


def _without_controls(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
