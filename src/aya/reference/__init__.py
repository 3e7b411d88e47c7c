"""What vendors publish: chips, graphics processors, versions of operating systems; each figure with its source."""

from aya.reference.chip import Chip, CoreClass, chip, chips, variants
from aya.reference.operating_system import OperatingSystem, operating_system, operating_systems

__all__ = [
    "Chip",
    "CoreClass",
    "OperatingSystem",
    "chip",
    "chips",
    "operating_system",
    "operating_systems",
    "variants",
]
