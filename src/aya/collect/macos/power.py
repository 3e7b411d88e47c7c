"""Power and heat: supplies and batteries, when the machine sleeps, whether it starts again after a power loss.

Sources: `pmset` (`-g custom`, `-g batt`, `-g therm`), `system_profiler SPPowerDataType` (JSON, property list, text), and
the registry's `AppleSmartBattery`. A Mac that serves others should not sleep: its timers are state, by the source of
power they apply to, and so is whether it starts again after a power loss.

What a battery holds, and by how much heat slows the processor down, is measured. macOS tells no temperatures.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import integer
from aya.collect.macos import _ioreg, _system_profiler
from aya.collect.macos._ioreg import Properties
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Command, Found, Read
from aya.model import Facts, Gap, Json, Measurement

POWER = "SPPowerDataType"
CUSTOM = "pmset -g custom"
BATTERY = "AppleSmartBattery"

SOURCES = {"AC Power": "ac", "Battery Power": "battery", "UPS Power": "ups"}

TIMERS: Mapping[str, tuple[str, ...]] = {
    "system_sleep_minutes": ("sleep", "System Sleep Timer (Minutes)", "System Sleep Timer"),
    "display_sleep_minutes": ("displaysleep", "Display Sleep Timer (Minutes)", "Display Sleep Timer"),
    "disk_sleep_minutes": ("disksleep", "Disk Sleep Timer (Minutes)", "Disk Sleep Timer"),
    "hibernate_mode": ("hibernatemode", "Hibernate Mode"),
}
SWITCHES: Mapping[str, tuple[str, ...]] = {
    "restart_after_power_loss": ("autorestart", "Automatic Restart on Power Loss", "RestartAfterPowerLoss"),
    "wake_on_network": ("womp", "Wake on LAN"),
    "power_nap": ("powernap", "DarkWakeBackgroundTasks"),
    "standby": ("standby", "Standby Enabled"),
    "auto_power_off": ("autopoweroff", "AutoPowerOff Enabled"),
    "low_power_mode": ("lowpowermode", "LowPowerMode"),
    "high_power_mode": ("highpowermode", "HighPowerMode"),
    "tcp_keep_alive": ("tcpkeepalive", "TCPKeepAlivePref"),
}
"""Settings: what `pmset` calls them, and what system_profiler does."""

KNOWN = ("sppower_ups_installed", "UPS Installed", "sppower_battery_charger_connected", "Cycle Count")
HEALTH = ("sppower_battery_health_info", "Health Information")
CHARGE = ("sppower_battery_charge_info", "Charge Information")
MODEL = ("sppower_battery_model_info", "Model Information")


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer."""
    others: tuple[Read, ...] = () if _pmset(found.text(CUSTOM) or "") else (Command(("pmset", "-g"), optional=True),)
    return others + _system_profiler.alternatives(found, POWER) + _ioreg.alternatives(found, BATTERY)


def parse(found: Found) -> Facts:
    """`metadata.power`, and what batteries hold and heat does now."""
    described = _system_profiler.section(found, POWER)
    things = [*described.walk()] if described is not None else []
    registered = next(iter(_ioreg.objects(found, BATTERY)), {})
    drawing = found.text("pmset -g batt") or ""
    battery = _battery(things, registered)
    source = _source(drawing, things)
    settings = _pmset(found.text(CUSTOM) or "") or _listed(things) or _in_use(asked(found, "pmset -g"), source)
    understood = any(thing.name in SOURCES or thing.get(*KNOWN) or thing.item(*HEALTH).values for thing in things)
    known = bool(understood or registered or drawing)
    power: dict[str, Json] = {
        "supplies": [battery] if battery else [],
        "battery": bool(battery or "InternalBattery" in drawing) if known else None,
        "ups": _ups(things, drawing),
        "settings": settings,
    }
    heat = _heat(found.text("pmset -g therm") or "")
    batteries = _held(drawing, things)
    observed: dict[str, Json] = {}
    if source:
        observed["source"] = source
    if batteries:
        observed["batteries"] = batteries
    if charger := _charger(things):
        observed["charger"] = charger
    if heat:
        observed["thermal"] = heat
    return Facts(
        metadata={"power": power},
        observed={"power": observed} if observed else {},
        measurements=(*_battery_numbers(things, registered, batteries), *_heat_numbers(heat)),
        gaps=tuple(_gaps(found, described, understood, bool(known or settings or heat))),
    )


def _gaps(found: Found, described: Item | None, understood: bool, known: bool) -> Iterable[Gap]:
    if described is None and not known:
        yield _system_profiler.gap(found, POWER)
    elif described is not None and described.items and not understood:
        yield _system_profiler.not_understood(POWER)


# --- settings


def _pmset(text: str) -> list[dict[str, Json]]:
    """`pmset -g custom`: the settings under each source of power."""
    settings = []
    for title, block in re.findall(r"^(\w[\w ]*):[ \t\r]*\n((?:[ \t].*(?:\n|$))*)", text, re.MULTILINE):
        if title in SOURCES:
            pairs = re.findall(r"^[ \t]+(\S+(?: \S+)*?)[ \t]+(-?\d+)\b", block, re.MULTILINE)
            settings.append(_settings(SOURCES[title], Item(values={name.lower(): value for name, value in pairs})))
    return settings


def _in_use(text: str, source: str | None) -> list[dict[str, Json]]:
    """`pmset -g`: the settings in use, which are those of the source that feeds the machine; a star is at it."""
    marked = re.search(r"^(AC Power|Battery Power|UPS Power)[ \t]+-?\d+\*", text, re.MULTILINE)
    source = SOURCES[marked[1]] if marked else source
    settings = _pmset(re.sub(r"^Currently in use:", "AC Power:", text, flags=re.MULTILINE))
    return [setting | {"source": source} for setting in settings[:1]] if source else []


def _listed(things: Iterable[Item]) -> list[dict[str, Json]]:
    """The same as system_profiler lists them."""
    return [_settings(SOURCES[thing.name], thing) for thing in things if thing.name in SOURCES and thing.values]


def _settings(source: str, item: Item) -> dict[str, Json]:
    timers = {key: item.number(*names) for key, names in TIMERS.items()}
    switches = {key: item.flag(*names) for key, names in SWITCHES.items()}
    if (mode := item.number("powermode")) is not None:  # newer systems: 0 automatic, 1 low, 2 high
        switches |= {"low_power_mode": mode == 1, "high_power_mode": mode == 2}
    return {"source": source} | timers | switches


# --- supplies


def _charger(things: Iterable[Item]) -> dict[str, Json] | None:
    """The charger of a notebook, while it is connected."""
    charger = next((thing for thing in things if thing.flag("sppower_battery_charger_connected", "Connected")), None)
    if charger is None:
        return None
    return {
        "name": charger.get("sppower_ac_charger_name", "Name"),
        "manufacturer": charger.get("sppower_ac_charger_manufacturer", "Manufacturer"),
        "serial_number": charger.get("sppower_ac_charger_serial_number", "Serial Number"),
        "watts": charger.number("sppower_ac_charger_watts", "Wattage (W)"),
    }


def _battery(things: list[Item], registered: Properties) -> dict[str, Json] | None:
    information = next((thing for thing in things if thing.item(*HEALTH).values or thing.item(*MODEL).values), None)
    if information is None and not (registered.get("BatteryInstalled") or integer(registered.get("DesignCapacity"))):
        return None
    item = information or Item()
    model = item.item(*MODEL)
    return {
        "name": "InternalBattery",
        "type": "Battery",
        "manufacturer": model.get("sppower_battery_manufacturer", "Manufacturer")
        or _ioreg.letters(registered.get("Manufacturer")),
        "model": model.get("sppower_battery_device_name", "Device Name")
        or _ioreg.letters(registered.get("DeviceName")),
        "serial_number": model.get("sppower_battery_serial_number", "Serial Number")
        or _ioreg.letters(registered.get("BatterySerialNumber") or registered.get("Serial")),
        "condition": item.item(*HEALTH).get("sppower_battery_health", "Condition"),
        "design_mah": integer(registered.get("DesignCapacity")) or None,
    }


def _ups(things: Iterable[Item], drawing: str) -> bool | None:
    if re.search(r"^ -(?!InternalBattery)", drawing, re.MULTILINE) or "'UPS Power'" in drawing:
        return True
    names = ("sppower_ups_installed", "UPS Installed")
    return next((flag for thing in things if (flag := thing.flag(*names)) is not None), False if drawing else None)


# --- what is now


def _source(drawing: str, things: Iterable[Item]) -> str | None:
    """What feeds the machine: ac, battery or ups."""
    said = re.search(r"drawing from '([\w ]+)'", drawing)
    if said:
        return SOURCES.get(said[1])
    current = (thing.name for thing in things if thing.name in SOURCES and thing.flag("Current Power Source"))
    return next((SOURCES[name] for name in current), None)


def _held(drawing: str, things: Iterable[Item]) -> list[dict[str, Json]]:
    """` -InternalBattery-0 (id=4063331)	100%; charged; 0:00 remaining present: true`."""
    lines = re.findall(r"^ -(\S[^\t\n]*?)(?: \(id=\d+\))?\s+(\d{1,3})%; ([^;\n]+)", drawing, re.MULTILINE)
    if lines:
        return [
            {"name": name, "percent": int(held), "status": said.partition(" present:")[0].strip()}
            for name, held, said in lines
            if int(held) <= 100
        ]
    for thing in things:
        charge = thing.item(*CHARGE)
        if charge.values:
            return [{"name": "InternalBattery", "percent": _percent(charge), "status": _status(charge)}]
    return []


def _percent(charge: Item) -> int | None:
    held = charge.number("sppower_battery_state_of_charge", "State of Charge (%)")
    if held is None:
        now, full = _capacity(charge)
        held = now * 100 // full if now is not None and full else None
    return held if held is not None and 0 <= held <= 100 else None


def _capacity(charge: Item) -> tuple[int | None, int | None]:
    return (
        charge.number("sppower_battery_current_capacity", "Charge Remaining (mAh)", "Charge remaining (mAh)"),
        charge.number("sppower_battery_max_capacity", "Full Charge Capacity (mAh)", "Full charge capacity (mAh)"),
    )


def _status(charge: Item) -> str | None:
    """charged, charging, or neither."""
    if charge.flag("sppower_battery_fully_charged", "Fully Charged"):
        return "charged"
    charging = charge.flag("sppower_battery_is_charging", "Charging")
    return None if charging is None else "charging" if charging else "not charging"


def _heat(text: str) -> dict[str, Json]:
    """`CPU_Speed_Limit = 28`; "No thermal warning level has been recorded" on a Mac that was never too hot."""
    limits = {name: int(value) for name, value in re.findall(r"\b(CPU_\w+)\s*=\s*(\d{1,4})\b", text)}
    level = re.search(r"[Tt]hermal [Ww]arning [Ll]evel\D{0,20}(\d{1,3})", text)
    heat: dict[str, Json] = {
        "speed_limit_percent": limits.get("CPU_Speed_Limit"),
        "scheduler_limit_percent": limits.get("CPU_Scheduler_Limit"),
        "available_cpus": limits.get("CPU_Available_CPUs"),
        "warning_level": int(level[1]) if level else 0 if "No thermal warning level" in text else None,
    }
    return heat if any(value is not None for value in heat.values()) else {}


def _heat_numbers(heat: Mapping[str, Json]) -> Iterable[Measurement]:
    for name in ("speed_limit", "scheduler_limit"):
        value = heat.get(f"{name}_percent")
        if value is not None:
            yield Measurement(category="power", name=name, value=Decimal(value), unit="%")


def _battery_numbers(
    things: Iterable[Item], registered: Properties, batteries: Iterable[Mapping[str, Json]]
) -> Iterable[Measurement]:
    health = next((item for thing in things if (item := thing.item(*HEALTH)).values), Item())
    cycles = health.number("sppower_battery_cycle_count", "Cycle Count")
    if cycles is None:
        cycles = integer(registered.get("CycleCount"))
    stated = re.match(r"(\d{1,3})\s?%", health.get("sppower_battery_health_maximum_capacity", "Maximum Capacity") or "")
    design = integer(registered.get("DesignCapacity"))
    # MaxCapacity is in percent on Apple's chips.
    full = integer(registered.get("NominalChargeCapacity")) or integer(registered.get("AppleRawMaxCapacity"))
    for battery in batteries:
        if battery["percent"] is not None:
            inside = str(battery["name"]).startswith("InternalBattery")
            of: dict[str, Json] = {"battery": "InternalBattery" if inside else battery["name"]}
            yield Measurement(
                category="power", name="battery_level", value=Decimal(battery["percent"]), unit="%", conditions=of
            )
    numbers = {
        "battery_cycles": (cycles, "cycles"),
        "battery_health": (int(stated[1]) if stated else full * 100 // design if full and design else None, "%"),
    }
    for name, (value, unit) in numbers.items():
        if value is not None and 0 <= value < 100_000:
            where: dict[str, Json] = {"battery": "InternalBattery"}
            yield Measurement(category="power", name=name, value=Decimal(value), unit=unit, conditions=where)


collector = Collector(
    reads=(
        Command(("pmset", "-g", "custom"), optional=True),
        Command(("pmset", "-g", "batt"), optional=True),
        Command(("pmset", "-g", "therm"), optional=True),
        _system_profiler.question(POWER),
        _ioreg.question(BATTERY),
    ),
    more=more,
    parse=parse,
    metadata={
        "power.supplies[].name": "InternalBattery",
        "power.supplies[].type": "Battery",
        "power.supplies[].manufacturer": "who made it",
        "power.supplies[].model": "its model",
        "power.supplies[].serial_number": "its serial number",
        "power.supplies[].condition": "what macOS thinks of the battery: Normal, Good, Service Recommended",
        "power.supplies[].design_mah": "what it holds when new, milliampere-hours",
        "power.battery": "whether the machine has a battery; null where nothing tells",
        "power.ups": "whether a UPS is connected that macOS knows of",
        "power.settings[].source": "the source of power they apply to: ac, battery, ups",
        "power.settings[].system_sleep_minutes": "idle minutes until the machine sleeps; 0: never",
        "power.settings[].display_sleep_minutes": "idle minutes until displays sleep; 0: never",
        "power.settings[].disk_sleep_minutes": "idle minutes until disks sleep; 0: never",
        "power.settings[].hibernate_mode": "0: memory stays on; 3: it is copied to disk as well; 25: to disk only",
        "power.settings[].restart_after_power_loss": "whether it starts by itself when power comes back",
        "power.settings[].wake_on_network": "whether it wakes when the network asks for it",
        "power.settings[].power_nap": "whether it works a little while it sleeps",
        "power.settings[].standby": "whether a long sleep becomes hibernation",
        "power.settings[].auto_power_off": "whether a long sleep turns it off",
        "power.settings[].low_power_mode": "whether it saves energy at the cost of speed",
        "power.settings[].high_power_mode": "whether it may run its fans faster for speed",
        "power.settings[].tcp_keep_alive": "whether connections are kept while it sleeps",
        "observed.power.source": "what feeds the machine at the last look: ac, battery or ups",
        "observed.power.batteries[].name": "the battery, or a UPS",
        "observed.power.batteries[].percent": "what it holds, percent of full",
        "observed.power.batteries[].status": "charged, charging, discharging, ...",
        "observed.power.charger.name": "the charger that is connected: 96W USB-C Power Adapter",
        "observed.power.charger.manufacturer": "who made it",
        "observed.power.charger.serial_number": "its serial number",
        "observed.power.charger.watts": "what it gives at most, watts",
        "observed.power.thermal.speed_limit_percent": "how fast the processor may run, percent; below 100: heat slows it",
        "observed.power.thermal.scheduler_limit_percent": "how much of its time it may be given, percent",
        "observed.power.thermal.available_cpus": "processors that may be used",
        "observed.power.thermal.warning_level": "how hot the machine is by its own count; 0: no warning",
    },
    measures={
        "power.battery_level": "%: of what the battery holds when full",
        "power.battery_health": "%: what it holds when full, of what it held when new",
        "power.battery_cycles": "cycles: how often it was charged",
        "power.speed_limit": "%: how fast the processor may run; below 100, heat slows it down",
        "power.scheduler_limit": "%: how much of its time the processor may be given",
    },
)
