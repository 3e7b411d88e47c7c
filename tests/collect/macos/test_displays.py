import pytest

from aya.collect.macos.displays import collector
from aya.model import Outcome
from tests.collect.macos.macs import listed, profile, told, understood

DISPLAYS = "SPDisplaysDataType"
CARD = {"_name": "Apple M3 Ultra", "sppci_model": "Apple M3 Ultra", "sppci_bus": "spdisplays_builtin"}
SAMSUNG = {
    "_name": "S32B80P",
    "_spdisplays_display-product-id": "7173",
    "_spdisplays_display-serial-number": "58504a30",
    "_spdisplays_display-vendor-id": "4c2d",
    "_spdisplays_display-year": "2023",
    "_spdisplays_pixels": "3840 x 2160",
    "_spdisplays_resolution": "1920 x 1080 @ 60.00Hz",
    "spdisplays_depth": "CGSThirtyBitColor",
    "spdisplays_main": "spdisplays_yes",
    "spdisplays_mirror": "spdisplays_off",
    "spdisplays_online": "spdisplays_yes",
    "spdisplays_pixelresolution": "spdisplays_2160p",
    "spdisplays_resolution": "1920 x 1080 @ 60.00Hz",
}
TEXT = """\
Graphics/Displays:

    Apple M3 Ultra:

      Chipset Model: Apple M3 Ultra
      Type: GPU
      Bus: Built-In
      Displays:
        S32B80P:
          Resolution: 3840 x 2160 (2160p/4K UHD 1 - Ultra High Definition)
          UI Looks like: 1920 x 1080 @ 60.00Hz
          Framebuffer Depth: 30-Bit Color (ARGB2101010)
          Main Display: Yes
          Mirror: Off
          Online: Yes
          Rotation: Supported
        Color LCD:
          Display Type: Built-in Liquid Retina XDR Display
          Resolution: 3456 x 2234 Retina
          Mirror: Off
          Online: Yes
          Connection Type: Internal
"""


def test_a_display_says_all_that_the_source_document_records_of_alpha() -> None:
    facts = understood(collector, profile(DISPLAYS, CARD | {"spdisplays_ndrvs": [SAMSUNG]}))
    (display,) = facts.metadata["displays"]
    assert (display["model"], display["manufacturer"]) == ("S32B80P", "Samsung")
    assert (display["resolution"], display["ui_resolution"], display["refresh_millihertz"]) == (
        "3840x2160",
        "1920x1080",
        60000,
    )
    assert (display["main"], display["mirror"], display["online"]) == (True, False, True)
    assert display["framebuffer_bits_per_color"] == 10
    assert (display["made_in"], display["serial_code"]) == (2023, 0x58504A30)
    assert understood(collector, listed(DISPLAYS, CARD | {"spdisplays_ndrvs": [SAMSUNG]})) == facts


def test_the_text_says_the_same() -> None:
    first, second = understood(collector, told(DISPLAYS, TEXT)).metadata["displays"]
    assert (first["resolution"], first["ui_resolution"], first["refresh_millihertz"]) == (
        "3840x2160",
        "1920x1080",
        60000,
    )
    assert (first["main"], first["framebuffer_bits_per_color"]) == (True, 10)
    # Only the main display says so.
    assert (second["resolution"], second["main"], second["built_in"]) == ("3456x2234", False, True)
    assert second["connection"] == "internal"


@pytest.mark.parametrize(
    ("own", "drawn", "looks", "resolution", "millihertz"),
    [
        ("spdisplays_2560x1600Retina", "2880 x 1800", "1440 x 900 @ 60.00Hz", "2560x1600", 60000),
        ("spdisplays_uwqhd", "3440 x 1440", "3440 x 1440 @ 59.94Hz", "3440x1440", 59940),
        ("6720 x 3780", "6720 x 3780", "3360 x 1890 @ 30.00Hz", "6720x3780", 30000),
        ("spdisplays_1080p", "1920 x 1080", "1920 x 1080 @ 120Hz", "1920x1080", 120000),
        ("spdisplays_1080p", "nonsense", "1920 x 1080", "1920x1080", None),
        ("", "", "", None, None),
    ],
)
def test_resolutions_in_all_their_words(
    own: str, drawn: str, looks: str, resolution: str | None, millihertz: int | None
) -> None:
    words = {"spdisplays_pixelresolution": own, "_spdisplays_pixels": drawn, "_spdisplays_resolution": looks}
    display = SAMSUNG | words | {"spdisplays_resolution": looks}
    (found,) = understood(collector, profile(DISPLAYS, CARD | {"spdisplays_ndrvs": [display]})).metadata["displays"]
    assert (found["resolution"], found["refresh_millihertz"]) == (resolution, millihertz)


def test_the_registry_adds_what_only_it_knows_to_the_display_with_the_same_number() -> None:
    def framebuffer(number: int, serial: str) -> str:
        product = f'"ProductName"="S32B80P","SerialNumber"={number},"AlphanumericSerialNumber"="{serial}","ManufacturerID"="SAM"'
        size = '"MaxHorizontalImageSize"=70,"MaxVerticalImageSize"=39'
        return (
            "+-o IOMobileFramebufferShim  <class IOMobileFramebufferShim, id 0x1, registered, matched, active>\n    {\n"
            f'      "DisplayAttributes" = {{"ProductAttributes"={{{product}}},{size},'
            '"NativeFormatHorizontalPixels"=3840,"NativeFormatVerticalPixels"=2160}\n    }\n'
        )

    registry = framebuffer(0x58504A30, "HCPX000001") + framebuffer(7, "HCPX000002")
    given = {"ioreg -r -c IOMobileFramebuffer": registry}
    (display,) = understood(collector, given | profile(DISPLAYS, CARD | {"spdisplays_ndrvs": [SAMSUNG]})).metadata[
        "displays"
    ]
    assert (display["serial_number"], display["width_mm"], display["height_mm"]) == ("HCPX000001", 700, 390)
    alone = understood(collector, given).metadata["displays"]
    assert [one["serial_number"] for one in alone] == ["HCPX000001", "HCPX000002"]


def test_no_display_is_no_gap_but_not_looking_is_one() -> None:
    assert understood(collector, profile(DISPLAYS, CARD)).absent
    silent = understood(collector, {})
    assert not silent.absent
    assert [gap.outcome for gap in silent.gaps] == [Outcome.UNSUPPORTED]


def test_another_language_is_not_taken_for_no_display() -> None:
    facts = understood(
        collector, told(DISPLAYS, "Grafik/Displays:\n\n    Apple M3:\n\n      Chipsatz-Modell: Apple M3\n")
    )
    assert not facts.absent
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_a_card_that_only_its_displays_tell_of_is_understood() -> None:
    card = {"_name": "Apple M4 Pro", "spdisplays_ndrvs": [{"_name": "Color LCD", "_spdisplays_pixels": "4112 x 2658"}]}
    facts = understood(collector, profile("SPDisplaysDataType", card))
    assert [display["model"] for display in facts.metadata["displays"]] == ["Color LCD"]
    assert not facts.gaps
