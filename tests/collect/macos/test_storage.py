"""Disks of a Mac Studio with its own SSD, one behind Thunderbolt, a USB stick and a disk image."""

import json
import plistlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos._disks import exact_bytes
from aya.collect.macos._mounts import mounts_in, usages_in
from aya.collect.macos.storage import collector
from aya.model import Facts, Outcome
from tests.collect.answers import Given, found, refused
from tests.collect.declared import floats, undeclared

LISTED = {
    "WholeDisks": ["disk0", "disk3", "disk4", "disk5", "disk6", "disk7"],
    "AllDisksAndPartitions": [
        {
            "DeviceIdentifier": "disk0",
            "Content": "GUID_partition_scheme",
            "Size": 1000555581440,
            "Partitions": [
                {"DeviceIdentifier": "disk0s1", "Content": "Apple_APFS_ISC", "Size": 524288000},
                {"DeviceIdentifier": "disk0s2", "Content": "Apple_APFS", "Size": 994662584320},
            ],
        },
        {
            "DeviceIdentifier": "disk3",
            "Content": "EF57347C-0000-11AA-AA11-00306543ECAC",
            "APFSPhysicalStores": [{"DeviceIdentifier": "disk0s2"}],
            "APFSVolumes": [{"DeviceIdentifier": "disk3s1", "VolumeName": "Macintosh HD"}],
            "Size": 994662584320,
        },
        {"DeviceIdentifier": "disk4", "Content": "GUID_partition_scheme", "Size": 4000787030016},
        {
            "DeviceIdentifier": "disk5",
            "APFSPhysicalStores": [{"DeviceIdentifier": "disk4s2"}],
            "Size": 4000000000000,
        },
        {"DeviceIdentifier": "disk6", "Content": "GUID_partition_scheme", "Size": 27774976},
        {"DeviceIdentifier": "disk7", "Content": "FDisk_partition_scheme", "Size": 32000000000},
    ],
}
INFO: dict[str, dict[str, Any]] = {
    "disk0": {
        "BusProtocol": "Apple Fabric",
        "Internal": True,
        "MediaName": "APPLE SSD AP1024Z",
        "RemovableMedia": False,
        "SMARTStatus": "Verified",
        "SolidState": True,
        "TotalSize": 1000555581440,
        "VirtualOrPhysical": "Unknown",
    },
    "disk4": {
        "BusProtocol": "PCI-Express",
        "Internal": False,
        "MediaName": "WD_BLACK SN850XE 4000GB",
        "RemovableMedia": False,
        "SMARTStatus": "Verified",
        "SolidState": True,
        "TotalSize": 4000787030016,
    },
    "disk6": {"BusProtocol": "Disk Image", "Internal": False, "MediaName": "Disk Image", "TotalSize": 27774976},
    "disk7": {
        "BusProtocol": "USB",
        "Internal": False,
        "MediaName": "Ultra",
        "RemovableMedia": True,
        "SMARTStatus": "Not Supported",
        "SolidState": False,
        "TotalSize": 32000000000,
    },
}
CONTAINERS = {
    "Containers": [
        {
            "ContainerReference": "disk3",
            "CapacityCeiling": 994662584320,
            "CapacityFree": 752420000000,
            "Fusion": False,
            "PhysicalStores": [{"DeviceIdentifier": "disk0s2", "Size": 994662584320}],
            "Volumes": [
                {
                    "DeviceIdentifier": "disk3s1",
                    "Name": "Macintosh HD",
                    "Roles": ["System"],
                    "FileVault": True,
                    "Encryption": True,
                    "Locked": False,
                    "CapacityQuota": 0,
                },
                {
                    "DeviceIdentifier": "disk3s5",
                    "Name": "Data",
                    "Roles": ["Data"],
                    "FileVault": True,
                    "Encryption": True,
                },
            ],
        }
    ]
}
MOUNT = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
/dev/disk5s1 on /Volumes/DATA (apfs, local, nodev, nosuid, journaled, noowners, mounted by arthur)
com.apple.TimeMachine.2025-10-01.backup@/dev/disk3s5 on /Volumes/.timemachine/x (apfs, local, read-only)
"""
DF = """\
Filesystem     1024-blocks      Used Available Capacity iused      ifree %iused  Mounted on
/dev/disk3s1s1   971350180  10931240 734785150     2%  404755 4294562524    0%   /
devfs                  210       210         0   100%     726          0  100%   /dev
/dev/disk5s1    3906250000  66000000 3840250000    2%   10000 9999999999    0%   /Volumes/DATA
"""
USB = {
    "_name": "USB31Bus",
    "_items": [
        {
            "_name": "SanDisk 3.2Gen1",
            "manufacturer": "USB",
            "serial_num": "0401",
            "bcd_device": "1.00",
            "Media": [{"_name": "Ultra", "bsd_name": "disk7", "size_in_bytes": 32000000000, "removable_media": "yes"}],
        }
    ],
}


def plist(value: Any) -> str:
    return plistlib.dumps(value).decode()


BETA: dict[str, Given] = {
    "diskutil list -plist": plist(LISTED),
    "diskutil apfs list -plist": plist(CONTAINERS),
    **{f"diskutil info -plist {name}": plist({"DeviceIdentifier": name} | told) for name, told in INFO.items()},
    "mount": MOUNT,
    "df -k": DF,
    "fdesetup status": "FileVault is On.\n",
    "system_profiler -json SPUSBDataType": json.dumps({"SPUSBDataType": [USB]}),
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def storage(facts: Facts) -> dict[str, Any]:
    whole: dict[str, Any] = facts.metadata["storage"]
    return whole


def test_only_what_is_a_disk_counts_and_each_once() -> None:
    facts = understood(BETA)
    assert [device["name"] for device in storage(facts)["devices"]] == ["disk0", "disk4", "disk7"]
    assert facts.node.storage_internal_tb == Decimal("1.000555581440")
    assert facts.node.storage_external_tb == Decimal("4.032787030016")
    assert facts.gaps == ()


def test_the_machine_s_own_disk_and_what_is_outside_are_told_apart() -> None:
    node = understood(BETA).node
    assert (node.storage_internal_device, node.storage_internal_type) == ("APPLE SSD AP1024Z", "NVMe SSD")
    assert node.storage_external_device == "WD_BLACK SN850XE 4000GB"
    disk = storage(understood(BETA))["devices"][1]
    assert (disk["protocol"], disk["transport"], disk["type"]) == ("PCI-Express", "thunderbolt", "Thunderbolt SSD")
    assert disk["smart"] == {"healthy": True}


def test_the_report_of_a_bus_adds_what_diskutil_does_not_know() -> None:
    stick = storage(understood(BETA))["devices"][2]
    assert (stick["serial"], stick["firmware"], stick["vendor"]) == ("0401", "1.00", "USB")
    assert (stick["removable"], stick["rotational"], stick["smart"]) == (True, None, None)


def test_containers_and_volumes_of_apfs_are_named_with_their_protection() -> None:
    told = storage(understood(BETA))
    assert told["layers"] == [
        {
            "name": "disk3",
            "kind": "apfs",
            "members": ["disk0s2"],
            "size_bytes": 994662584320,
            "degraded": None,
            "health": None,
        }
    ]
    system = told["volumes"][0]
    assert (system["name"], system["roles"], system["filevault"]) == ("Macintosh HD", ["System"], True)
    assert told["filevault"] is True
    assert understood(BETA).observed["containers"] == [{"container": "disk3", "free_bytes": 752420000000}]


def test_file_systems_are_places_for_files_without_whose_they_are() -> None:
    facts = understood(BETA)
    assert [one["mount"] for one in storage(facts)["filesystems"]] == ["/", "/System/Volumes/Data", "/Volumes/DATA"]
    data = storage(facts)["filesystems"][2]
    assert "mounted by arthur" not in data["options"]
    assert facts.observed["filesystems"][1] == {
        "mount": "/Volumes/DATA",
        "free_bytes": 3840250000 * 1024,
        "used_bytes": 66000000 * 1024,
    }


def test_a_card_is_outside_though_its_reader_is_built_in() -> None:
    card = {"DeviceIdentifier": "disk7", "BusProtocol": "Secure Digital", "Internal": True, "TotalSize": 64000000000}
    facts = understood(BETA | {"diskutil info -plist disk7": plist(card)})
    assert storage(facts)["devices"][2]["type"] == "SD card"
    assert storage(facts)["devices"][2]["external"] is True


def test_a_disk_that_would_not_tell_more_still_counts_with_its_listed_size() -> None:
    facts = understood(BETA | {"diskutil info -plist disk0": refused()})
    assert (facts.node.storage_internal_tb, facts.node.storage_external_tb) == (None, None)
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]
    assert [device["name"] for device in storage(facts)["devices"]] == ["disk0", "disk4", "disk7"]
    assert storage(facts)["devices"][0]["size_bytes"] == 1000555581440


def test_smartctl_speaks_for_a_disk_that_nothing_else_names() -> None:
    report = {
        "device": {"name": "IOService:/x", "type": "nvme", "protocol": "NVMe"},
        "model_name": "APPLE SSD AP0256Q",
        "smart_status": {"passed": True},
        "nvme_smart_health_information_log": {"percentage_used": 1},
    }
    facts = understood({"smartctl -j -a /dev/disk0": json.dumps(report)})
    assert facts.node.storage_internal_device == "APPLE SSD AP0256Q"
    assert facts.node.storage_internal_tb is None
    assert storage(facts)["devices"][0]["smart"] == {"healthy": True}
    assert [(one.name, int(one.value)) for one in facts.measurements] == [("wear_percent", 1)]


def test_the_text_of_diskutil_gives_the_disk_of_its_property_list() -> None:
    text = """\
   Device Identifier:         disk0
   Device Node:               /dev/disk0
   Whole:                     Yes
   Device / Media Name:       APPLE SSD AP1024Z
   Protocol:                  Apple Fabric
   SMART Status:              Verified
   Disk Size:                 1.0 TB (1000555581440 Bytes) (exactly 1954210120 512-Byte-Units)
   Device Location:           Internal
   Removable Media:           Fixed
   Solid State:               Yes
   Virtual:                   No
"""
    by_text = storage(understood({"diskutil info disk0": text}))["devices"]
    by_list = storage(understood({"diskutil info -plist disk0": BETA["diskutil info -plist disk0"]}))["devices"]
    assert by_text == by_list


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("160,04 GB (160\u00a0041\u00a0885\u00a0696 bytes)", 160041885696),
        ("494,38 Go (494\u202f384\u202f795\u202f648 octets)", 494384795648),
        ("500,28 GB (500.277.792.768 Byte)", 500277792768),
        ("1 TB (1,000,555,581,440 bytes)", 1000555581440),
        ("233.76 GB", None),
        ("Empty", None),
    ],
)
def test_a_size_is_exact_in_any_language_or_not_known(text: str, size: int | None) -> None:
    assert exact_bytes(text) == size


def test_the_text_of_the_list_names_disks_containers_and_volumes_but_no_sizes() -> None:
    text = """\
/dev/disk0 (internal, physical):
   #:                       TYPE NAME                    SIZE       IDENTIFIER
   0:      GUID_partition_scheme                        *1.0 TB     disk0
   1:             Apple_APFS_ISC Container disk2         524.3 MB   disk0s1
   2:                 Apple_APFS Container disk3         994.7 GB   disk0s2

/dev/disk3 (synthesized):
   #:                       TYPE NAME                    SIZE       IDENTIFIER
   0:      APFS Container Scheme -                      +994.7 GB   disk3
                                 Physical Store disk0s2
   1:                APFS Volume Macintosh HD            11.2 GB    disk3s1
   2:              APFS Snapshot com.apple.os.update-... 11.2 GB    disk3s1s1
   3:                APFS Volume Data                    200.0 GB   disk3s5

/dev/disk4 (external, physical):
   #:                       TYPE NAME                    SIZE       IDENTIFIER
   0:     FDisk_partition_scheme                        *32.0 GB    disk4
   1:       Microsoft Basic Data My Stick                32.0 GB    disk4s1

/dev/disk5 (disk image):
   #:                       TYPE NAME                    SIZE       IDENTIFIER
   0:      GUID_partition_scheme                        +27.8 MB    disk5
"""
    told = storage(facts := understood({"diskutil list": text}))
    assert [(one["name"], one["external"], one["size_text"]) for one in told["devices"]] == [
        ("disk0", False, "1.0 TB"),
        ("disk4", True, "32.0 GB"),
    ]
    assert [part["content"] for part in told["devices"][0]["partitions"]] == ["Apple_APFS_ISC", "Apple_APFS"]
    assert told["devices"][1]["partitions"][0]["content"] == "Microsoft Basic Data"
    assert [(layer["name"], layer["members"]) for layer in told["layers"]] == [("disk3", ["disk0s2"])]
    assert [(volume["name"], volume["device"]) for volume in told["volumes"]] == [
        ("Macintosh HD", "disk3s1"),
        ("Data", "disk3s5"),
    ]
    assert facts.node.storage_internal_tb is None


def test_two_reports_of_one_drive_are_one_disk_with_what_both_know() -> None:
    nvme = {
        "_name": "Generic SSD Controller",
        "_items": [
            {"_name": "WD_BLACK", "device_model": "WD_BLACK", "bsd_name": "disk4", "size_in_bytes": 4000787030016}
        ],
    }
    volume = {
        "_name": "DATA",
        "bsd_name": "disk5s1",
        "file_system": "APFS",
        "mount_point": "/Volumes/DATA",
        "physical_drive": {
            "device_name": "WD_BLACK",
            "is_internal_disk": "no",
            "medium_type": "ssd",
            "protocol": "PCI-Express",
            "smart_status": "Verified",
        },
    }
    facts = understood(
        {
            "system_profiler -json SPNVMeDataType": json.dumps({"SPNVMeDataType": [nvme]}),
            "system_profiler -json SPStorageDataType": json.dumps({"SPStorageDataType": [volume]}),
        }
    )
    (disk,) = storage(facts)["devices"]
    assert (disk["name"], disk["size_bytes"], disk["external"]) == ("disk4", 4000787030016, True)
    assert (disk["transport"], disk["type"], disk["smart"]) == ("thunderbolt", "Thunderbolt SSD", {"healthy": True})


def test_a_report_in_another_language_is_a_gap_and_no_wrong_disk() -> None:
    text = "Speicher:\n\n    Macintosh HD:\n\n      Verfügbar: 100 GB\n      Kapazität: 500 GB (500.000.000.000 Byte)\n"
    facts = understood({"system_profiler SPStorageDataType": text})
    assert storage(facts)["devices"] == []
    assert any("none of its words" in gap.reason for gap in facts.gaps)


def test_sizes_for_people_are_no_sizes() -> None:
    assert usages_in("Filesystem Size Used Avail Capacity Mounted on\n/dev/disk1s1 466Gi 144Gi 315Gi 32% /\n") == {}


@given(st.lists(st.sampled_from(["disk1s1", "disk2", "//me@nas/share"]), min_size=1, max_size=3, unique=True))
def test_a_mount_reads_back_whatever_it_is_called(sources: list[str]) -> None:
    lines = "".join(f"{source} on /Volumes/a on b ({number}) (apfs, local)\n" for number, source in enumerate(sources))
    assert [one.mount for one in mounts_in(lines)] == [f"/Volumes/a on b ({number})" for number in range(len(sources))]


@given(st.sampled_from(sorted(BETA)), st.integers(0, 3000), st.binary(max_size=12))
def test_an_answer_with_a_hole_never_breaks_it(question: str, place: int, noise: bytes) -> None:
    whole = BETA[question]
    assert isinstance(whole, str)
    data = whole.encode()
    facts = collector.parse(found(collector, BETA | {question: data[:place] + noise + data[place + 9 :]}))
    assert facts.node.storage_internal_tb is None or facts.node.storage_internal_tb >= 0


def test_a_machine_that_tells_nothing_is_a_gap() -> None:
    facts = understood({"diskutil list -plist": refused("diskutil: no")})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED, Outcome.UNSUPPORTED]
    assert facts.node.storage_internal_tb is None


def report(kind: str, *things: dict[str, Any]) -> dict[str, Given]:
    return {f"system_profiler -json {kind}": json.dumps({kind: things})}


def test_a_volume_of_any_apfs_does_not_name_its_drive() -> None:
    volume = {
        "bsd_name": "disk7s2",
        "file_system": "Case-sensitive APFS",
        "mount_point": "/Volumes/Copy",
        "size_in_bytes": 999995129856,
        "free_space_in_bytes": 555120910336,
        "physical_drive": {"is_internal_disk": "no", "protocol": "USB"},
    }
    facts = collector.parse(found(collector, report("SPStorageDataType", volume)))
    storage = facts.metadata["storage"]
    assert [(disk["name"], disk["transport"]) for disk in storage["devices"]] == [(None, "usb")]
    assert facts.node.storage_external_device == "USB disk"
    assert storage["filesystems"][0]["type"] == "apfs"
    assert facts.observed["filesystems"][0]["free_bytes"] == 555120910336


def test_a_disk_that_has_no_name_is_there_by_model_and_size() -> None:
    drives = [
        {"_name": "Fast", "device_model": "APPLE SSD XY", "size_in_bytes": 500277792768},
        {"_name": "CD-ROM", "device_model": "CD-ROM"},
    ]
    facts = collector.parse(found(collector, report("SPNVMeDataType", {"_name": "Controller", "_items": drives})))
    assert [disk["model"] for disk in facts.metadata["storage"]["devices"]] == ["APPLE SSD XY"]
    assert facts.node.storage_internal_tb == Decimal("0.500277792768")


def test_a_sas_disk_is_called_by_its_product() -> None:
    disk = {"_name": "Target 0", "bsd_name": "disk4", "spsas_product": "Big4000", "spsas_revision": "TN04"}
    facts = collector.parse(
        found(collector, report("SPSASDataType", {"_name": "Card", "_items": [{"_name": "Domain", "_items": [disk]}]}))
    )
    told = facts.metadata["storage"]["devices"][0]
    assert (told["name"], told["model"], told["firmware"]) == ("disk4", "Big4000", "TN04")


def test_disks_of_a_list_as_text_are_looked_at_one_by_one() -> None:
    given: dict[str, Given] = {
        "diskutil list": "/dev/disk0 (internal, physical):\n\n/dev/disk2 (external, physical):\n",
        "diskutil info disk0": "   Device Identifier:         disk0\n   Device / Media Name:       Inner\n",
        "diskutil info disk2": (
            "   Device Identifier:         disk2\n   Device / Media Name:       Stick\n   Protocol:                  USB\n"
            "   Disk Size:                 7.7 GB (7736072192 Bytes) (exactly 15109516 512-Byte-Units)\n"
        ),
    }
    facts = collector.parse(found(collector, given))
    told = [(disk["name"], disk["model"], disk["size_bytes"]) for disk in facts.metadata["storage"]["devices"]]
    assert told == [("disk0", "Inner", None), ("disk2", "Stick", 7736072192)]


def test_what_has_volumes_of_apfs_is_a_container_and_no_disk() -> None:
    listed = {
        "AllDisksAndPartitions": [{"DeviceIdentifier": "disk6", "APFSVolumes": [{"DeviceIdentifier": "disk6s1"}]}]
    }
    facts = collector.parse(found(collector, {"diskutil list -plist": plistlib.dumps(listed)}))
    assert facts.metadata["storage"]["devices"] == []


def test_a_share_that_only_df_names_is_a_file_system() -> None:
    df = (
        "Filesystem 512-blocks Used Available Capacity Mounted on\n"
        "map auto_home 0 0 0 100% /home\n"
        "//me@box._afpovertcp._tcp.local/me 7604804600 2409078672 5195725928 32% /Volumes/me\n"
    )
    facts = collector.parse(found(collector, {"df": df}))
    assert [one["mount"] for one in facts.metadata["storage"]["filesystems"]] == ["/Volumes/me"]
    assert facts.observed["filesystems"][0]["free_bytes"] == 5195725928 * 512
