from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.power import collector
from aya.host.local import LocalHost
from aya.host.reading import Found
from aya.model import Facts
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

SUPPLY = "/sys/class/power_supply"
ZONE = "/sys/class/thermal/thermal_zone"
HWMON = "/sys/class/hwmon/hwmon0"


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats((facts.metadata, facts.observed)))
    return facts


def files(folder: str, **values: str) -> dict[str, str]:
    return {f"{folder}/{name}": f"{value}\n" for name, value in values.items()}


BATTERY = files(
    f"{SUPPLY}/BAT0",
    type="Battery",
    manufacturer="SANYO",
    model_name="45N1127",
    serial_number=" 1234",
    technology="Li-ion",
    energy_full_design="23200000",
    energy_full="18560000",
    capacity="87",
    cycle_count="214",
    status="Discharging",
)
MAINS = files(f"{SUPPLY}/AC", type="Mains", online="0")


def test_a_laptops_battery_is_described_and_its_charge_measured() -> None:
    facts = understood(BATTERY | MAINS)
    power = facts.metadata["power"]
    assert power["battery"] is True
    assert [supply["name"] for supply in power["supplies"]] == ["AC", "BAT0"]
    assert power["supplies"][1] == {
        "name": "BAT0",
        "type": "Battery",
        "manufacturer": "SANYO",
        "model": "45N1127",
        "serial_number": "1234",
        "technology": "Li-ion",
        "design_mwh": 23200,
    }
    assert {m.name: m.value for m in facts.measurements} == {
        "battery_level": 87,
        "battery_health": 80,
        "battery_cycles": 214,
    }


def test_plugging_a_cable_and_charging_change_no_state() -> None:
    before = understood(BATTERY | MAINS)
    after = understood(
        BATTERY | MAINS | files(f"{SUPPLY}/AC", online="1") | files(f"{SUPPLY}/BAT0", capacity="88", status="Charging")
    )
    assert before.metadata == after.metadata
    assert before.observed["power"]["source"] == "battery"
    assert after.observed["power"] == {
        "source": "ac",
        "batteries": [{"name": "BAT0", "percent": 88, "status": "Charging"}],
    }


def test_charge_becomes_energy_by_the_nominal_voltage() -> None:
    values = files(f"{SUPPLY}/BAT1", type="Battery", charge_full_design="4000000", voltage_min_design="11400000")
    assert understood(values).metadata["power"]["supplies"][0]["design_mwh"] == 45600


def test_the_battery_of_a_mouse_is_not_the_machines() -> None:
    facts = understood(files(f"{SUPPLY}/hidpp_battery_0", type="Battery", scope="Device", capacity="50"))
    assert facts.metadata["power"]["supplies"] == []
    assert facts.measurements == ()


def test_what_governs_the_processor_is_named() -> None:
    policy = "/sys/devices/system/cpu/cpufreq/policy"
    given = files(f"{policy}0", scaling_driver="intel_pstate", scaling_governor="powersave")
    given |= files(f"{policy}4", scaling_driver="intel_pstate", scaling_governor="performance")
    given |= {"/sys/devices/system/cpu/intel_pstate/no_turbo": "1\n"}
    cpu = understood(given).metadata["power"]["cpu"]
    assert (cpu["driver"], cpu["governor"], cpu["boost"]) == ("intel_pstate", "performance + powersave", False)


def test_sleep_is_named_in_words() -> None:
    power = understood({"/sys/power/state": "freeze mem disk\n", "/sys/power/mem_sleep": "s2idle [deep]\n"}).metadata[
        "power"
    ]
    assert power["sleep_states"] == ["suspend-to-idle", "suspend", "hibernate"]
    assert power["suspend_mode"] == "deep"


def test_zones_come_in_order_of_their_number_with_the_trip_points_that_are_set() -> None:
    given: dict[str, str] = {}
    for number in (0, 2, 10):
        given |= files(f"{ZONE}{number}", type=f"zone{number}", temp="45500")
    given |= files(f"{ZONE}2", trip_point_0_type="critical", trip_point_0_temp="100000")
    given |= files(f"{ZONE}2", trip_point_1_type="passive", trip_point_1_temp="95000")
    given |= files(f"{ZONE}2", trip_point_2_type="active", trip_point_2_temp="-274000")
    facts = understood(given)
    zones = facts.metadata["power"]["thermal_zones"]
    assert [zone["zone"] for zone in zones] == ["thermal_zone0", "thermal_zone2", "thermal_zone10"]
    assert zones[1]["trip_points"] == [
        {"type": "passive", "millidegrees": 95000},
        {"type": "critical", "millidegrees": 100000},
    ]
    assert {m.value for m in facts.measurements} == {Decimal("45.5")}
    assert "45500" not in str(facts.metadata)


def test_sensors_are_measured_by_the_drivers_names_for_them() -> None:
    given = files(HWMON, name="coretemp", temp1_input="41000", temp1_label="Package id 0", fan2_input="1180")
    facts = understood(given | files(HWMON, power1_input="12500000"))
    assert [(m.name, m.value, m.conditions) for m in facts.measurements] == [
        ("temperature", 41, {"sensor": "coretemp", "name": "Package id 0"}),
        ("fan_speed", 1180, {"sensor": "coretemp", "name": "fan2"}),
        ("power", Decimal("12.5"), {"sensor": "coretemp", "name": "power1"}),
    ]
    assert facts.metadata["power"]["fans"] == [{"sensor": "coretemp", "name": "fan2"}]


def test_a_machine_that_shows_nothing_is_not_said_to_have_no_battery() -> None:
    facts = understood({})
    assert facts.metadata["power"]["battery"] is None
    assert facts.gaps == ()


@given(st.text(max_size=40))
def test_garbage_is_survived(text: str) -> None:
    names = (
        "type",
        "scope",
        "technology",
        "capacity",
        "energy_full",
        "charge_full_design",
        "voltage_min_design",
        "online",
    )
    understood({f"{SUPPLY}/X/{name}": text for name in names})
    understood({f"{SUPPLY}/X/{name}": text for name in names} | {f"{SUPPLY}/X/type": "Battery"})
    understood({f"{ZONE}0/{name}": text for name in ("type", "temp", "trip_point_0_type", "trip_point_0_temp")})
    understood({f"{HWMON}/{name}": text for name in ("name", "temp1_input", "fan1_input", "power1_average")})
    understood({"/sys/power/state": text, "/sys/power/mem_sleep": text})


def live() -> Facts:
    return collector.parse(Found.of(LocalHost(), collector.reads))


def test_this_machine_is_as_psutil_and_its_files_say() -> None:
    facts = live()
    power = facts.metadata["power"]
    assert not undeclared(collector, facts)
    assert (psutil.sensors_battery() is not None) == bool(power["battery"])
    assert len(power["thermal_zones"]) == len(list(Path("/sys/class/thermal").glob("thermal_zone*")))
    state = Path("/sys/power/state")
    assert len(power["sleep_states"]) == (len(state.read_text().split()) if state.exists() else 0)


def test_two_looks_at_this_machine_find_equal_state() -> None:
    assert live().metadata == live().metadata
