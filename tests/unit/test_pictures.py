"""The sizes of a page's pictures, and their markup."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from lead_service.publishing import cache
from lead_service.publishing.media import pictures
from lead_service.publishing.media.cards import READABLE, RIGHT, ROOM, Cards, fitted


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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_damaged_picture_is_refused(kind):
    file, readers = BytesIO(), [pictures.sized, pictures.without_camera_data]
    Image.effect_noise((300, 200), 60).save(file, kind)
    readers += [lambda part: pictures.measured(part, ""), lambda part: [*pictures.squares(part)]]
    for read in readers:
        for part in (file.getvalue()[:900], file.getvalue()[:-99]):
            with pytest.raises(ValueError, match=r"^is damaged: "):
                read(part)


def test_a_drawing_is_published_unchanged_with_its_size():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30.5 20"></svg>'
    assert pictures.drawn(svg, ".svg") == pictures.Sized(30, 20, [(30, svg)])
    with pytest.raises(ValueError, match="has no viewBox"):
        pictures.drawn(b"<svg></svg>", ".svg")
    for script in ("<a onclick='b()'/>", "<x:script xmlns:x='http://www.w3.org/2000/svg'/>"):
        with pytest.raises(ValueError, match="contains a script"):
            pictures.drawn(svg.replace(b"></", f">{script}</".encode()), ".svg")
    with pytest.raises(ValueError, match="is damaged: no element found: line 1"):
        pictures.drawn(svg[:-6], ".svg")
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
        "ready/willing/able/" * 6,
        f"{'W' * 71} {long}",
        "i" * 110,
        "W" * 400,
        f"{'W' * 20} " * 20,
    ):
        left, top, right, bottom = ImageChops.difference(card(title), card("")).getbbox()
        assert 68 <= left <= 76 and right <= RIGHT
        assert 85 < top < 125 and bottom < ROOM[3]
    assert card("A\u030angstr\u00f6m\u00ad\u200d") == card("\u00c5ngstr\u00f6m")
    assert card("\U0001f680 Ship (\u4e16) it \u0928\u092e\u093e ") == card("Ship it")
    assert card("\u4e16\u754c\uff01 \u0645\u0631\u062d\u0628\u0627") == card("")


def test_a_long_title_is_broken_into_readable_lines():
    assert fitted("b" * 71)[0] >= READABLE
    _, lines = fitted("ready/willing/able/" * 6)
    assert len(lines) > 1 and all(line.rstrip().endswith("/") for line in lines)
    _, lines = fitted(f"{'W' * 20} " * 20)
    assert lines[-1].endswith("W\u2026") and {len(word) for word in lines[0].split()} == {20}
