//! What an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are not public, by their first address and the length of their prefix. The first that fits counts.
const V4: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "an address of this network"),
    ([127, 0, 0, 0], 8, "a loopback address"),
    ([169, 254, 169, 254], 32, "a metadata service"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([100, 100, 100, 200], 32, "a metadata service"),
    ([100, 64, 0, 0], 10, "a carrier's private address"),
    ([168, 63, 129, 16], 32, "a metadata service"),
    ([192, 0, 0, 0], 24, "a reserved address"),
    ([192, 0, 2, 0], 24, "an address for documentation"),
    ([198, 51, 100, 0], 24, "an address for documentation"),
    ([203, 0, 113, 0], 24, "an address for documentation"),
    ([192, 88, 99, 0], 24, "a 6to4 relay"),
    ([198, 18, 0, 0], 15, "an address for benchmarks"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

/// The same for version 6. What is in none of them and not in `2000::/3` is reserved.
const V6: &[([u16; 8], u32, &str)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "the unspecified address"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "an IPv4-mapped address"),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "an IPv4-translated address"),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, "an IPv4-compatible address"),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "a NAT64 address"),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "a NAT64 address"),
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, "a metadata service"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private address"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a private address"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast address"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "a Teredo address"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "a reserved address"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "an address for documentation"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "an address for documentation"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "a 6to4 address"),
];

const PUBLIC_V6: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What an address is, if it is not public.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let bits = u128::from(address.to_bits()) << 96;
            let found = V4.iter().find(|(net, prefix, _)| {
                begins_with(bits, u128::from(Ipv4Addr::from(*net).to_bits()) << 96, *prefix)
            });
            found.map(|(_, _, what)| *what)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let inside = |net: [u16; 8], prefix| begins_with(bits, Ipv6Addr::from(net).to_bits(), prefix);
            let found = V6.iter().find(|(net, prefix, _)| inside(*net, *prefix));
            let reserved = (!inside(PUBLIC_V6.0, PUBLIC_V6.1)).then_some("a reserved address");
            found.map(|(_, _, what)| *what).or(reserved)
        }
    }
}

/// Whether the first `prefix` of 128 bits, at least one, are the same.
fn begins_with(bits: u128, net: u128, prefix: u32) -> bool {
    (bits ^ net).leading_zeros() >= prefix
}
