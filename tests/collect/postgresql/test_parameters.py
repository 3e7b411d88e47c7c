"""The settings of real servers against a list of PostgreSQL's parameters that others keep: names, types, units, limits.

The other recordings of PostgreSQL that are published are answers to queries of another program: nothing here asks them.
"""

from decimal import Decimal
from typing import Any

import pytest

from aya.model import Setting
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import collected
from tests.conftest import SHARED

LIST = SHARED / "fixtures/postgres/patroni-guc-list/available_parameters-0_postgres.yml"
TYPES = {"Bool": "bool", "EnumBool": "enum", "Enum": "enum", "Integer": "integer", "Real": "real", "String": "string"}


@pytest.fixture(scope="session")
def parameters() -> dict[str, list[dict[str, Any]]]:
    """Name -> what holds in which versions."""
    if not LIST.is_file():
        pytest.skip(f"the list of parameters is not at {LIST}")
    yaml = pytest.importorskip("yaml")
    listed: dict[str, list[dict[str, Any]]] = yaml.safe_load(LIST.read_text())["parameters"]
    return listed


def test_settings_have_the_type_the_unit_and_the_limits_that_others_list(
    cluster: Cluster, parameters: dict[str, list[dict[str, Any]]]
) -> None:
    version = int(cluster.run("SHOW server_version_num")[0][0])
    settings = {setting.setting_name: setting for setting in collected("settings", cluster).settings}
    wrong, compared = [], 0
    for name, ranges in parameters.items():
        valid = [one for one in ranges if one["version_from"] <= version < one.get("version_till", version + 1)]
        if len(valid) == 1 and name in settings:
            compared += 1
            wrong += differences(valid[0], settings[name])
    # A server is built without some of them: of other systems, of libraries it lacks.
    assert compared > 300
    assert wrong == []


def differences(listed: dict[str, Any], setting: Setting) -> list[str]:
    about = setting.metadata
    told: dict[str, Any] = {"type": about["vartype"], "unit": setting.setting_unit}
    expected: dict[str, Any] = {"type": TYPES[listed["type"]], "unit": listed.get("unit")}
    for key, limit in (("minimum", "min_val"), ("maximum", "max_val")):
        if limit in listed:
            told[key], expected[key] = Decimal(about[key]), Decimal(str(listed[limit]))
    return [
        f"{setting.setting_name}: {key} {told[key]!r} instead of {expected[key]!r}"
        for key in told
        if told[key] != expected[key]
    ]
