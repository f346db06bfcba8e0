"""Which addresses may be connected to: public ones, and the networks an operator has opened."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Written out, since `is_global` of the standard library says different things in different Python versions.
# The first match wins, so the more telling word comes first.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), reason)
    for reason, networks in (
        ("cloud metadata", "169.254.169.254/32 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32"),
        ("cloud metadata", "fd00:ec2::254/128 fd20:ce::254/128"),
        ("unspecified", "0.0.0.0/8 ::/128"),
        ("loopback", "127.0.0.0/8 ::1/128"),
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10"),
        ("link-local", "169.254.0.0/16 fe80::/10"),
        ("shared by a carrier", "100.64.0.0/10"),
        ("multicast", "224.0.0.0/4 ff00::/8"),
        ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        ("IPv4 in IPv6", "::ffff:0:0/96 ::/96"),
        ("NAT64", "64:ff9b::/96 64:ff9b:1::/48"),
        ("6to4", "2002::/16 192.88.99.0/24"),
        ("Teredo", "2001::/32"),
        ("reserved", "192.0.0.0/24 198.18.0.0/15 240.0.0.0/4 2001::/23 100::/64"),
    )
    for network in networks.split()
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from "10.0.0.0/8", "fd00::/8" or one address. Raises `ValueError`."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def inside(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def refusal(address: Address | str, allowed: Sequence[Network] = ()) -> str | None:
    """Why this address may not be connected to, in a word or two; None when it may."""
    address = ip_address(address) if isinstance(address, str) else address
    if inside(address, allowed):
        return None
    for network, reason in _REFUSED:
        if address.version == network.version and address in network:
            return reason
    if address.version == 6 and address not in _PUBLIC_IPV6:
        return "reserved"
    return None
