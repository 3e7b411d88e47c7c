import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos.identification import collector
from aya.model import Outcome
from tests.collect.answers import refused
from tests.collect.macos.macs import LABELS, STUDIO, listed, profile, told, understood

HARDWARE = "SPHardwareDataType"
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


def text_of(overview: dict[str, str]) -> str:
    lines = "".join(f"      {LABELS[key]}: {value}\n" for key, value in overview.items())
    return f"Hardware:\n\n    Hardware Overview:\n\n{lines}\n"


def test_a_mac_studio_says_all_that_the_source_document_records_of_alpha() -> None:
    facts = understood(collector, profile(HARDWARE, {"_name": "hardware_overview", **STUDIO}))
    assert facts.node.model_name == "Mac Studio"
    assert facts.node.model_identifier == "Mac15,14"
    assert facts.node.model_number == "Z1CE0000AB/A"
    assert facts.node.serial_number == "X00R00AAAA"
    assert str(facts.node.hardware_uuid) == "11111111-2222-5333-a444-555555555555"
    identity = facts.metadata["identity"]
    assert identity["provisioning_udid"] == "00006032-000000000000001C"
    assert identity["activation_lock"] is True
    assert identity["firmware"]["version"] == "13822.1.2"
    assert identity["os_loader_version"] == "13822.1.2"
    assert identity["vendor"] == "Apple Inc."
    assert identity["unknown"] is None
    assert not facts.gaps


@given(
    st.fixed_dictionaries(dict.fromkeys(("machine_name", "model_number", "serial_number", "provisioning_UDID"), WORDS))
)
def test_json_property_list_and_text_say_the_same(changed: dict[str, str]) -> None:
    overview = STUDIO | changed | {"activation_lock_status": "activation_lock_disabled"}
    words = overview | {"activation_lock_status": "Disabled"}
    by_json = understood(collector, profile(HARDWARE, overview))
    assert understood(collector, listed(HARDWARE, overview)) == by_json
    assert understood(collector, told(HARDWARE, text_of(words))) == by_json
    assert understood(collector, told(HARDWARE, text_of(words).replace("\n", "\r\n"))) == by_json
    assert by_json.metadata["identity"]["activation_lock"] is False


@pytest.mark.parametrize(
    ("model", "chip", "kernel", "kind"),
    [
        ("VirtualMac2,1", "Apple M1 (Virtual)", "kern.hv_vmm_present: 1\n", "apple"),
        ("VMware7,1", "Intel", "kern.hv_vmm_present: 1\n", "vmware"),
        ("VMware20,1", "Intel", "", "vmware"),
        ("Parallels16,1", "Intel", "kern.hv_vmm_present: 1\n", "parallels"),
        ("iMac19,1", "Intel", "kern.hv_vmm_present: 1\n", "other"),
        ("Mac15,14", "Apple M3 Ultra", "kern.hv_vmm_present: 0\n", "none"),
        ("Mac15,14", "Apple M3 Ultra", "", None),
    ],
)
def test_a_virtual_machine_is_told_from_a_mac(model: str, chip: str, kernel: str, kind: str | None) -> None:
    overview = STUDIO | {"machine_model": model, "chip_type": chip}
    facts = understood(collector, profile(HARDWARE, overview) | {"sysctl kern": kernel})
    assert facts.metadata["identity"]["virtualization"]["kind"] == kind


def test_the_registry_helps_out_where_system_profiler_does_not_answer() -> None:
    platform = (
        "+-o J575dAP  <class IOPlatformExpertDevice, id 0x100000251, registered, matched, active, busy 0, retain 40>\n"
        "    {\n"
        '      "manufacturer" = <"Apple Inc.">\n'
        '      "model" = <"Mac15,14">\n'
        '      "IOPlatformSerialNumber" = "X00R00AAAA"\n'
        '      "IOPlatformUUID" = "11111111-2222-5333-A444-555555555555"\n'
        "    }\n"
    )
    given = {"ioreg -r -c IOPlatformExpertDevice": platform, "system_profiler -json SPHardwareDataType": refused()}
    facts = understood(collector, given)
    assert facts.node.serial_number == "X00R00AAAA"
    assert facts.node.model_identifier == "Mac15,14"
    assert str(facts.node.hardware_uuid) == "11111111-2222-5333-a444-555555555555"
    # The name people use is nowhere but in the overview.
    assert facts.node.model_name is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]


@pytest.mark.parametrize(
    "text",
    [
        "Matériel:\n\n    Aperçu du matériel:\n\n      Nom du modèle : Mac Studio\n      Puce : Apple M3 Ultra\n",
        "Hardware:\n\n    Hardware-Übersicht:\n\n      Modellname: Mac Studio\n      Modell-Identifizierung: Mac15,14\n",
    ],
)
def test_another_language_gives_nothing_and_says_so(text: str) -> None:
    facts = understood(collector, told(HARDWARE, text))
    assert facts.node.model_name is facts.node.serial_number is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]
    assert facts.metadata["identity"]["unknown"]


def test_what_a_newer_macos_says_is_kept_and_no_gap() -> None:
    facts = understood(collector, profile(HARDWARE, STUDIO | {"quantum_status": "entangled"}))
    assert facts.metadata["identity"]["unknown"] == "quantum_status: entangled"
    assert not facts.gaps


@pytest.mark.parametrize("serial", ["Not Available", "0", "000000000000", ""])
def test_a_filler_is_no_serial_number(serial: str) -> None:
    assert understood(collector, profile(HARDWARE, STUDIO | {"serial_number": serial})).node.serial_number is None


@pytest.mark.parametrize("data", [b"", b"{", b'{"SPHardwareDataType": 1}', b"\xff\xfe", b"[]", b"null", b"nonsense"])
def test_a_damaged_answer_is_a_gap(data: bytes) -> None:
    facts = understood(collector, {"system_profiler -json SPHardwareDataType": data})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_a_heading_whose_blanks_were_cut_away_has_what_stands_beside_it() -> None:
    text = (
        "Software:\n\nSystem Software Overview:\n\n  System Version: macOS 15.6.1 (24G90)\n\n"
        "Hardware:\n\nHardware Overview:\n\n  Model Name: Mac mini\n  Model Identifier: Mac16,11\n\nGraphics/Displays:\n"
    )
    node = understood(collector, {"system_profiler SPHardwareDataType": text}).node
    assert (node.model_name, node.model_identifier) == ("Mac mini", "Mac16,11")
