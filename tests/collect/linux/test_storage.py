import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux import _lsblk, _volumes
from aya.collect.linux._nvme import NVME_LIST
from aya.collect.linux.storage import DF, collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

MOUNTINFO = "/proc/self/mountinfo"
LSBLK, LSBLK_TABLE = _lsblk.LSBLK[0], _lsblk.LSBLK[2]
ZPOOL_LIST = _volumes.ZPOOL_LIST[0]


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def disk(name: str, place: str, sectors: int, **attributes: str) -> dict[str, str]:
    """The kernel's files of one block device; `device_model='X'` is the file device/model."""
    folder = f"/sys/block/{name}"
    files = {folder: f"../devices/{place}/block/{name}", f"{folder}/size": f"{sectors}\n"}
    return files | {f"{folder}/{key.replace('__', '/')}": f"{value}\n" for key, value in attributes.items()}


def partition(disk_name: str, name: str, number: int, sectors: int, device: str) -> dict[str, str]:
    folder = f"/sys/block/{disk_name}/{name}"
    return {f"{folder}/partition": f"{number}\n", f"{folder}/size": f"{sectors}\n", f"{folder}/dev": f"{device}\n"}


def recorded(recordings: Path, name: str) -> Facts:
    text = (recordings / "linux" / name).read_text("utf-8", "backslashreplace")
    return understood({LSBLK if "lsblk" in name else NVME_LIST: text, "user-id": "0"})


def device(facts: Facts, name: str) -> dict[str, Any]:
    return next(entry for entry in facts.metadata["storage"]["devices"] if entry["name"] == name)


NVME = disk(
    "nvme0n1",
    "pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0",
    1953525168,
    dev="259:0",
    removable="0",
    queue__rotational="0",
    device__model="Samsung SSD 970 EVO 1TB                 ",
    device__serial="S466NX0M12345      ",
    device__firmware_rev="2B2QEXE7",
    device__transport="pcie",
)
HARD_DISK = disk(
    "sda",
    "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0",
    15628053168,
    dev="8:0",
    removable="0",
    queue__rotational="1",
    device__vendor="ATA     ",
    device__model="ST8000DM004-2CX1",
)
STICK = disk(
    "sdb",
    "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0",
    60088320,
    dev="8:16",
    removable="1",
    queue__rotational="1",
    device__vendor="SanDisk ",
    device__model="Ultra",
)


# --- disks ------------------------------------------------------------------------------------------------------------


def test_sizes_are_exact_and_internal_is_told_from_external():
    node = understood(NVME | HARD_DISK | STICK | {"user-id": "1000"}).node
    assert node.storage_internal_tb == Decimal("1.000204886016") + Decimal("8.001563222016")
    assert node.storage_external_tb == Decimal("0.030765219840")
    assert node.storage_external_device == "SanDisk Ultra"


def test_the_disk_that_carries_the_system_gives_type_and_name_though_another_is_larger():
    mounted = "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    facts = understood(
        NVME | HARD_DISK | partition("nvme0n1", "nvme0n1p2", 2, 1951426560, "259:2") | {MOUNTINFO: mounted}
    )
    assert (facts.node.storage_internal_type, facts.node.storage_internal_device) == (
        "NVMe SSD",
        "Samsung SSD 970 EVO 1TB",
    )
    assert device(facts, "nvme0n1")["partitions"] == [
        {"name": "nvme0n1p2", "number": 2, "size_bytes": 1951426560 * 512}
    ]
    assert device(facts, "nvme0n1")["firmware"] == "2B2QEXE7"


def test_the_largest_disk_speaks_for_the_machine_where_the_system_disk_is_not_known():
    assert understood(NVME | HARD_DISK).node.storage_internal_type == "HDD"


def test_udev_knows_the_whole_name_of_a_sata_disk_that_the_kernel_cuts_off():
    udev = {
        "/run/udev/data/b8:0": "S:disk/by-id/x\nE:ID_MODEL_ENC=ST8000DM004-2CX188\\x20\\x20\nE:ID_SERIAL_SHORT=WCT0\n"
    }
    entry = device(understood(HARD_DISK | udev), "sda")
    assert (entry["model"], entry["serial"], entry["vendor"]) == ("ST8000DM004-2CX188", "WCT0", None)


@pytest.mark.parametrize("name", ["loop0", "ram0", "zram0", "dm-0", "md127", "sr0", "nbd0", "zd16", "mmcblk0boot0"])
def test_what_is_built_on_disks_or_made_of_memory_is_no_disk(name):
    facts = understood(NVME | disk(name, "virtual", 2048, removable="0"))
    assert [entry["name"] for entry in facts.metadata["storage"]["devices"]] == ["nvme0n1"]


def test_an_empty_card_reader_and_a_hidden_path_are_no_disks():
    reader = disk("sdc", "pci0/usb1/1-1/host3/target3:0:0/3:0:0:0", 0, removable="1")
    hidden = disk("nvme0c0n1", "pci0/nvme/nvme0", 1953525168, hidden="1")
    assert [entry["name"] for entry in understood(NVME | reader | hidden).metadata["storage"]["devices"]] == ["nvme0n1"]


def test_the_disk_of_a_virtual_machine_is_internal_and_whether_it_turns_is_not_known():
    facts = understood(disk("vda", "pci0000:00/0000:00:02.0/virtio1", 536870912, removable="0", queue__rotational="1"))
    assert facts.node.storage_internal_tb == Decimal("0.274877906944")
    assert (facts.node.storage_internal_type, facts.node.storage_internal_device) == ("virtio disk", "/dev/vda")
    assert facts.node.storage_external_tb == 0
    assert device(facts, "vda")["rotational"] is None
    assert not facts.gaps or all("health" not in gap.reason for gap in facts.gaps)


def test_a_memory_card_is_external_unless_the_system_runs_from_it():
    card = disk(
        "mmcblk0", "platform/soc/mmc_host/mmc0/mmc0:aaaa", 62333952, dev="179:0", device__type="SD", removable="0"
    )
    assert understood(card).node.storage_external_tb == Decimal("0.031914983424")
    booted = understood(card | {MOUNTINFO: "1 0 179:0 / / rw - ext4 /dev/mmcblk0 rw\n"}).node
    assert (booted.storage_internal_type, booted.storage_external_tb) == ("SD card", 0)


def test_an_nvme_disk_in_a_thunderbolt_case_is_external():
    facts = understood(NVME | {"/sys/block/nvme0n1/device/device/removable": "removable\n"})
    assert facts.node.storage_external_tb == Decimal("1.000204886016")
    assert facts.node.storage_internal_type is None


def test_a_lun_of_a_storage_network_is_not_inside_the_machine():
    lun = disk("sdd", "platform/host9/session1/target9:0:0/9:0:0:1", 2048, queue__rotational="1")
    assert device(understood(lun), "sdd")["external"] is True


def test_a_size_that_nobody_gives_leaves_the_sum_unknown():
    facts = understood(NVME | disk("sdz", "pci0/ata2/target1:0:0", 1) | {"/sys/block/sdz/size": "rubbish"})
    assert facts.node.storage_internal_tb is None
    assert Outcome.UNREADABLE in [gap.outcome for gap in facts.gaps]


def test_sizes_beyond_what_json_can_say_exactly_are_text():
    assert device(understood(disk("sda", "pci0/ata1/", 2**53 // 512 + 1)), "sda")["size_bytes"] == str(2**53 + 512)


# --- layers -----------------------------------------------------------------------------------------------------------


def test_the_system_disk_is_found_under_encryption_and_logical_volumes():
    layered = (
        NVME
        | HARD_DISK
        | partition("nvme0n1", "nvme0n1p3", 3, 1000, "259:3")
        | disk("dm-0", "virtual", 999, dev="253:0", dm__name="cryptroot", dm__uuid="CRYPT-LUKS2-0af-cryptroot")
        | disk("dm-1", "virtual", 500, dev="253:1", dm__name="vg-root", dm__uuid="LVM-abc")
        | {"/sys/block/dm-0/slaves/nvme0n1p3": "", "/sys/block/dm-1/slaves/dm-0": ""}
        | {MOUNTINFO: "1 0 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n"}
    )
    facts = understood(layered)
    assert facts.node.storage_internal_type == "NVMe SSD"
    assert [(layer["name"], layer["kind"], layer["members"]) for layer in facts.metadata["storage"]["layers"]] == [
        ("cryptroot", "crypt", ["nvme0n1p3"]),
        ("vg-root", "lvm", ["dm-0"]),
    ]


def test_a_raid_array_says_how_many_members_are_missing():
    array = disk("md0", "virtual", 2048, md__level="raid1", md__degraded="1") | {"/sys/block/md0/slaves/sda": ""}
    layer = understood(HARD_DISK | array).metadata["storage"]["layers"][0]
    assert (layer["kind"], layer["members"], layer["degraded"], layer["size_bytes"]) == ("raid1", ["sda"], 1, 1048576)


def test_pools_of_zfs_are_layers_with_their_health(recordings):
    for name, expected in (
        ("zpool-list-vdev.txt", [("rpool", 3985729650688, "ONLINE", ["nvme0n1p3", "nvme2n1p3"])]),
        ("zpool-list.txt", [("rpool", 21367462298, "ONLINE", []), ("zion", None, "FAULTED", [])]),
    ):
        text = (recordings / "linux/netdata-zfs" / name).read_text()
        layers = understood(NVME | {"/dev/zfs": "", ZPOOL_LIST: text}).metadata["storage"]["layers"]
        assert [(p["name"], p["size_bytes"], p["health"], p["members"]) for p in layers] == expected


# --- recordings of lsblk and nvme -------------------------------------------------------------------------------------


def test_lsblk_alone_tells_a_virtual_machine(recordings):
    facts = recorded(recordings, "gpud-lsblk.2/lsblk.json")
    assert facts.node.storage_internal_tb == Decimal("24.189255811072")
    assert (facts.node.storage_internal_type, facts.node.storage_internal_device) == ("virtio disk", "/dev/vda")
    assert [(f["mount"], f["type"]) for f in facts.metadata["storage"]["filesystems"]] == [
        ("/", "ext4"),
        ("/boot/efi", "vfat"),
    ]


def test_lsblk_alone_tells_disks_from_the_raid_on_them(recordings):
    facts = recorded(recordings, "gpud-lsblk.withlv.censored/lsblk.json")
    # Two of 1920383410176 bytes, four of 7681501126656, one of 15360950534144.
    assert facts.node.storage_internal_tb == Decimal("49.927721861120")
    assert facts.node.storage_internal_type == "SSD"  # the system is on the RAID of sda and sdb, not on the largest
    layers = {layer["name"]: layer for layer in facts.metadata["storage"]["layers"]}
    assert (layers["md127"]["kind"], layers["md127"]["members"]) == ("raid1", ["sda2", "sdb2"])


def test_rounded_sizes_are_not_taken_for_exact_ones(recordings):
    facts = recorded(recordings, "hardinfo-laptop/lsblk.json")
    assert facts.node.storage_internal_tb is None
    assert (facts.node.storage_internal_type, facts.node.storage_internal_device) == ("HDD", "HITACHI HTS72501")
    assert device(facts, "sda")["serial"] == "110207PCKB04VNHUX46K"
    assert len(device(facts, "sda")["partitions"]) == 5
    assert Outcome.UNREADABLE in [gap.outcome for gap in facts.gaps]


def test_the_hardware_partitions_of_an_emmc_are_not_disks_of_their_own(recordings):
    facts = recorded(recordings, "checkbox-emmc_as_main_drive/lsblk.json")
    assert facts.node.storage_internal_tb == Decimal("1.919196260057")
    assert facts.node.storage_internal_type == "eMMC"


@pytest.mark.parametrize(
    ("name", "disks", "terabytes"),
    [
        ("hwbench-nvme116/nvme-list.json", 3, "13.282542010368"),
        ("netdata-nvme-v2.11/nvme-list.json", 3, "12.002361090048"),
    ],
)
def test_every_form_of_nvme_list_is_understood(recordings, name, disks, terabytes):
    facts = recorded(recordings, name)
    sizes = [entry["size_bytes"] for entry in facts.metadata["storage"]["devices"]]
    assert (len(sizes), Decimal(sum(sizes)) / 10**12) == (disks, Decimal(terabytes))
    # There may be disks of other kinds.
    assert facts.node.storage_internal_tb is None


# --- file systems -----------------------------------------------------------------------------------------------------


def test_a_disk_whose_number_is_none_is_there_without_what_udev_knows():
    folder = next(name for name in NVME if name.endswith("/dev")).rpartition("/")[0]
    assert len(understood(NVME | {f"{folder}/dev": "<plist/>\n"}).metadata["storage"]["devices"]) == 1


def test_real_file_systems_count_once_and_those_of_the_kernel_never():
    mounts = (
        "1 0 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "2 1 0:21 / /proc rw - proc proc rw\n"
        "3 1 0:24 / /run rw - tmpfs tmpfs rw\n"
        "4 1 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro\n"
        "5 1 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n"
        "6 1 254:0 /srv /mnt/bound rw - ext4 /dev/vda rw\n"
        "7 1 8:1 / /mnt/two\\040words ro,nosuid - xfs /dev/sda1 rw\n"
        "half a line\n"
    )
    filesystems = understood(NVME | {MOUNTINFO: mounts}).metadata["storage"]["filesystems"]
    assert [(f["mount"], f["device"], f["read_only"]) for f in filesystems] == [
        ("/", "/dev/vda", False),
        ("/mnt/two words", "/dev/sda1", True),
    ]


def test_options_are_those_of_the_mount_and_of_the_file_system_and_writable_is_what_both_are():
    lines = (
        "27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,discard\n"
        "28 27 8:2 / /a rw,noatime - ext4 /dev/sda2 ro,errors=remount-ro\n"
    )
    first, second = understood({MOUNTINFO: lines}).metadata["storage"]["filesystems"]
    assert (first["options"], first["read_only"]) == (["discard", "relatime", "rw"], False)
    assert (second["options"], second["read_only"]) == (["errors=remount-ro", "noatime", "ro"], True)


def test_file_systems_in_folders_with_strange_names_have_their_size():
    names = [
        "a b",
        "new\nline",
        "tab\tx",
        "v\vt",
        "line\u2028separator",
        "n\x85el",
        "cr\rx",
        "esc\x1b[31m",
        "été",
        "back\\slash",
    ]
    escaped = [re.sub(r"[ \t\n\\]", lambda sign: f"\\{ord(sign[0]):03o}", name) for name in names]
    mounts = [f"{n} 1 7:{n} / /m/{name} rw - ext4 /dev/loop{n} rw\n" for n, name in enumerate(escaped)]
    shown = [re.sub(r"[\x00-\x1f]", "?", name) for name in names]
    lines = [f"/dev/loop{n} ext4 {n + 1} 0 1 0% /m/{name}\n" for n, name in enumerate(shown)]
    facts = understood(
        {
            MOUNTINFO: "".join(mounts),
            DF: "Filesystem Type 1-blocks Used Available Capacity Mounted on\n" + "".join(lines),
        }
    )
    found_there = {entry["mount"]: entry["size_bytes"] for entry in facts.metadata["storage"]["filesystems"]}
    assert found_there == {f"/m/{name}": n + 1 for n, name in enumerate(names)}
    assert len(facts.observed["filesystems"]) == len(names)


def test_a_name_that_df_made_unreadable_is_not_taken_for_another_device():
    lines = "1 1 7:1 / /a\\012b rw - ext4 /dev/loop1 rw\n"
    table = "Filesystem Type 1-blocks Used Available Capacity Mounted on\n/dev/loop2 ext4 5 0 1 0% /a?b\n"
    assert understood({MOUNTINFO: lines, DF: table}).metadata["storage"]["filesystems"][0]["size_bytes"] is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(Outcome.OK, b"garbage"), Outcome.UNREADABLE),
        (Answer(Outcome.ABSENT, reason="df is not installed"), Outcome.UNSUPPORTED),
        (Answer(Outcome.FAILED, reason="df ended with 1"), Outcome.FAILED),
    ],
)
def test_why_free_space_is_not_known_is_said(answer, outcome):
    assert outcome in [gap.outcome for gap in understood(NVME | {MOUNTINFO: "", DF: answer}).gaps]


def test_a_file_system_is_named_by_where_its_root_is_mounted_not_by_a_shorter_way_into_it():
    mounts = "1 0 8:1 /deep /d rw - xfs /dev/sda1 rw\n2 1 8:1 / /mnt/archive rw - xfs /dev/sda1 rw\n"
    filesystems = understood({MOUNTINFO: mounts}).metadata["storage"]["filesystems"]
    assert [f["mount"] for f in filesystems] == ["/mnt/archive"]


def test_an_overlay_counts_where_it_is_the_root_of_a_container():
    facts = understood(NVME | {MOUNTINFO: "1 0 0:40 / / rw - overlay overlay rw,lowerdir=/a\n"})
    assert [(f["mount"], f["type"]) for f in facts.metadata["storage"]["filesystems"]] == [("/", "overlay")]


def test_subvolumes_of_btrfs_are_each_named():
    mounts = "1 0 0:30 /@ / rw - btrfs /dev/sda2 rw\n2 1 0:30 /@home /home rw - btrfs /dev/sda2 rw\n"
    facts = understood(HARD_DISK | partition("sda", "sda2", 2, 10, "8:2") | {MOUNTINFO: mounts})
    assert [f["mount"] for f in facts.metadata["storage"]["filesystems"]] == ["/", "/home"]
    assert facts.node.storage_internal_type == "HDD"


def test_free_space_is_measured_and_no_state():
    df = (
        "Filesystem Type 1-blocks Used Available Capacity Mounted on\n"
        "/dev/vda ext4 1000 300 600 34% /\n"
        "tmpfs tmpfs 9 0 9 0% /run\n"
    )
    facts = understood(NVME | {MOUNTINFO: "1 0 254:0 / / rw - ext4 /dev/vda rw\n", DF: df})
    assert facts.metadata["storage"]["filesystems"][0]["size_bytes"] == 1000
    assert facts.observed == {"filesystems": [{"mount": "/", "free_bytes": 600, "used_bytes": 300}]}
    assert {(m.name, m.value, m.unit) for m in facts.measurements} == {
        ("filesystem_free_bytes", Decimal(600), "bytes"),
        ("filesystem_used_bytes", Decimal(300), "bytes"),
    }
    assert "600" not in json.dumps(facts.metadata)


def test_the_size_of_a_zfs_dataset_is_not_state_because_its_neighbours_change_it():
    df = "Filesystem Type 1-blocks Used Available Capacity Mounted on\ntank/home zfs 1000 300 700 30% /home\n"
    facts = understood(NVME | {MOUNTINFO: "1 0 0:33 / /home rw - zfs tank/home rw\n", DF: df})
    assert facts.metadata["storage"]["filesystems"][0]["size_bytes"] is None


def test_an_answer_of_df_that_ended_with_an_error_is_used_as_far_as_it_goes():
    df = b"Filesystem Type 1-blocks Used Available Capacity Mounted on\n/dev/vda ext4 1000 300 600 34% /\n"
    broken = Answer(Outcome.FAILED, df, "df ended with 1")
    facts = understood(NVME | {MOUNTINFO: "1 0 254:0 / / rw - ext4 /dev/vda rw\n", DF: broken})
    assert facts.metadata["storage"]["filesystems"][0]["size_bytes"] == 1000


def test_df_of_another_machine_is_understood_in_kibibytes(recordings):
    facts = understood({DF: (recordings / "linux/jc-centos-7.7/df.txt").read_text()})
    assert [(f["mount"], f["size_bytes"]) for f in facts.metadata["storage"]["filesystems"]] == [
        ("/", 17811456 * 1024),
        ("/boot", 1038336 * 1024),
    ]


# --- SMART ------------------------------------------------------------------------------------------------------------


def smart(recordings: Path, name: str) -> Facts:
    text = (recordings / "linux" / name).read_text()
    return understood(
        HARD_DISK | NVME | {"user-id": "0", "smartctl -j -a /dev/sda": text, "smartctl -j -a /dev/nvme0n1": "{}"}
    )


def test_health_is_state_and_counters_are_measured(recordings):
    facts = smart(recordings, "netdata-smartctl-type-sat/smartctl-j-device-hdd-sda.json")
    assert device(facts, "sda")["smart"] == {"healthy": True}
    assert {m.name: int(m.value) for m in facts.measurements if m.conditions == {"device": "/dev/sda"}} == {
        "temperature_celsius": 49,
        "power_on_hours": 8244,
        "power_cycles": 12,
        "reallocated_sectors": 0,
        "pending_sectors": 0,
        "uncorrectable_sectors": 0,
    }


def test_wear_of_an_nvme_disk_is_measured(recordings):
    text = (recordings / "linux/telegraf-smart-nvme/smartctl-j.json").read_text()
    facts = understood(
        NVME | {"user-id": "0", "smartctl -j -a /dev/nvme0n1": Answer(Outcome.FAILED, text.encode(), "4")}
    )
    assert device(facts, "nvme0n1")["smart"] == {"healthy": True}
    measured = {m.name: int(m.value) for m in facts.measurements}
    assert (measured["wear_percent"], measured["spare_percent"], measured["unsafe_shutdowns"]) == (4, 100, 39)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"user-id": "1000"}, Outcome.DENIED),
        ({"user-id": "0"}, Outcome.UNSUPPORTED),
        ({"user-id": "0", "smartctl -j -a /dev/sda": "what?"}, Outcome.UNREADABLE),
        ({"user-id": "0", "smartctl -j -a /dev/sda": Answer(Outcome.FAILED, b"", "did not end")}, Outcome.FAILED),
        (
            {
                "user-id": "0",
                "smartctl -j -a /dev/sda": '{"smartctl": {"messages": [{"string": "Permission denied"}]}}',
            },
            Outcome.DENIED,
        ),
    ],
)
def test_health_that_could_not_be_asked_is_a_gap_and_not_an_absence(given, outcome):
    facts = understood(HARD_DISK | given)
    assert [gap.outcome for gap in facts.gaps if "health" in gap.reason] == [outcome]
    assert device(facts, "sda")["smart"] is None


# --- what people print, where nobody kept /sys ------------------------------------------------------------------------


def test_all_lists_of_mounts_tell_the_same_file_systems():
    kernel = (
        "1 0 8:2 / / rw,relatime - ext4 /dev/sda2 rw\n2 1 8:1 / /boot ro - xfs /dev/sda1 ro\n"
        "3 1 0:21 / /proc rw - proc proc rw\n4 1 8:2 /srv /mnt/b\\040c rw - ext4 /dev/sda2 rw\n"
    )
    table = (
        "/dev/sda2 / ext4 rw,relatime 0 0\n/dev/sda1 /boot xfs ro 0 0\nproc /proc proc rw 0 0\n"
        "/dev/sda2 /mnt/b\\040c ext4 rw,relatime 0 0\n"
    )
    printed = (
        "/dev/sda2 on / type ext4 (rw,relatime)\n/dev/sda1 on /boot type xfs (ro)\nproc on /proc type proc (rw)\n"
        "/dev/sda2 on /mnt/b c type ext4 (rw,relatime)\n"
    )
    tree = (
        "TARGET     SOURCE          FSTYPE OPTIONS\n/          /dev/sda2       ext4   rw,relatime\n"
        "├─/boot    /dev/sda1       xfs    ro\n├─/proc    proc            proc   rw\n"
        "└─/mnt/b c /dev/sda2[/srv] ext4   rw,relatime\n"
    )
    node = {"target": "/", "source": "/dev/sda2", "fstype": "ext4", "options": "rw,relatime"}
    boot = {"target": "/boot", "source": "/dev/sda1", "fstype": "xfs", "options": "ro"}
    nested = json.dumps({"filesystems": [node | {"children": [boot]}]})
    forms = {MOUNTINFO: kernel, "/proc/mounts": table, "mount": printed, "findmnt": tree}
    told = [understood({source: text}).metadata["storage"]["filesystems"] for source, text in forms.items()]
    told.append(understood({"findmnt": nested}).metadata["storage"]["filesystems"])
    assert [(one["mount"], one["device"], one["type"], one["read_only"]) for one in told[0]] == [
        ("/", "/dev/sda2", "ext4", False),
        ("/boot", "/dev/sda1", "xfs", True),
    ]
    assert all(one == told[0] for one in told)


@pytest.mark.parametrize(
    "header",
    [
        "Filesystem 1K-blocks Used Available Use% Mounted on",
        "Dateisystem 1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf",
        "Sys. de fichiers blocs de 1K Utilisé Disponible Uti% Monté sur",
    ],
)
def test_df_is_understood_in_other_languages(header):
    facts = understood({"df -k": f"{header}\r\n/dev/sda2 1000 400 600 40% /\r\n"})
    assert facts.metadata["storage"]["filesystems"][0]["size_bytes"] == 1024000
    assert {m.name: int(m.value) for m in facts.measurements}["filesystem_free_bytes"] == 614400


def test_the_drawn_tree_of_lsblk_tells_what_its_json_does():
    disk_row = {"name": "sda", "rm": "0", "size": "1000", "ro": "0", "type": "disk", "fstype": None, "tran": "sata"}
    root = {
        "name": "vg-root",
        "kname": "dm-0",
        "type": "lvm",
        "size": "800",
        "fstype": "xfs",
        "mountpoint": "/",
        "ro": "0",
    }
    part = {"name": "sda1", "type": "part", "size": "900", "ro": "0", "fstype": "LVM2_member", "children": [root]}
    listed = json.dumps({"blockdevices": [disk_row | {"children": [part]}]})
    drawn = (
        "NAME        KNAME RM SIZE RO TYPE MOUNTPOINT FSTYPE      TRAN\n"
        "sda         sda    0 1000  0 disk                        sata\n"
        "└─sda1      sda1   0  900  0 part            LVM2_member \n"
        "  └─vg-root dm-0   0  800  0 lvm  /          xfs         \n"
    )
    one, other = understood({LSBLK: listed}), understood({LSBLK_TABLE: drawn})
    assert one.metadata["storage"]["layers"] == other.metadata["storage"]["layers"]
    assert one.metadata["storage"]["filesystems"] == other.metadata["storage"]["filesystems"]
    assert one.node == other.node
    assert (other.node.storage_internal_tb, device(other, "sda")["transport"]) == (Decimal("1e-9"), "sata")


def test_lists_without_sizes_still_tell_what_is_where():
    drawn = (
        "NAME        FSTYPE FSVER LABEL UUID FSAVAIL FSUSE% MOUNTPOINTS\n"
        "nvme0n1                                           \n"
        "\u251c\u2500nvme0n1p1 vfat   FAT32       A1B2    500M     1% /boot/efi\n"
        "\u2514\u2500nvme0n1p2 ext4   1.0         c3d4     50G    40% /\n"
    )
    facts = understood({LSBLK_TABLE: drawn})
    assert (facts.node.storage_internal_type, facts.node.storage_internal_tb) == ("NVMe SSD", None)
    assert [(one["mount"], one["type"]) for one in facts.metadata["storage"]["filesystems"]] == [
        ("/", "ext4"),
        ("/boot/efi", "vfat"),
    ]
    rounded = "Filesystem Type Size Used Avail Use% Mounted on\n"
    rounded += "/dev/sda1 xfs 1014M 233M 782M 23% /boot\ntmpfs tmpfs 1G 0 1G 0% /run\n"
    filesystems = understood({"df -hT": rounded}).metadata["storage"]["filesystems"]
    assert [(one["mount"], one["type"], one["size_bytes"]) for one in filesystems] == [("/boot", "xfs", None)]


def test_a_disk_of_which_nothing_says_where_it_is_is_neither_inside_nor_outside():
    listed = (
        '{"blockdevices": [{"name": "sda", "type": "disk", "size": 1000}, {"name": "sdb", "type": "disk", "size": 5}]}'
    )
    facts = understood({LSBLK: listed})
    assert (facts.node.storage_internal_tb, facts.node.storage_external_tb) == (None, None)
    assert device(facts, "sda")["external"] is None


def test_disks_are_guessed_by_name_in_recordings_only():
    assert collector.more is not None
    live = Found(collector.reads, {MOUNTINFO: Answer(Outcome.OK, b"1 0 0:40 / / rw - overlay overlay rw\n")})
    assert not any("smartctl" in str(read) for read in collector.more(live))
    assert any("smartctl" in str(read) for read in collector.more(Found(collector.reads)))


def test_sizes_that_one_program_rounds_are_taken_from_another():
    listed = '{"blockdevices": [{"name": "sda", "type": "disk", "size": "149.1G", "tran": "sata"}]}'
    report = (
        '{"device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"}, "user_capacity": {"bytes": 160041885696}}'
    )
    assert understood({LSBLK: listed, "smartctl -j -a /dev/sda": report}).node.storage_internal_tb == Decimal(
        "0.160041885696"
    )


# --- robustness -------------------------------------------------------------------------------------------------------

SOURCES = st.sampled_from(
    [MOUNTINFO, DF, LSBLK, NVME_LIST, "/sys/block/sda/size", "smartctl -j -a /dev/sda", "user-id"]
)
KEYS = [
    *("blockdevices", "name", "type", "size", "children", "mountpoints", "Devices", "NameSpace", "ModelNumber"),
    *("smartctl", "messages", "ata_smart_attributes", "table", "id", "raw", "temperature", "smart_status"),
]
NEAR_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["disk", "part", "sda", "raid1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
).map(json.dumps)


def test_a_scsi_disk_says_how_it_is_attached_and_its_revision() -> None:
    report = {
        "device": {"name": "/dev/sda", "type": "scsi", "protocol": "SCSI"},
        "scsi_vendor": "MAKER",
        "scsi_product": "DISK",
        "scsi_revision": "C240",
        "scsi_transport_protocol": {"name": "SAS (SPL-4)", "value": 6},
        "rotation_rate": 7200,
        "user_capacity": {"bytes": 14000519643136},
    }
    [disk] = understood({"smartctl -j -a /dev/sda": json.dumps(report)}).metadata["storage"]["devices"]
    assert (disk["firmware"], disk["transport"], disk["type"]) == ("C240", "sas", "HDD")


def test_a_disk_that_may_not_be_asked_for_its_health_is_a_gap_without_the_kernels_list() -> None:
    report = {"smartctl": {"messages": [{"string": "Smartctl open device: /dev/sda failed: Permission denied"}]}}
    listed = '{"blockdevices": [{"name": "sda", "type": "disk", "size": 1000, "tran": "sata", "rota": false}]}'
    facts = understood({LSBLK: listed, "smartctl -j -a /dev/sda": json.dumps(report)})
    assert [gap.reason.partition(":")[0] for gap in facts.gaps if gap.outcome is Outcome.DENIED] == [
        "health of /dev/sda"
    ]


@pytest.mark.parametrize(("blocks", "size"), [(1875385008, 960197124096), (0, None)])
def test_a_size_that_an_old_nvme_wrote_below_zero_is_told_by_its_blocks(blocks: int, size: int | None) -> None:
    disk = {"DevicePath": "/dev/nvme0n1", "PhysicalSize": -2147483648, "MaximumLBA": blocks, "SectorSize": 512}
    [listed] = understood({NVME_LIST: json.dumps({"Devices": [disk]})}).metadata["storage"]["devices"]
    assert listed["size_bytes"] == size


@given(st.dictionaries(SOURCES, st.binary(max_size=200) | NEAR_JSON, max_size=4), st.booleans())
def test_garbage_never_breaks_it(garbage, with_disk):
    understood((HARD_DISK if with_disk else {}) | garbage)


def test_a_name_of_ten_thousand_letters_is_survived():
    name = "é'\"" * 3333
    facts = understood({MOUNTINFO: f"1 0 8:1 / /{name} rw - ext4 /dev/{name} rw\n", LSBLK: "[" * 100_000})
    assert facts.metadata["storage"]["filesystems"][0]["mount"] == f"/{name}"


# --- this machine -----------------------------------------------------------------------------------------------------


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


def test_the_disks_of_this_machine_are_those_that_lsblk_lists():
    if shutil.which("lsblk") is None:
        pytest.skip("lsblk is not installed")
    text = subprocess.run(["lsblk", "-J", "-b", "-d", "-o", "NAME,TYPE,SIZE"], capture_output=True, check=True).stdout
    listed = {
        node["name"]: node["size"]
        for node in json.loads(text)["blockdevices"]
        if node["type"] == "disk" and node["size"] and not node["name"].startswith("zram")
    }
    facts = live()
    assert {entry["name"]: entry["size_bytes"] for entry in facts.metadata["storage"]["devices"]} == listed
    assert facts.node.storage_internal_tb is not None
    assert facts.node.storage_external_tb is not None
    assert (facts.node.storage_internal_tb + facts.node.storage_external_tb) * 10**12 == sum(listed.values())


def test_the_file_systems_of_this_machine_have_the_size_that_psutil_sees():
    for filesystem in live().metadata["storage"]["filesystems"]:
        if filesystem["size_bytes"] is not None:
            assert psutil.disk_usage(filesystem["mount"]).total == int(filesystem["size_bytes"])


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.node, one.metadata, one.gaps) == (other.node, other.metadata, other.gaps)
    assert one.metadata["storage"]["devices"] or one.gaps
