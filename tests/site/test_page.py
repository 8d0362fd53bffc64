"""The pages: their policy to the letter, every inline script and style allowed by its own hash, and text escaped."""

import base64
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sitegen.bundle import Bundle, Calibration, Description
from sitegen.site.options import ExampleImage, Logo, SiteOptions
from sitegen.site.page import PageData, render_document, render_index
from tests.helpers.bundles import make_bundle

NASTY = "</script><script>alert(1)</script> & \"quoted\" 'single' <b>"


class Page(HTMLParser):
    """What a browser sees: policy, inline scripts and styles, attributes, text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._open = tag
        if tag in self.inline:
            self.inline[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.inline:
            self.inline[self._open][-1] += data
        elif self._open:
            self.text[self._open] = self.text.get(self._open, "") + data

    @property
    def policy(self) -> dict[str, list[str]]:
        (content,) = (
            entry["content"] for tag, entry in self.tags if entry.get("http-equiv") == "Content-Security-Policy"
        )
        return {name: values for name, *values in (part.split() for part in (content or "").split(";"))}


def source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


@pytest.fixture(params=["index.html", "help.html", "card.html", "licences/index.html"])
def any_page(request: pytest.FixtureRequest, site: Path) -> Page:
    return Page((site / request.param).read_text("utf-8"))


def test_policy_of_the_index(site: Path) -> None:
    page = Page((site / "index.html").read_text("utf-8"))
    (script,), (style,) = page.inline["script"], page.inline["style"]
    assert page.policy == {
        "default-src": ["'none'"],
        "script-src": ["'self'", source(script), "'wasm-unsafe-eval'"],
        "style-src": [source(style)],
        "img-src": ["data:"],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "connect-src": ["'none'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
    }


@pytest.mark.parametrize("name", ["card.html", "help.html", "licences/index.html"])
def test_policy_of_prose(site: Path, name: str) -> None:
    page = Page((site / name).read_text("utf-8"))
    (style,) = page.inline["style"]
    assert page.inline["script"] == []
    assert page.policy == {
        "default-src": ["'none'"],
        "style-src": [source(style)],
        "img-src": ["data:"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
    }


def test_the_policy_comes_before_everything_that_it_governs(any_page: Page) -> None:
    tags = [tag if "http-equiv" not in entry else "policy" for tag, entry in any_page.tags]
    assert tags[:4] == ["html", "head", "meta", "policy"]


def test_nothing_is_inline_that_has_no_hash(any_page: Page) -> None:
    for tag, attributes in any_page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert not (attributes.get("href") or "").startswith("javascript:")


def test_nothing_is_fetched_from_elsewhere(any_page: Page) -> None:
    for tag, attributes in any_page.tags:
        address = attributes.get("src") or (attributes.get("href") if tag == "link" else "") or ""
        assert not address.startswith(("http:", "https:", "//")), address


def test_links_lead_to_files_of_the_site(site: Path) -> None:
    for name in ("index.html", "help.html", "card.html", "licences/index.html"):
        page = Page((site / name).read_text("utf-8"))
        for href in (entry["href"] for tag, entry in page.tags if tag == "a"):
            if href and not href.startswith(("#", "https:")):
                assert ((site / name).parent / href).is_file(), f"{name}: {href}"


def index_of(bundle: Bundle, **changes: object) -> Page:
    description = Description.model_validate(bundle.description.model_dump(by_alias=True) | changes)
    return Page(index([description], "/* js-sha256 */"))


def index(descriptions: list[Description], library: str = "", options: SiteOptions | None = None) -> str:
    """The index page of models without files."""
    bundles = [
        {
            "name": each.name,
            "card": f"card.{each.name}.html",
            "example": None,
            "labels": [one.name for one in each.labels],
        }
        for each in descriptions
    ]
    return render_index(descriptions, PageData({}, [], {}, {}, bundles, []), library, options)


def test_titles_and_labels_are_text_whatever_they_hold(bundle: Bundle) -> None:
    labels = [{"name": NASTY, "operating_point": 0.5}]
    page = index_of(bundle, title=NASTY, version=NASTY, labels=labels)
    assert page.text["title"] == NASTY
    assert page.text["h1"] == NASTY
    assert len(page.inline["script"]) == 1
    assert "<b>" not in page.inline["script"][0]
    assert page.policy["script-src"][1] == source(page.inline["script"][0])
    assert not [tag for tag, _ in page.tags if tag == "b"]


def test_cards_are_prose_whose_html_is_shown_as_text() -> None:
    page = Page(render_document(NASTY, f"# {NASTY}\n\n[x](javascript:alert(1))\n\n|a|\n|-|\n|b|", "index.html"))
    assert page.text["title"] == NASTY
    assert page.inline["script"] == []
    tags = [tag for tag, _ in page.tags]
    assert "table" in tags
    assert "b" not in tags
    assert [entry["href"] for tag, entry in page.tags if tag == "a"] == ["index.html"]


def test_a_model_without_gate_or_calibration_says_so(tmp_path: Path, bundle: Bundle) -> None:
    with_gate = index([bundle.description])
    assert "Its gate refuses images" in with_gate
    assert "stretched so that its operating point lies at 50 %" in with_gate
    bare = make_bundle(tmp_path, gate=False, calibrated=False).description
    without = index([bare])
    assert "This model has no gate" in without
    assert "the model's probability; the mark is its operating point." in without.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"network": {"name": "autoencoder"}}, "Its gate refuses images that are unlike its training images."),
        (
            {"name": "chest", "version": "0.3"},
            "Its gate was taken over from the model chest 0.3: it refuses",
        ),
        (None, "Its gate refuses images that are unlike those that the gate was made with."),
    ],
)
def test_the_page_says_whose_images_the_gate_knows(bundle: Bundle, made: object, words: str) -> None:
    description = bundle.description.model_copy(update={"provenance": {"gate": made}})
    assert words in index([description])


def test_the_page_says_what_was_not_measured_before_the_least_favourable_figure(bundle: Bundle) -> None:
    headline = {"not_measured": "Not measured: images from elsewhere.", "words": "AUC 0.66 on them."}
    told = bundle.description.model_copy(update={"metrics": {"headline": headline | {"mean_auc": {"value": 0.66}}}})
    assert "Not measured: images from elsewhere. The least favourable figure: AUC 0.66 on them." in index([told])
    old = bundle.description.model_copy(update={"metrics": {"test": {}}})
    assert "Where the images of its figures come from, seen from its training, is not recorded." in index([old])
    nothing = bundle.description.model_copy(update={"metrics": {}})
    assert "No figure of it is recorded: how often it is right is not known." in index([nothing])


def test_the_page_says_which_calibration_each_finding_has(tmp_path: Path) -> None:
    description = make_bundle(tmp_path).description
    labels = list(description.labels)
    labels[1] = labels[1].model_copy(update={"calibration": Calibration(method="temperature", temperature=2.0)})
    fitted = {"fitted": {"labels": {"Pneumonia": {"images": 80, "positives": 30}}}}
    text = index([description.model_copy(update={"labels": labels, "provenance": fitted})])
    assert "the bar shows a percentage, which is not the same for all. Atelectasis, Effusion: the model" in text
    assert "Pneumonia: a probability calibrated on validation images (temperature scaling)" in text
    untold = index([description.model_copy(update={"labels": labels})])
    assert "Pneumonia: a probability that was calibrated (temperature scaling), on which images is not told" in untold


def test_a_library_that_would_end_the_script_stops_the_build(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="closing script tag"):
        index([bundle.description], "x = '</SCRIPT>'")


@pytest.mark.parametrize("name", ["index.html", "help.html"])
def test_the_warning_is_on_the_page(site: Path, name: str) -> None:
    assert "Not for diagnostic use." in (site / name).read_text("utf-8")


def test_the_index_leads_to_help_without_leaving_the_images_that_are_open(site: Path) -> None:
    page = Page((site / "index.html").read_text("utf-8"))
    links = [entry for tag, entry in page.tags if tag == "a" and entry["href"] == "help.html"]
    assert [(entry["target"], entry["rel"]) for entry in links] == [("_blank", "noopener")] * 2


def test_what_scrolls_in_prose_is_reached_by_the_keyboard() -> None:
    table, code = "|a|\n|-|\n|b|", "    code\n\n```sh\nfence <b>\n```"
    page = Page(render_document("t", f"# Top\n\n{table}\n\n## *Rows* & more\n\n{table}\n\n{code}", "i"))
    regions = [entry for tag, entry in page.tags if entry.get("class") == "scroll"]
    assert [entry["aria-label"] for entry in regions] == ["Top", "*Rows* & more"]
    assert {(entry["role"], entry["tabindex"]) for entry in regions} == {("region", "0")}
    texts = [entry for tag, entry in page.tags if tag == "pre"]
    assert [entry["aria-label"] for entry in texts] == ["*Rows* & more, 2", "*Rows* & more, 3"]
    assert {(entry["role"], entry["tabindex"]) for entry in texts} == {("region", "0")}
    assert not [tag for tag, _ in page.tags if tag == "b"]


def test_one_model_leaves_nothing_to_choose(site: Path) -> None:
    page = Page((site / "index.html").read_text("utf-8"))
    assert not [entry for tag, entry in page.tags if tag in ("fieldset", "legend") or entry.get("name") == "model"]


def test_several_models_are_offered_with_their_cards(bundle: Bundle) -> None:
    second = bundle.description.model_copy(update={"name": "other", "title": NASTY})
    html = index([bundle.description, second])
    page = Page(html)
    radios = [entry for tag, entry in page.tags if tag == "input" and entry.get("type") == "radio"]
    assert [(entry["value"], "checked" in entry) for entry in radios] == [("test-model", True), ("other", False)]
    links = [entry["href"] for tag, entry in page.tags if tag == "a" and (entry["href"] or "").startswith("card")]
    assert links == ["card.test-model.html", "card.other.html"] * 2  # where it is chosen, and at the foot
    assert page.text["title"] == f"Test model · {NASTY}"
    assert html.count("Atelectasis, Pneumonia, Effusion.") == 2
    assert not [tag for tag, _ in page.tags if tag == "b"]


def test_many_findings_are_counted_where_a_model_is_chosen(bundle: Bundle) -> None:
    label = bundle.description.labels[0]
    labels = [label.model_copy(update={"name": f"Finding {number}"}) for number in range(7)]
    many = bundle.description.model_copy(update={"name": "many", "labels": labels})
    assert "Finding 0, Finding 1, Finding 2, Finding 3 and 3 more." in index([many, bundle.description])


def test_models_that_mean_different_things_by_a_bar_are_told_apart(tmp_path: Path, bundle: Bundle) -> None:
    bare = make_bundle(tmp_path, calibrated=False).description
    bare = bare.model_copy(update={"name": "bare", "title": "Plain model"})
    text = index([bundle.description, bare])
    assert "Test model: for each finding the bar shows the model" in text
    assert "Plain model: for each finding the bar shows the model" in text
    same = bare.model_copy(update={"name": "same"})
    assert index([bare, same]).count("For each finding the bar shows") == 1


def test_what_a_project_adds(bundle: Bundle) -> None:
    options = SiteOptions(
        title="Our page",
        intro=f"A *course*, {NASTY}",
        contact="[Ask](mailto:a@hospital.example)",
        colours="@media (prefers-color-scheme: light) { :root { --accent: #004080; } }\n",
        logo=Logo("data:image/png;base64,AAAA", 'Our "logo"'),
        examples=(ExampleImage("a.png", "Try <this>", b""),),
    )
    page = Page(index([bundle.description], "", options))
    assert (page.text["title"], page.text["h1"]) == ("Our page", "Our page")
    assert page.text["em"] == "course"
    assert not [tag for tag, _ in page.tags if tag == "b"]
    (logo,) = [entry for tag, entry in page.tags if tag == "img"]
    assert (logo["src"], logo["alt"]) == ("data:image/png;base64,AAAA", 'Our "logo"')
    assert "Try <this>" in page.text["button"]
    assert [entry["href"] for tag, entry in page.tags if tag == "a"][-4:] == [
        "mailto:a@hospital.example",
        "card.test-model.html",
        "security.html",
        "licences/index.html",
    ]
    assert page.inline["style"][0].endswith("--accent: #004080; } }\n")
    assert page.policy["style-src"] == [source(page.inline["style"][0])]
    card = Page(render_document("Card", "text", "index.html", options))
    assert card.policy["style-src"] == [source(card.inline["style"][0])] == page.policy["style-src"]
