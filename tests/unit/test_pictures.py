"""The sizes of a page's pictures, and their markup."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from lead_service.publishing import cache
from lead_service.publishing.media import pictures
from lead_service.publishing.media.cards import Cards


def picture(width: int, height: int) -> bytes:
    file, camera = BytesIO(), Image.Exif()
    camera[0x010F] = "A camera"
    Image.new("RGB", (width, height), "navy").save(file, "JPEG", exif=camera)
    return file.getvalue()


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "FOLDER", tmp_path)


@pytest.mark.parametrize(
    ("own", "sent"), [(300, [300]), (1000, [400, 800, 1000]), (2000, [400, 800, 1216])]
)
def test_a_picture_is_published_in_sizes_up_to_its_own_without_camera_data(own, sent):
    sized = pictures.sized(picture(own, own // 2))
    assert (sized.width, sized.height) == (own, own // 2)
    assert [width for width, _ in sized.sizes] == sent
    for width, content in sized.sizes:
        with Image.open(BytesIO(content)) as opened:
            assert (opened.format, opened.width) == ("WEBP", width)
            assert not opened.getexif()


def test_a_page_says_how_large_a_picture_is_and_loads_it_late_below_the_fold():
    sized = pictures.Sized(900, 600, [(400, b""), (900, b"")])
    html = f'<img alt="A" class="b" src="a.png#c" />{"<p>Text</p>" * 200}<img alt="" src="a.png">'
    first, _, second = pictures.rewritten(html, lambda src: (sized, ["/4", "/9"])).partition("<p>")
    assert first == (
        '<img src="/9#c" width="900" height="600" srcset="/4#c 400w, /9#c 900w"'
        f' sizes="{pictures.SIZES}" alt="A" class="b">'
    )
    assert 'loading="lazy" alt="">' in second
    assert pictures.rewritten(html, lambda src: None) == html


def test_a_drawing_is_published_unchanged_with_its_size():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30.5 20"></svg>'
    assert pictures.drawn(svg, ".svg") == pictures.Sized(30, 20, [(30, svg)])
    with pytest.raises(ValueError, match="has no viewBox"):
        pictures.drawn(b"<svg></svg>", ".svg")
    with pytest.raises(ValueError, match="weighs 200 kB"):
        pictures.drawn(b" " * 200_000, ".svg")


def test_every_title_fits_on_a_card(tmp_path):
    word = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 1"><path d="M0 0h8v1H0"/></svg>'
    cards = Cards("Dana & Co", lambda _: word, "")

    def card(title: str) -> Image.Image:
        address = cards.address(title)
        cards.write(tmp_path, ())
        return Image.open(f"{tmp_path}{address}").convert("RGB")

    long = "What a budget owner asks before the second workshop, and which answers get a yes"
    for title in (
        "AI",
        "\u00c5ngstr\u00f6m, qualified",
        long,
        f"{long} {long} {long}",
        "a-long-word-" * 4,
    ):
        left, top, right, bottom = ImageChops.difference(card(title), card("")).getbbox()
        assert 68 <= left <= 76 and right <= 1132
        assert 85 < top < 125 and bottom < 380
    assert card("A\u030angstr\u00f6m\u00ad\u200d") == card("\u00c5ngstr\u00f6m")
