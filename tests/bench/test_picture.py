"""The picture of a run."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import picture
from bench.figures import Taken

SVG = "{http://www.w3.org/2000/svg}"


def taken(*rates: float) -> list[Taken]:
    return [Taken(rate, 1.0, 2.0, 0.5, 100.0, 50.0) for rate in rates]


def drawn(**workloads: dict[str, list[Taken]]) -> ElementTree.Element:
    return ElementTree.fromstring(picture.drawn(workloads, "A & B"))


def test_each_group_has_a_scale_of_its_own_up_to_its_fastest() -> None:
    found = drawn(
        lookup={"pacemark": taken(1000), "apollo": taken(250)},
        history={"pacemark": taken(30), "pacemark-redis": taken(60), "apollo": taken(15)},
    )
    assert [(bar.get("class"), bar.get("width")) for bar in found.iter(f"{SVG}rect")] == [
        ("ours", "480"),
        ("peer", "120"),
        ("ours", "240"),
        ("control", "480"),
        ("peer", "120"),
    ]


def test_names_numbers_and_ratios_are_written() -> None:
    found = drawn(lookup={"pacemark": taken(1000, 1234.5, 1500), "apollo": taken(500, 1000, 1500)})
    assert [text.text for text in found.iter(f"{SVG}text")] == [
        "A & B",
        "lookup",
        "pacemark",
        "1,234",
        "apollo",
        "1,000 (Pacemark: 1.23 ×)",
    ]


def test_what_xml_would_read_as_its_own_is_escaped() -> None:
    name = "<script>\"'&"
    found = drawn(lookup={"pacemark": taken(1), name: taken(1)})
    assert name in [text.text for text in found.iter(f"{SVG}text")]
    assert [element.tag for element in found.iter() if element.tag.endswith("script")] == []


def test_a_bar_is_seen_however_small() -> None:
    found = drawn(lookup={"pacemark": taken(100_000), "apollo": taken(1)})
    assert [bar.get("width") for bar in found.iter(f"{SVG}rect")] == ["480", "1"]


def test_dark_and_light_have_colours_of_their_own() -> None:
    style = drawn(lookup={"pacemark": taken(1)}).find(f"{SVG}style")
    assert style is not None
    assert "@media (prefers-color-scheme: dark)" in (style.text or "")
