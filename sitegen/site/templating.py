"""The one environment of the templates of a site: names that are not there are errors, and line ends stay."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sitegen import resources


def render(template: str, *, escape: bool = True, trim: bool = False, **values: Any) -> str:
    """Return a template filled in. `escape` is for HTML: every value is text, unless it is Markup.

    With `trim`, a line that holds a statement alone leaves nothing behind. Raises jinja2's UndefinedError where the
    template names what is not there.
    """
    environment = Environment(
        loader=FileSystemLoader(resources.templates()),
        autoescape=escape,  # noqa: S701 - not escaped is Markdown alone, whose HTML is shown as text
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=trim,
        lstrip_blocks=trim,
    )
    return environment.get_template(template).render(**values)
