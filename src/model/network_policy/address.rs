//! Ranges of IP addresses: `10.42.0.0/16`.

use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range, as the API server accepts it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// For private use, for carriers, and of one link.
const PRIVATE: [Cidr; 7] = [
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v4([100, 64, 0, 0], 10),
    v4([169, 254, 0, 0], 16),
    v6(0xfc00, 7),
    v6(0xfe80, 10),
];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Cidr {
    Cidr {
        address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        bits,
    }
}

const fn v6(head: u16, bits: u8) -> Cidr {
    Cidr {
        address: IpAddr::V6(Ipv6Addr::new(head, 0, 0, 0, 0, 0, 0, 0)),
        bits,
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = || {
            let (address, bits) = text.split_once('/')?;
            let address: IpAddr = address.parse().ok()?;
            let bits: u8 = bits.parse().ok()?;
            (bits <= width(address)).then_some(Self { address, bits })
        };
        parsed().ok_or_else(|| format!("not a range of addresses: {text}"))
    }
}

impl Cidr {
    /// Whether the address is in it.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let shift = u32::from(width(address) - self.bits.min(width(address)));
        let head = |address: IpAddr| number(address).checked_shr(shift).unwrap_or(0);
        self.is_of_family(address) && head(address) == head(self.address)
    }

    /// Both are of IPv4, or both of IPv6.
    pub(super) fn is_of_family(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
    }

    /// Within a range that clusters take their addresses from.
    pub(super) fn is_private(&self) -> bool {
        let within = |range: &Cidr| range.bits <= self.bits && range.has(self.address);
        PRIVATE.iter().any(within)
    }

    /// Every address of its family.
    pub(super) fn is_everything(&self) -> bool {
        self.bits == 0
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_address_is_in_a_range_by_its_first_bits() {
        for (range, address, is_in) in [
            ("10.42.0.0/16", "10.42.255.1", true),
            ("10.42.0.0/16", "10.43.0.1", false),
            ("10.96.0.0/12", "10.111.0.1", true),
            ("10.96.0.0/12", "10.112.0.1", false),
            ("10.0.0.7/32", "10.0.0.7", true),
            ("10.0.0.7/32", "10.0.0.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("::/0", "10.0.0.1", false),
            ("::/0", "fd00::1", true),
            ("fd00:1::/32", "fd00:1:2::3", true),
            ("fd00:1::/32", "fd00:2::3", false),
            ("fd00::1/128", "fd00::1", true),
            ("fd00::1/128", "fd00::2", false),
        ] {
            assert_eq!(
                cidr(range).has(address.parse().unwrap()),
                is_in,
                "{range} {address}"
            );
        }
    }

    #[test]
    fn private_ranges_are_those_within_one() {
        for (range, is_private) in [
            ("10.0.0.0/8", true),
            ("10.96.0.10/32", true),
            ("172.31.0.0/16", true),
            ("172.32.0.0/16", false),
            ("169.254.20.10/32", true),
            ("100.64.0.0/10", true),
            ("fd00::/8", true),
            ("2001:db8::/32", false),
            ("10.0.0.0/7", false),
            ("0.0.0.0/0", false),
            ("203.0.113.0/24", false),
        ] {
            assert_eq!(cidr(range).is_private(), is_private, "{range}");
        }
    }

    #[test]
    fn what_is_not_a_range_is_none() {
        for text in [
            "",
            "10.0.0.1",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "a/8",
            "10.0.0.0/",
        ] {
            assert!(Cidr::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_address_is_in_its_own_range_and_is_written_back(bits in 0_u8..=32, number: u32) {
            let address = IpAddr::from(number.to_be_bytes());
            let text = format!("{address}/{bits}");
            let range = cidr(&text);
            prop_assert!(range.has(address));
            prop_assert_eq!(range.to_string(), text);
            if bits > 0 {
                // Another first bit is another range.
                let other = IpAddr::from((number ^ 0x8000_0000).to_be_bytes());
                prop_assert!(!range.has(other));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9.:/]{0,20}") {
            if let Ok(range) = Cidr::try_from(text) {
                range.has(IpAddr::from([10, 0, 0, 1]));
            }
        }
    }
}
