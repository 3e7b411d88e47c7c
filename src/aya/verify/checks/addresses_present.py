"""Every recorded address is on the machine, on the interface that it was recorded with.

Asks the operating system (getifaddrs), which is not where the collector reads first.
"""

import json
from collections.abc import Iterator
from ipaddress import ip_address

from aya.host.reading import Call
from aya.verify.check import Check, Finding, Subject, failed, passed

RECORDED = (
    "SELECT interface_name, host(ipv4_address) AS v4, host(ipv6_address) AS v6 FROM network_interfaces "
    "WHERE node_id = %(node)s AND is_present AND (ipv4_address IS NOT NULL OR ipv6_address IS NOT NULL) ORDER BY 1"
)


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per interface that has an address."""
    now = json.loads(subject.host.ask(Call("interface-addresses"))["interface-addresses"].text)
    for row in subject.recorded(RECORDED):
        name = row["interface_name"]
        here = {_plain(item["address"]) for item in now.get(name, ()) if item["family"] in ("AF_INET", "AF_INET6")}
        missing = [address for address in (row["v4"], row["v6"]) if address and _plain(address) not in here]
        probe = f"getifaddrs() for {name}"
        evidence = f"{name}: {', '.join(sorted(here)) or 'no address'}"
        if missing:
            yield failed(name, f"{', '.join(missing)} is not on it now", evidence, probe=probe)
        else:
            yield passed(name, evidence, probe=probe)


def _plain(address: str) -> str:
    """The address without its zone, in its one canonical form."""
    return str(ip_address(address.split("%")[0]))


check = Check(run)
