"""What stands on the pages: read back from the PDF by two other libraries."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pypdf
import pypdfium2
import pytest
from flask import Flask
from flask_babel import Babel
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from audit_service.reports import rendering
from audit_service.reports.rendering import NoResources, instant, markup, minutes_and_seconds, printable, render
from audit_service.reports.values import Passage, ReportContent, Turn
from audit_service.settings import ROOT
from tests.reports import samples

# WeasyPrint leaves the file of its colour profile to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*sRGB2014.icc:ResourceWarning")


@pytest.fixture(autouse=True)
def _languages() -> Iterator[None]:
    app = Flask("reports")
    Babel(app, default_translation_directories=str(ROOT / "audit_service" / "translations"))
    with app.app_context():
        yield


@pytest.fixture(scope="module")
def english() -> bytes:
    app = Flask("reports")
    Babel(app)
    with app.app_context():
        return render(samples.content(), samples.heading("en"))


def words(pdf: bytes) -> str:
    """Return all text of a PDF without white space, so that line breaks of the layout do not matter."""
    pages = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    return re.sub(r"[\s\ufffe\u0002]", "", text)


def with_quote(text: str) -> ReportContent:
    finding = samples.word_finding(quote=text, passage=Passage(Turn("agent", text, start_s=3.0), 0, len(text)))
    return samples.content(findings=(finding,), findings_total=1, signals=(), signals_total=0)


def test_same_values_give_same_bytes(english):
    assert render(samples.content(), samples.heading("en")) == english


def test_another_instant_gives_other_bytes(english):
    later = replace(samples.heading("en"), generated_at=datetime(2026, 3, 21, tzinfo=UTC))
    assert render(samples.content(), later) != english


def test_declares_pdf_a_3u_language_title_and_tags(english):
    catalog = pypdf.PdfReader(io.BytesIO(english)).trailer["/Root"]
    xmp = catalog["/Metadata"].get_data().decode()
    assert 'pdfaid:part="3"' in xmp
    assert 'pdfaid:conformance="U"' in xmp
    assert bool(catalog["/MarkInfo"]["/Marked"])
    assert catalog["/StructTreeRoot"]["/K"]
    assert catalog["/Lang"] == "en"
    assert catalog["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert "R-2026-000001" in pypdf.PdfReader(io.BytesIO(english)).metadata.title


def test_all_fonts_are_embedded(english):
    fonts = {}
    for page in pypdf.PdfReader(io.BytesIO(english)).pages:
        fonts.update(page["/Resources"]["/Font"])
    descriptors = [font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts.values()]
    assert descriptors
    assert all("/FontFile2" in descriptor or "/FontFile3" in descriptor for descriptor in descriptors)


def test_every_page_has_its_number_of_all_and_the_report_number(english):
    document = pypdfium2.PdfDocument(english)
    for place in range(len(document)):
        text = document[place].get_textpage().get_text_range()
        assert f"Page {place + 1} of {len(document)}" in text
        assert "R-2026-000001" in text


def test_contents_name_the_page_on_which_each_section_stands(english):
    document = pypdfium2.PdfDocument(english)
    pages = [document[place].get_textpage().get_text_range() for place in range(len(document))]
    listed = re.findall(r"^([1-5ABC])\s+(.+?)\s*\.{4,}\s*(\d+)\s*$", pages[0], re.MULTILINE)
    assert [label for label, _, _ in listed] == ["1", "2", "3", "4", "5", "A", "B", "C"]
    for label, title, page in listed:
        assert re.search(rf"^{label}\s+{re.escape(title)}\s*$", pages[int(page) - 1], re.MULTILINE), title


def test_bookmarks_lead_to_sections_and_findings(english):
    outline = pypdf.PdfReader(io.BytesIO(english)).outline

    def titles(items):
        return [title for item in items for title in (titles(item) if isinstance(item, list) else [item.title])]

    assert any("Threatens arrest" in title for title in titles(outline))


def test_a_finding_cites_all_that_supports_it(english):
    text = words(english)
    for cited in (
        "cn.threat_unlawful_action.arrest",
        "version3",
        "rulepackcn2026.11.1",
        "GB/T45251-2025",
        "clause5.3",
        "STD:recommendednationalstandard",
        "at01:05oftherecording",
        "2026-03-0312:17:05+08:00",
        "2026-03-0304:17:05UTC",
        "staffnumber1024",
        "王*明",
        "****0001",
        "E-000001",
        "00000001" * 8,
        "我现在真的没有钱，能不能宽限几天？",
        "法警就上门抓人",
        "你们怎么能这样说话！",
        "Heard:“发警”;therulelooksfor:“法警”",
        "Notyetreviewed",
    ):
        assert cited in text, cited


def test_a_proposal_of_the_model_names_its_wording_and_claims_no_hearing():
    anchors = [{"literal": piece, "text": piece, "plane": "model", "edits": 0} for piece in ("进去", "蹲")]
    finding = samples.word_finding(plane="model", explanation={"anchors": anchors})
    content = samples.content(findings=(finding,), findings_total=1, signals=(), signals_total=0)
    text = words(render(content, samples.heading("en")))
    assert "Whatweighedmost:进去·蹲" in text
    assert "Heard:" not in text


def test_an_event_finding_lists_the_attempts_that_broke_the_limit(english):
    text = words(english)
    for place in range(1, 10):
        assert f"HD-20260303-{place:04d}" in text
    assert "Noanswer" in text


def test_a_long_list_of_attempts_repeats_its_heading_on_the_next_page():
    finding = samples.event_finding(attempts=40)
    pdf = render(samples.content(findings=(finding,), findings_total=1), samples.heading("en"))
    with_rows = [
        text for page in pypdfium2.PdfDocument(pdf) if "HD-20260303" in (text := page.get_textpage().get_text_range())
    ]
    assert len(with_rows) > 2
    assert all("Exhibit / row" in text for text in with_rows)


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_a_report_without_findings_says_so_and_has_no_empty_table(locale):
    html = markup(samples.empty_values(), samples.heading(locale))
    assert "<tbody></tbody>" not in re.sub(r"\s", "", html)
    pdf = render(samples.empty_values(), samples.heading(locale))
    assert len(pypdfium2.PdfDocument(pdf)) <= 4


def test_markup_in_texts_is_printed_and_not_obeyed():
    hostile = '<script>alert(1)</script><img src="file:///etc/passwd"><b>粗</b>&amp;'
    html = markup(with_quote(hostile), samples.heading("en"))
    assert "<script>" not in html
    assert "<img" not in html
    assert words(render(with_quote(hostile), samples.heading("en"))).count('<imgsrc="file:///etc/passwd">') == 1


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/x.png", "file:///etc/hostname", "data:image/png;base64,AAAA", "report.css"]
)
def test_nothing_can_be_loaded_into_a_report(address):
    page = HTML(string=f'<img src="{address}">', base_url="file:///", url_fetcher=NoResources())
    with pytest.raises(FatalURLFetchingError):
        page.render()


@pytest.mark.parametrize(
    "text",
    [
        "傳訊：請於三日內還清貸款，否則移送法院強制執行。",
        "䶮女士、㐂先生、𠮷野、喆、堃、犇",
        "GB/T 45251—2025 “引号”…①②③ №5 ￥1,200 € ≥ ✓",
    ],
    ids=["traditional", "rare surnames", "signs"],
)
def test_text_comes_back_from_the_pages_as_it_was(text):
    pdf = render(with_quote(text), samples.heading("zh_CN"))
    assert re.sub(r"\s", "", text) in words(pdf)


def test_no_glyph_is_missing_on_any_page(monkeypatch):
    lacking = []
    paint = rendering._paint

    def watched(content, heading, missing):
        pdf, lacks = paint(content, heading, missing)
        lacking.append(lacks)
        return pdf, lacks

    monkeypatch.setattr(rendering, "_paint", watched)
    text = "䶮女士𠮷野 傳訊 ไทย كيف ꯍ 😡🔪👨‍👩‍👧 \u202eabc\u202c \ue000 \U0001f9ff"
    pdf = render(with_quote(text), samples.heading("zh_CN"))
    assert lacking[-1] == frozenset()
    assert "䶮女士𠮷野傳訊" in words(pdf)
    assert "[U+1F52Ahocho]" in words(pdf)


def test_pictographs_are_written_by_name():
    pdf = render(with_quote("还钱😡\ufe0f否则"), samples.heading("zh_CN"))
    assert "还钱[U+1F621poutingface]否则" in words(pdf)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("法\u200b警", "法[U+200B zero width space]警"),
        ("\u202eabc", "[U+202E right-to-left override]abc"),
        ("a\x00b", "a[U+0000]b"),
        ("一\n二\t三", "一\n二\t三"),
        ("普通话，ABC。", "普通话，ABC。"),
    ],
)
def test_invisible_characters_are_named(text, shown):
    assert printable(text) == shown


def test_characters_that_the_fonts_lack_are_named_instead_of_left_blank(monkeypatch):
    passes = []
    paint = rendering._paint

    def lacking(content, heading, missing):
        passes.append(missing)
        pdf, really = paint(content, heading, missing)
        return pdf, really if missing else frozenset({ord("警")})

    monkeypatch.setattr(rendering, "_paint", lacking)
    pdf = render(with_quote("法警来了"), samples.heading("zh_CN"))
    assert passes == [frozenset(), frozenset({ord("警")})]
    assert "法[U+8B66cjkunifiedideograph-8b66]来了" in words(pdf)


def test_layout_uses_no_style_that_the_renderer_does_not_know(caplog):
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        render(samples.period_values(), samples.heading("en"))
    assert [record.getMessage() for record in caplog.records if "HarfBuzz-Subset" not in record.getMessage()] == []


def test_instants_are_shown_in_the_zone_with_offset():
    assert instant(datetime(2026, 3, 8, 7, 30, tzinfo=UTC), "America/Chicago") == "2026-03-08 01:30:00 -06:00"
    assert instant(datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "America/Chicago") == "2026-03-08 03:30:00 -05:00"


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, "00:00"), (65.9, "01:05"), (3725.0, "62:05")])
def test_positions_are_minutes_and_seconds(seconds, shown):
    assert minutes_and_seconds(seconds) == shown


def test_zero_findings_shown_of_many_are_announced():
    html = markup(samples.content(findings_total=900), samples.heading("en"))
    assert "The gravest 3 of 900 findings" in html


def lines_drawn(pdf: bytes) -> int:
    """Return how many lines and areas are painted on the pages of a PDF."""
    pages = pypdfium2.PdfDocument(pdf)
    return sum(1 for page in pages for _ in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH]))


@pytest.mark.parametrize(
    ("locale", "legend"),
    [
        ("zh_CN", "带点线的字词识别把握低于50%：法·抓人·宽限。"),
        ("en", "Dottedwordswererecognisedwithacertaintyunder50%:法·抓人·宽限."),
    ],
)
def test_unsure_words_of_an_excerpt_are_underlined_and_named_below_it(locale: str, legend: str) -> None:
    turn = Turn("agent", "法警就上门抓人", start_s=65.4, unsure=((0, 1), (5, 7)))
    after = Turn("borrower", "能不能宽限几天？", start_s=71.2, unsure=((3, 5),))
    finding = samples.word_finding(passage=Passage(turn, 0, 3, after=after))
    sure = replace(finding, passage=Passage(replace(turn, unsure=()), 0, 3, after=replace(after, unsure=())))
    marked, plain = (
        render(samples.content(findings=(one,), findings_total=1, signals=(), signals_total=0), samples.heading(locale))
        for one in (finding, sure)
    )
    assert legend in words(marked)
    assert legend not in words(plain)
    assert "法警就上门抓人" in words(marked)
    assert lines_drawn(marked) > lines_drawn(plain)


def test_a_correction_prints_both_texts_and_a_guessed_speaker_is_marked() -> None:
    turn = Turn("agent", "法务上门", start_s=65.4, machine_text="法警上门抓人", corrected_by="user:7", is_guess=True)
    finding = samples.word_finding(passage=Passage(turn, 0, 2))
    content = samples.content(findings=(finding,), findings_total=1, signals=(), signals_total=0)
    chinese, english = (words(render(content, samples.heading(locale))) for locale in ("zh_CN", "en"))
    assert "01:05处字词由user:7更正。机器原文：“法警上门抓人”" in chinese
    assert "Wordsat01:05werecorrectedbyuser:7.Themachinewrote:“法警上门抓人”" in english
    assert "法务上门" in chinese
    assert "催收员?" in chinese
    assert "whospeakswasguessedfromthewordsandisuncertain" in english
