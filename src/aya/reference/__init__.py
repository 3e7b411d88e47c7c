"""What vendors publish: chips, graphics processors, versions of operating systems; each figure with its source."""

from aya.reference.chip import Chip, CoreClass, chip, chips, similar, variants
from aya.reference.expectation import Expectation, expectations
from aya.reference.operating_system import OperatingSystem, operating_system, operating_systems

__all__ = [
    "Chip",
    "CoreClass",
    "Expectation",
    "OperatingSystem",
    "chip",
    "chips",
    "expectations",
    "operating_system",
    "operating_systems",
    "similar",
    "variants",
]
