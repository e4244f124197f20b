//! [`AddressClass`]: what kind of place an address leads to (RFC 6890, and IANA's registries of
//! special-purpose addresses).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address leads to. An address is of one class: of the first that fits,
/// in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// Where a cloud tells a machine its secrets: 169.254.169.254 nearly everywhere, and beside it
    ///
    /// - Akamai: fd00:a9fe:a9fe::1, fe80::a9fe:a9fe;
    /// - Alibaba: 100.100.100.200, fd00:100::100:200;
    /// - Amazon: fd00:ec2::254, for containers 169.254.170.2, 169.254.170.23, fd00:ec2::23;
    /// - Azure: 168.63.129.16;
    /// - Google: fd20:ce::254;
    /// - Oracle: 192.0.0.192, fd00:c1::a9fe:a9fe;
    /// - Scaleway: 169.254.42.42, fd00:42::42;
    /// - Tencent: 169.254.0.23, 169.254.10.10.
    Metadata,
    /// 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291 §2.5.6).
    LinkLocal,
    /// 127.0.0.0/8, ::1.
    Loopback,
    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918); fec0::/10 (RFC 3879);
    /// 64:ff9b:1::/48 (RFC 8215).
    Private,
    /// fc00::/7 (RFC 4193).
    UniqueLocal,
    /// 100.64.0.0/10: between a provider's translators and its customers (RFC 6598).
    Cgnat,
    /// 224.0.0.0/4, ff00::/8.
    Multicast,
    /// 0.0.0.0/8 and ::, by which many systems mean this machine.
    Unspecified,
    /// 198.18.0.0/15 (RFC 2544), 2001:2::/48 (RFC 5180).
    Benchmark,
    /// 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849),
    /// 3fff::/20 (RFC 9637).
    Documentation,
    /// What is set aside for anything else, or for nothing yet: 192.0.0.0/24, 192.88.99.0/24,
    /// 240.0.0.0/4, 2001::/23, and all that is not in 2000::/3, which is where IPv6 has its
    /// public addresses (RFC 4291 §2.4), nor in 64:ff9b::/96 (RFC 6052 §2.1). Some networks of
    /// their own use it.
    Reserved,
    /// All others.
    Public,
}

impl AddressClass {
    /// Every class there is.
    pub const ALL: &[AddressClass] = &[
        AddressClass::Metadata,
        AddressClass::LinkLocal,
        AddressClass::Loopback,
        AddressClass::Private,
        AddressClass::UniqueLocal,
        AddressClass::Cgnat,
        AddressClass::Multicast,
        AddressClass::Unspecified,
        AddressClass::Benchmark,
        AddressClass::Documentation,
        AddressClass::Reserved,
        AddressClass::Public,
    ];

    /// The class of an address as it stands; an IPv4 address in its mapped form counts as IPv4.
    /// What other IPv6 addresses have inside, [`DestinationGuard`](crate::DestinationGuard) looks at.
    pub fn of(address: IpAddr) -> AddressClass {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// The word for it in settings and logs, as `link-local`.
    pub const fn word(self) -> &'static str {
        match self {
            AddressClass::Metadata => "metadata",
            AddressClass::LinkLocal => "link-local",
            AddressClass::Loopback => "loopback",
            AddressClass::Private => "private",
            AddressClass::UniqueLocal => "unique-local",
            AddressClass::Cgnat => "cgnat",
            AddressClass::Multicast => "multicast",
            AddressClass::Unspecified => "unspecified",
            AddressClass::Benchmark => "benchmark",
            AddressClass::Documentation => "documentation",
            AddressClass::Reserved => "reserved",
            AddressClass::Public => "public",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

fn of_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        [169, 254, 169, 254] | [169, 254, 170, 2 | 23] => AddressClass::Metadata,
        [169, 254, 42, 42] | [169, 254, 0, 23] | [169, 254, 10, 10] => AddressClass::Metadata,
        [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => AddressClass::Metadata,
        [169, 254, ..] => AddressClass::LinkLocal,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [100, 64..=127, ..] => AddressClass::Cgnat,
        [224..=239, ..] => AddressClass::Multicast,
        [0, ..] => AddressClass::Unspecified,
        [198, 18 | 19, ..] => AddressClass::Benchmark,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23] => AddressClass::Metadata,
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => AddressClass::Metadata,
        [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe] => AddressClass::Metadata,
        [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42] => AddressClass::Metadata,
        [0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200] => AddressClass::Metadata,
        [0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1] => AddressClass::Metadata,
        [0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe] => AddressClass::Metadata,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => AddressClass::Private,
        [0xfc00..=0xfdff, ..] => AddressClass::UniqueLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0x2001, 2, 0, ..] => AddressClass::Benchmark,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        // Teredo is a part of 2001::/23, and leads to the IPv4 address inside.
        [0x2001, 0, ..] => AddressClass::Public,
        [0x2001, 0..=0x1ff, ..] => AddressClass::Reserved,
        // NAT64 leads to the IPv4 address inside, too.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

/// Every address that a connection to this one may end at: itself, and the IPv4 addresses that
/// an IPv6 address has inside for some translator or tunnel on the way.
pub(crate) fn faces(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let address = address.to_canonical();
    let inside = match address {
        IpAddr::V4(_) => [None, None],
        IpAddr::V6(address) => inside(address),
    };
    std::iter::once(address).chain(inside.into_iter().flatten().map(IpAddr::V4))
}

fn inside(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // "IPv4-compatible" (RFC 4291 §2.5.5.1), and as SIIT writes it (RFC 2765 §2.1).
        [0, 0, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => [v4(high, low), None],
        // NAT64 (RFC 6052 §2.1; RFC 8215 for the network's own).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => {
            [v4(high, low), None]
        }
        // 6to4 (RFC 3056 §2).
        [0x2002, high, low, ..] => [v4(high, low), None],
        // Teredo: its server, and its client with all bits turned over (RFC 4380 §4).
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            [v4(server_high, server_low), v4(!high, !low)]
        }
        // ISATAP (RFC 5214 §6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => [v4(high, low), None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_class() {
        use AddressClass::*;
        for (class, addresses) in [
            (Metadata, "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200"),
            (Metadata, "168.63.129.16 192.0.0.192 fd00:ec2::254 fd00:ec2::23 fd20:ce::254"),
            (Metadata, "fd00:c1::a9fe:a9fe fd00:42::42 fd00:100::100:200 fd00:a9fe:a9fe::1"),
            (Metadata, "fe80::a9fe:a9fe 169.254.42.42 169.254.0.23 169.254.10.10"),
            (Metadata, "::ffff:169.254.169.254"),
            (LinkLocal, "169.254.0.0 169.254.255.255 169.254.169.253 fe80:: febf:ffff::1"),
            (Loopback, "127.0.0.0 127.255.255.255 ::1 ::ffff:127.0.0.1"),
            (Private, "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.1"),
            (Private, "fec0::1 feff::1 64:ff9b:1::1 64:ff9b:1:ffff::1"),
            (UniqueLocal, "fc00:: fdff::1 fd00:ec2::253"),
            (Cgnat, "100.64.0.0 100.127.255.255"),
            (Multicast, "224.0.0.1 239.255.255.255 ff02::1"),
            (Unspecified, "0.0.0.0 0.255.255.255 ::"),
            (Benchmark, "198.18.0.0 198.19.255.255 2001:2::1"),
            (Documentation, "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1 3fff:fff::1"),
            (Reserved, "192.0.0.1 192.88.99.1 240.0.0.1 255.255.255.255"),
            (Reserved, "100::1 100:0:0:1::1 2001:1::1 2001:1ff::1 5f00::1 1fff:ffff::1 4000::1"),
            (
                Reserved,
                "::2 ::1.1.1.1 ::ffff:0:1.1.1.1 64:ff9b::1:0:0 64:ff9b:2::1 200::1 fbff::1 fe00::1",
            ),
            (Public, "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255"),
            (Public, "128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0"),
            (Public, "192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.1.1.1"),
            (Public, "2000::1 2606:4700::1111 2001:200::1 2001:db9::1 2002::1 3fff:1000::1"),
            (Public, "64:ff9b::101:101 2001:0:101:101::1"),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(AddressClass::of(address.parse().unwrap()), class, "{address}");
            }
        }
    }

    #[test]
    fn all_that_lies_inside_is_found() {
        for (address, inside) in [
            ("192.0.2.1", ""),
            ("2606:4700::1", ""),
            ("::", ""),
            ("::1", ""),
            ("::ffff:10.0.0.1", ""), // which is 10.0.0.1
            ("::10.0.0.1", "10.0.0.1"),
            ("::ffff:0:10.0.0.1", "10.0.0.1"),
            ("64:ff9b::10.0.0.1", "10.0.0.1"),
            ("64:ff9b:1::10.0.0.1", "10.0.0.1"),
            ("64:ff9b:1:7f:0:1:a9fe:a9fe", "169.254.169.254"),
            ("2002:7f00:1::1", "127.0.0.1"),
            ("2001:0:a00:1::f5ff:fffe", "10.0.0.1 10.0.0.1"),
            ("2606:4700::5efe:10.0.0.1", "10.0.0.1"),
            ("2606:4700::200:5efe:10.0.0.1", "10.0.0.1"),
        ] {
            let found: Vec<_> =
                faces(address.parse().unwrap()).skip(1).map(|face| face.to_string()).collect();
            assert_eq!(found.join(" "), inside, "{address}");
        }
        let mapped: Vec<_> = faces("::ffff:10.0.0.1".parse().unwrap()).collect();
        assert_eq!(mapped, ["10.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn words_differ() {
        let words: std::collections::HashSet<_> =
            AddressClass::ALL.iter().map(|class| class.word()).collect();
        assert_eq!(words.len(), AddressClass::ALL.len());
    }
}
