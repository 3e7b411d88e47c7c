from decimal import Decimal
from typing import Any

import pytest

from aya.collect.macos.power import collector
from aya.model import Outcome
from tests.collect.macos.macs import listed, profile, told, understood

POWER = "SPPowerDataType"
CUSTOM = """\
Battery Power:
 Sleep On Power Button 1
 lowpowermode         1
 standby              1
 hibernatemode        3
 hibernatefile        /var/vm/sleepimage
 displaysleep         2
 womp                 0
 sleep                1
 disksleep            10
AC Power:
 Sleep On Power Button 1
 autorestart          1
 lowpowermode         0
 standby              0
 hibernatemode        0
 hibernatefile        /var/vm/sleepimage
 displaysleep         10
 womp                 1
 sleep                0 (sleep prevented by powerd)
 disksleep            0
"""
BATTERY: tuple[dict[str, Any], ...] = (
    {
        "_name": "spbattery_information",
        "sppower_battery_charge_info": {
            "sppower_battery_at_warn_level": "FALSE",
            "sppower_battery_fully_charged": "FALSE",
            "sppower_battery_is_charging": "TRUE",
            "sppower_battery_state_of_charge": 81,
        },
        "sppower_battery_health_info": {
            "sppower_battery_cycle_count": 88,
            "sppower_battery_health": "Good",
            "sppower_battery_health_maximum_capacity": "83%",
        },
        "sppower_battery_model_info": {
            "sppower_battery_device_name": "bq40z651",
            "sppower_battery_serial_number": "F8Y0000000000000A",
        },
    },
    {
        "_name": "sppower_information",
        "AC Power": {
            "Current Power Source": "TRUE",
            "System Sleep Timer": 1,
            "Wake On LAN": "Yes",
            "Hibernate Mode": 3,
        },
        "Battery Power": {"System Sleep Timer": 5, "Hibernate Mode": 3},
    },
    {"_name": "sppower_hwconfig_information", "sppower_ups_installed": "FALSE"},
    {
        "_name": "sppower_ac_charger_information",
        "sppower_battery_charger_connected": "TRUE",
        "sppower_ac_charger_name": "96W USB-C Power Adapter",
        "sppower_ac_charger_watts": "96",
    },
)


def test_a_server_that_does_not_sleep_and_starts_again_after_a_power_loss() -> None:
    facts = understood(collector, {"pmset -g custom": CUSTOM, "pmset -g batt": "Now drawing from 'AC Power'\n"})
    settings = {one["source"]: one for one in facts.metadata["power"]["settings"]}
    assert (settings["ac"]["system_sleep_minutes"], settings["ac"]["restart_after_power_loss"]) == (0, True)
    assert (settings["ac"]["wake_on_network"], settings["ac"]["hibernate_mode"]) == (True, 0)
    assert (settings["battery"]["system_sleep_minutes"], settings["battery"]["low_power_mode"]) == (1, True)
    assert settings["battery"]["restart_after_power_loss"] is None
    assert facts.metadata["power"]["battery"] is False
    assert facts.observed["power"]["source"] == "ac"
    assert not facts.gaps


def test_a_notebook_in_json_and_as_a_property_list() -> None:
    facts = understood(collector, profile(POWER, *BATTERY))
    assert understood(collector, listed(POWER, *BATTERY)) == facts
    power = facts.metadata["power"]
    assert (power["battery"], power["ups"]) == (True, False)
    assert power["supplies"][0]["condition"] == "Good"
    assert [(one["source"], one["system_sleep_minutes"]) for one in power["settings"]] == [("ac", 1), ("battery", 5)]
    assert facts.observed["power"]["batteries"] == [{"name": "InternalBattery", "percent": 81, "status": "charging"}]
    assert facts.observed["power"]["charger"]["watts"] == 96
    numbers = {measurement.name: measurement.value for measurement in facts.measurements}
    assert numbers == {"battery_level": Decimal(81), "battery_cycles": Decimal(88), "battery_health": Decimal(83)}


def test_that_a_charger_is_plugged_in_is_no_change_of_the_machine() -> None:
    without = understood(collector, profile(POWER, *BATTERY[:3]))
    assert without.metadata == understood(collector, profile(POWER, *BATTERY)).metadata


@pytest.mark.parametrize(
    ("said", "source", "percent", "status"),
    [
        (
            "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t98%; discharging; 5:31 remaining\n",
            "battery",
            98,
            "discharging",
        ),
        (
            "Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true\n",
            "ac",
            100,
            "charged",
        ),
        (
            "Now drawing from 'UPS Power'\n -Back-UPS ES 700G FW:871.O4\t57%; discharging; 0:12 remaining\n",
            "ups",
            None,
            None,
        ),
    ],
)
def test_what_feeds_the_machine_now(said: str, source: str, percent: int | None, status: str | None) -> None:
    facts = understood(collector, {"pmset -g batt": said})
    assert facts.observed["power"]["source"] == source
    if percent is not None:
        assert facts.observed["power"]["batteries"] == [
            {"name": "InternalBattery-0", "percent": percent, "status": status}
        ]
    assert facts.metadata["power"]["ups"] is (source == "ups")


def test_the_settings_in_use_are_those_of_the_source_that_is_starred() -> None:
    profiles = "Active Profiles:\nBattery Power\t\t-1\nAC Power\t\t-1*\n"
    said = f"{profiles}Currently in use:\n standby              1\n sleep                15\n"
    (settings,) = understood(collector, {"pmset -g": said}).metadata["power"]["settings"]
    assert (settings["source"], settings["system_sleep_minutes"], settings["standby"]) == ("ac", 15, True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "Note: No thermal warning level has been recorded\nNote: No performance warning level has been recorded\n",
            {0: None},
        ),
        ("CPU_Scheduler_Limit \t= 100\n\tCPU_Available_CPUs \t= 8\n\tCPU_Speed_Limit \t= 100\n", {None: 100}),
        ("1\n\tCPU_Speed_Limit = 100\n2\n\tCPU_Speed_Limit = 28\n", {None: 28}),
        ("nothing of the kind\n", {}),
    ],
)
def test_what_heat_does_now(said: str, expected: dict[int | None, int | None]) -> None:
    facts = understood(collector, {"pmset -g therm": said})
    heat = facts.observed.get("power", {}).get("thermal")
    assert ({heat["warning_level"]: heat["speed_limit_percent"]} if heat else {}) == expected


def test_health_is_what_the_registry_counts_where_nothing_states_it() -> None:
    battery = (
        "+-o AppleSmartBattery  <class AppleSmartBattery, id 0x1, registered>\n    {\n"
        '      "BatteryInstalled" = Yes\n      "DesignCapacity" = 4629\n      "NominalChargeCapacity" = 4165\n'
        '      "CycleCount" = 201\n      "Serial" = "F8Y0000000000000A"\n      "DeviceName" = "bq20z451"\n    }\n'
    )
    facts = understood(collector, {"ioreg -r -c AppleSmartBattery": battery})
    (supply,) = facts.metadata["power"]["supplies"]
    assert (supply["serial_number"], supply["design_mah"], supply["model"]) == ("F8Y0000000000000A", 4629, "bq20z451")
    numbers = {measurement.name: measurement.value for measurement in facts.measurements}
    assert numbers == {"battery_cycles": Decimal(201), "battery_health": Decimal(89)}


def test_another_language_is_not_taken_for_a_mac_without_a_battery() -> None:
    text = "Alimentation:\n\n    Informations de la batterie:\n\n      Informations de santé:\n          Nombre de cycles : 88\n"
    facts = understood(collector, told(POWER, text))
    assert facts.metadata["power"]["battery"] is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]
    assert [gap.outcome for gap in understood(collector, {}).gaps] == [Outcome.UNSUPPORTED]


def test_the_charge_of_a_ups_is_its_own() -> None:
    drawing = (
        "Now drawing from 'UPS Power'\n"
        " -InternalBattery-0 (id=4063331)\t80%; AC attached; not charging present: true\n"
        " -Smart Tower 1500 FW:9.1 .D USB FW:7 (id=17)\t18%; discharging; 0:04 remaining present: true\n"
        " -Line Interactive (id=18) 95%; charging present: true\n"
    )
    facts = understood(collector, {"pmset -g batt": drawing})
    assert facts.observed["power"]["batteries"] == [
        {"name": "InternalBattery-0", "percent": 80, "status": "AC attached"},
        {"name": "Smart Tower 1500 FW:9.1 .D USB FW:7", "percent": 18, "status": "discharging"},
        {"name": "Line Interactive", "percent": 95, "status": "charging"},
    ]
    levels = {str(one.conditions["battery"]): one.value for one in facts.measurements if one.name == "battery_level"}
    assert levels == {"InternalBattery": 80, "Smart Tower 1500 FW:9.1 .D USB FW:7": 18, "Line Interactive": 95}


def test_the_power_mode_of_newer_systems_is_low_or_high() -> None:
    for mode, low, high in ((0, False, False), (1, True, False), (2, False, True)):
        facts = understood(collector, {"pmset -g custom": f"AC Power:\n powermode            {mode}\n sleep   0\n"})
        setting = facts.metadata["power"]["settings"][0]
        assert (setting["low_power_mode"], setting["high_power_mode"]) == (low, high)
