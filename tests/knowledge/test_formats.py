"""Files to text: what is cleaned away, and files that mean harm."""

import zlib
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfWriter

from aya.errors import HostError
from aya.knowledge import extraction, parser
from aya.knowledge.extraction import Extraction
from aya.knowledge.format import Extracted, format_of


def pdf(content: bytes, *, filters: bytes = b"", title: str = "") -> bytes:
    """A PDF of one page with that stream of drawing instructions."""
    writer = PdfWriter(BytesIO(_plain_pdf(content, filters)))
    if title:
        writer.add_metadata({"/Title": title})
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _plain_pdf(content: bytes, filters: bytes) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), filters, content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start)


SAID = b"BT /F1 12 Tf 72 720 Td (Replicate BETA nightly) Tj ET"


def read(name: str, data: bytes) -> Extracted | None:
    with Extraction() as extraction:
        return extraction.read(name, data)


def test_html_loses_scripts_styles_forms_and_navigation_and_keeps_its_text() -> None:
    page = b"""<?xml version="1.0"?><html><head><title>The  Guide</title><script>steal()</script><style>p {}</style></head>
    <body><nav>Home</nav><div class="navheader">Prev Next</div><div id="toc">Contents</div><!-- hidden -->
    <h1>Guide</h1><p onclick="x()">Use <a href="https://example.org">the slot</a>.</p><noscript>No</noscript>
    <form><input value="v"><button>Send</button></form><dl><dt><code>port</code></dt><dd>Where it listens.</dd></dl>
    <table><tr><th>a</th></tr><tr><td>1</td></tr></table><footer>Imprint</footer></body></html>"""
    found = read("a.HTML", page)
    assert found is not None
    assert found.title == "The Guide"
    assert found.text.startswith("# Guide\n\nUse the slot.\n\n###### `port`\n\nWhere it listens.\n\n| a |")
    for word in ("steal", "p {}", "Home", "Prev", "Contents", "hidden", "example.org", "No", "Send", "Imprint", "xml"):
        assert word not in found.text


def test_markdown_loses_what_a_browser_would_run() -> None:
    found = read("a.md", b"# T\r\n\r\nA<script>\r\nsteal()</script>B <!-- c -->\r\n")
    assert found is not None
    assert (found.text, found.title) == ("# T\n\nAB \n", "T")


def test_a_pdf_is_read_by_page_with_its_title() -> None:
    found = read("a.pdf", pdf(SAID, title="Runbook"))
    assert found is not None
    assert (found.text, found.title, found.metadata) == ("Replicate BETA nightly", "Runbook", {"pages": 1})


def test_an_encrypted_pdf_is_refused_and_one_with_an_empty_password_is_read() -> None:
    for password, refused in (("secret", True), ("", False)):
        writer = PdfWriter(BytesIO(pdf(SAID)))
        writer.encrypt(password, algorithm="AES-256", owner_password="owner")
        out = BytesIO()
        writer.write(out)
        if refused:
            with pytest.raises(HostError, match="encrypted"):
                read("a.pdf", out.getvalue())
        else:
            assert read("a.pdf", out.getvalue())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"", "no PDF"),
        ("a.pdf", b"%PDF-1.7 and then nothing", "no PDF"),
        ("a.pdf", pdf(b""), "holds text"),
        ("a.html", b"<div>" * 20_000 + b"deep", "too deep"),
        ("a.md", b"\x89PNG\0", "no text"),
    ],
)
def test_what_cannot_be_read_is_said(name: str, data: bytes, said: str) -> None:
    with pytest.raises(HostError, match=said):
        read(name, data)


def test_a_bomb_takes_only_its_own_process_and_the_next_file_is_read() -> None:
    zeros = zlib.compressobj(9)
    bomb = b"".join([*(zeros.compress(b" " * (1 << 24)) for _ in range(8)), zeros.flush()])
    assert len(bomb) < 200_000
    with Extraction() as extraction:
        with pytest.raises(HostError):
            extraction.read("bomb.pdf", _plain_pdf(bomb, b"/Filter /FlateDecode"))
        found = extraction.read("a.pdf", pdf(SAID))
    assert found is not None
    assert found.text == "Replicate BETA nightly"


def test_a_file_that_takes_too_long_or_gives_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with Extraction() as extracting:
        assert extracting.read("a.html", b"<p>short</p>")
        monkeypatch.setattr(extraction, "TEXT_LIMIT_BYTES", 100)
        with pytest.raises(HostError, match="longer than 100 bytes"):
            extracting.read("a.html", b"<p>" + b"long " * 100)
        monkeypatch.setattr(extraction, "PARSE_S", 0.0)
        with pytest.raises(HostError, match="longer than 0 s"):
            extracting.read("a.html", b"<p>" * 1000)


def test_a_parser_that_breaks_in_any_way_is_told() -> None:
    assert b"error" in parser.answer(b"pdf\n%PDF-1.4 trailer << /Root 1 0 R >> startxref 0 %%EOF")
    assert b"KeyError" in parser.answer(b"nonsense\n")


def test_source_code_is_text_and_an_image_is_none(tmp_path: Path) -> None:
    found = read("server.py", b"def f():\n    return 1\n")
    assert found is not None
    assert found.text == "def f():\n    return 1\n"
    assert read("photo.jpg", b"\xff\xd8\xff\0") is None
    assert format_of("README") is None
