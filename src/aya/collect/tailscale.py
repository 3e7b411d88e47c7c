"""What Tailscale says of this machine."""

from aya.collect.json_values import dig, items, parsed, words
from aya.model import Json


def tailscale(text: str) -> dict[str, Json] | None:
    """This machine in its Tailscale network; None where there is none."""
    answer = parsed(text)
    if not isinstance(answer, dict) or dig(answer, "BackendState") is None:
        return None
    return {
        "version": words(dig(answer, "Version")),
        "state": words(dig(answer, "BackendState")),
        "dns_name": (words(dig(answer, "Self", "DNSName")) or "").rstrip(".") or None,
        "tailnet": words(dig(answer, "MagicDNSSuffix")),
        "addresses": [address for address in items(dig(answer, "TailscaleIPs")) if isinstance(address, str)],
        "exit_node": dig(answer, "Self", "ExitNode") is True,
    }
