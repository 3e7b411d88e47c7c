"""Power and heat: supplies and batteries, how the processor's frequency is governed, sleep, thermal zones and fans.

What a battery or sensor reads at the moment is measured, not state; so is what a battery still holds when full, which
shrinks with every charge. Whether a cable is plugged in is observed: it is no change of the machine.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aya.collect.collector import Collector
from aya.collect.linux._choice import chosen
from aya.host.reading import File, Files, Found
from aya.model import Facts, Json, Measurement

SUPPLY = "/sys/class/power_supply"
THERMAL = "/sys/class/thermal"
HWMON = "/sys/class/hwmon"
POLICY = "/sys/devices/system/cpu/cpufreq/policy*"
IDLE = "/sys/devices/system/cpu/cpuidle"

STATIC = ("type", "scope", "manufacturer", "model_name", "serial_number", "technology", "voltage_min_design")
DESIGN = ("energy_full_design", "charge_full_design")
MOVING = (
    "online",
    "status",
    "capacity",
    "energy_full",
    "energy_now",
    "charge_full",
    "charge_now",
    "cycle_count",
    "power_now",
)

SLEEP_STATES = {"freeze": "suspend-to-idle", "standby": "standby", "mem": "suspend", "disk": "hibernate"}
"""`/sys/power/state`, in words."""


def parse(found: Found) -> Facts:
    """`metadata.power`, and what sensors and batteries read now."""
    names = sorted({path.split("/")[-2] for path, _ in found.matches(f"{SUPPLY}/*/type")})
    supplies = {name: {key: found.line(f"{SUPPLY}/{name}/{key}") for key in STATIC + DESIGN + MOVING} for name in names}
    # A battery of scope Device is a mouse's or a pen's.
    own = {name: values for name, values in supplies.items() if values["scope"] != "Device"}
    batteries = {name: values for name, values in own.items() if values["type"] == "Battery"}
    governing: dict[str, Json] = {
        "driver": _all(found, f"{POLICY}/scaling_driver"),
        "governor": _all(found, f"{POLICY}/scaling_governor"),
        "energy_preference": _all(found, f"{POLICY}/energy_performance_preference"),
        "boost": _boost(found),
        "idle_driver": _unless_none(found.line(f"{IDLE}/current_driver")),
        "idle_governor": found.line(f"{IDLE}/current_governor") or found.line(f"{IDLE}/current_governor_ro"),
    }
    power: dict[str, Json] = {
        "supplies": [_supply(name, values) for name, values in own.items()],
        "battery": bool(batteries) if own else None,
        "cpu": governing,
        "profile": found.line("/sys/firmware/acpi/platform_profile"),
        "sleep_states": [SLEEP_STATES.get(word, word) for word in (found.text("/sys/power/state") or "").split()],
        "suspend_mode": chosen(found.text("/sys/power/mem_sleep")),
        "thermal_zones": _zones(found),
        "cooling_devices": _cooling(found),
        "fans": _fans(found),
    }
    observed: dict[str, Json] = {}
    if source := _source(own):
        observed["source"] = source
    if batteries:
        observed["batteries"] = [
            {"name": name, "percent": _int(values["capacity"]), "status": values["status"]}
            for name, values in batteries.items()
        ]
    return Facts(
        metadata={"power": power},
        observed={"power": observed} if observed else {},
        measurements=(*_battery_numbers(batteries), *_sensor_numbers(found)),
    )


# --- supplies


def _supply(name: str, values: Mapping[str, str | None]) -> dict[str, Json]:
    return {
        "name": name,
        "type": values["type"],
        "manufacturer": values["manufacturer"],
        "model": values["model_name"],
        "serial_number": values["serial_number"],
        "technology": _unless_none(values["technology"], "Unknown"),
        "design_mwh": _design_mwh(values),
    }


def _design_mwh(values: Mapping[str, str | None]) -> int | None:
    """What a new battery of this kind holds; some count charge, which its nominal voltage makes energy."""
    energy, charge = _int(values["energy_full_design"]), _int(values["charge_full_design"])
    voltage = _int(values["voltage_min_design"])
    if energy:
        return energy // 1000
    return charge * voltage // 1_000_000_000 if charge and voltage else None


def _source(supplies: Mapping[str, Mapping[str, str | None]]) -> str | None:
    """`ac`, `battery`, or None where nothing tells."""
    outside = [values["online"] for values in supplies.values() if values["type"] != "Battery"]
    if "1" in outside:
        return "ac"
    batteries = [values["status"] for values in supplies.values() if values["type"] == "Battery"]
    return "battery" if "Discharging" in batteries else None


def _battery_numbers(batteries: Mapping[str, Mapping[str, str | None]]) -> Iterable[Measurement]:
    for name, values in batteries.items():
        design = _int(values["energy_full_design"]) or _int(values["charge_full_design"])
        full = _int(values["energy_full"]) or _int(values["charge_full"])
        numbers = {
            "battery_level": (_int(values["capacity"]), "%"),
            "battery_cycles": (_int(values["cycle_count"]) or None, "cycles"),
            "battery_health": (full * 100 // design if full and design else None, "%"),
        }
        for kind, (value, unit) in numbers.items():
            if value is not None:
                yield Measurement(
                    category="power", name=kind, value=Decimal(value), unit=unit, conditions={"battery": name}
                )


# --- heat


def _zones(found: Found) -> list[dict[str, Json]]:
    zones = []
    for path, kind in found.matches(f"{THERMAL}/thermal_zone*/type"):
        folder = path.removesuffix("/type")
        trips = [
            {"type": found.line(at), "millidegrees": limit}
            for at, text in found.matches(f"{folder}/trip_point_*_type")
            # Drivers give -274000 and the like for "not set".
            if (limit := _int(found.line(at.removesuffix("_type") + "_temp"))) and limit > 0 and text
        ]
        trips.sort(key=lambda trip: (trip["millidegrees"], trip["type"]))
        zones.append((_index(folder), {"zone": folder.rpartition("/")[2], "type": kind.strip(), "trip_points": trips}))
    return [zone for _, zone in sorted(zones, key=lambda item: item[0])]


def _cooling(found: Found) -> list[dict[str, Json]]:
    devices = []
    for path, kind in found.matches(f"{THERMAL}/cooling_device*/type"):
        folder = path.removesuffix("/type")
        highest = _int(found.line(f"{folder}/max_state"))
        devices.append(
            (_index(folder), {"device": folder.rpartition("/")[2], "type": kind.strip(), "max_state": highest})
        )
    return [device for _, device in sorted(devices, key=lambda item: item[0])]


def _fans(found: Found) -> list[dict[str, Json]]:
    fans = [
        {"sensor": found.line(f"{path.rpartition('/')[0]}/name"), "name": _label(found, path)}
        for path, _ in found.matches(f"{HWMON}/hwmon*/fan*_input")
    ]
    return sorted(fans, key=lambda fan: (fan["sensor"] or "", fan["name"]))


def _sensor_numbers(found: Found) -> Iterable[Measurement]:
    for path, text in found.matches(f"{THERMAL}/thermal_zone*/temp"):
        folder = path.removesuffix("/temp")
        where = {"zone": folder.rpartition("/")[2], "type": found.line(f"{folder}/type")}
        yield from _reading("temperature", text, 1000, "°C", where)
    for pattern, name, divisor, unit in (
        ("temp*_input", "temperature", 1000, "°C"),
        ("fan*_input", "fan_speed", 1, "rpm"),
        ("power*_average", "power", 1_000_000, "W"),
        ("power*_input", "power", 1_000_000, "W"),
    ):
        for path, text in found.matches(f"{HWMON}/hwmon*/{pattern}"):
            where = {"sensor": found.line(f"{path.rpartition('/')[0]}/name"), "name": _label(found, path)}
            yield from _reading(name, text, divisor, unit, where)


def _reading(name: str, text: str, divisor: int, unit: str, where: dict[str, Json]) -> Iterable[Measurement]:
    value = _int(text.strip())
    if value is not None:
        yield Measurement(category="power", name=name, value=Decimal(value) / divisor, unit=unit, conditions=where)


def _label(found: Found, path: str) -> str:
    """What the driver calls a sensor, else its number: `Package id 0`, `temp1`."""
    channel = path.rpartition("_")[0]
    return found.line(f"{channel}_label") or channel.rpartition("/")[2]


# --- small things


def _all(found: Found, pattern: str) -> str | None:
    """The value that all processors have; several are joined."""
    return " + ".join(sorted({text.strip() for _, text in found.matches(pattern)} - {""})) or None


def _boost(found: Found) -> bool | None:
    """Whether the processor may go beyond its nominal frequency."""
    if (no_turbo := found.line("/sys/devices/system/cpu/intel_pstate/no_turbo")) is not None:
        return {"0": True, "1": False}.get(no_turbo)
    return {"1": True, "0": False}.get(found.line("/sys/devices/system/cpu/cpufreq/boost") or "")


def _unless_none(text: str | None, *fillers: str) -> str | None:
    return None if text in ("none", *fillers) else text


def _int(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,15}", text) else None


def _index(folder: str) -> int:
    number = re.search(r"(\d{1,9})$", folder)
    return int(number[1]) if number else -1


collector = Collector(
    reads=(
        *(Files(f"{SUPPLY}/*/{name}") for name in ("type", "scope", "technology", "voltage_min_design", *DESIGN)),
        *(
            Files(f"{SUPPLY}/*/{name}", optional=True)
            for name in ("manufacturer", "model_name", "serial_number", *MOVING)
        ),
        *(Files(f"{POLICY}/{name}") for name in ("scaling_driver", "scaling_governor")),
        Files(f"{POLICY}/energy_performance_preference", optional=True),
        File("/sys/devices/system/cpu/intel_pstate/no_turbo", optional=True),
        File("/sys/devices/system/cpu/cpufreq/boost", optional=True),
        File(f"{IDLE}/current_driver"),
        File(f"{IDLE}/current_governor", optional=True),
        File(f"{IDLE}/current_governor_ro", optional=True),
        File("/sys/firmware/acpi/platform_profile"),
        File("/sys/power/state"),
        File("/sys/power/mem_sleep"),
        Files(f"{THERMAL}/thermal_zone*/type"),
        Files(f"{THERMAL}/thermal_zone*/temp", optional=True),
        Files(f"{THERMAL}/thermal_zone*/trip_point_*_type"),
        Files(f"{THERMAL}/thermal_zone*/trip_point_*_temp"),
        Files(f"{THERMAL}/cooling_device*/type"),
        Files(f"{THERMAL}/cooling_device*/max_state"),
        Files(f"{HWMON}/hwmon*/name"),
        *(
            Files(f"{HWMON}/hwmon*/{kind}*_{end}", optional=True)
            for kind in ("temp", "fan")
            for end in ("input", "label")
        ),
        *(Files(f"{HWMON}/hwmon*/power*_{end}", optional=True) for end in ("average", "input", "label")),
    ),
    parse=parse,
    metadata={
        "power.supplies[].name": "the kernel's name of the supply: AC, BAT0",
        "power.supplies[].type": "Mains, Battery, UPS, USB",
        "power.supplies[].manufacturer": "who made it",
        "power.supplies[].model": "its model",
        "power.supplies[].serial_number": "its serial number",
        "power.supplies[].technology": "chemistry of the battery: Li-ion, Li-poly",
        "power.supplies[].design_mwh": "what it holds when new, milliwatt-hours",
        "power.battery": "whether the machine has a battery; null where it shows no supply at all",
        "power.cpu.driver": "what sets the processor's frequency",
        "power.cpu.governor": "by which rule",
        "power.cpu.energy_preference": "what the hardware is told to prefer: performance, balance_power, ...",
        "power.cpu.boost": "whether it may go beyond its nominal frequency",
        "power.cpu.idle_driver": "what puts idle processors to rest",
        "power.cpu.idle_governor": "by which rule",
        "power.profile": "the firmware's profile: balanced, performance, low-power",
        "power.sleep_states": "how the machine can sleep: suspend-to-idle, standby, suspend, hibernate",
        "power.suspend_mode": "what suspend does: s2idle, shallow or deep",
        "power.thermal_zones[].zone": "the kernel's name of the zone",
        "power.thermal_zones[].type": "what is measured: x86_pkg_temp, acpitz",
        "power.thermal_zones[].trip_points[].type": "what happens there: passive, active, hot, critical",
        "power.thermal_zones[].trip_points[].millidegrees": "temperature, thousandths of a degree Celsius",
        "power.cooling_devices[].device": "the kernel's name of the device",
        "power.cooling_devices[].type": "what cools: Processor, Fan, intel_powerclamp",
        "power.cooling_devices[].max_state": "its highest step",
        "power.fans[].sensor": "the chip that watches the fan",
        "power.fans[].name": "the fan's name, else its number",
        "observed.power.source": "what feeds the machine at the last look: ac or battery",
        "observed.power.batteries[].name": "the battery",
        "observed.power.batteries[].percent": "what it holds, percent of full",
        "observed.power.batteries[].status": "Charging, Discharging, Full, Not charging",
    },
    measures={
        "power.temperature": "°C: of a thermal zone or sensor",
        "power.fan_speed": "rpm: of a fan",
        "power.power": "W: drawn at a sensor",
        "power.battery_level": "%: of what the battery holds when full",
        "power.battery_health": "%: what it holds when full, of what it held when new",
        "power.battery_cycles": "cycles: how often it was charged",
    },
)
