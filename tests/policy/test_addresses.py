import pytest

from runtime.policy.addresses import decide_address, is_public

PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "name",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.hostile
@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_the_inside_is_public_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)
    assert decide_address("h", (address,)).rule == "egress.private-address"


@pytest.mark.hostile
def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    assert decide_address("h", ("8.8.8.8", "10.0.0.1")).rule == "egress.private-address"
    assert decide_address("h", ()).rule == "egress.unresolved"
    assert decide_address("h", tuple(PUBLIC)).allowed
