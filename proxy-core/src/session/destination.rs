//! Which of the addresses that a connector has planned are dialled at all.

use std::net::SocketAddr;

use super::settings::Settings;
use super::story::Asides;
use crate::error::Reason;
use crate::net::is_this_machines;
use crate::policy::Guarding;

/// What is left of `addresses`: none of the proxy's own, since the request would come back for
/// ever, and none that the guard refuses.
///
/// This stands between every plan and every dial. A name is looked up anew for each attempt, and
/// what it leads to then is looked at anew. Why an address is left out is noted with the `asides`.
pub(super) fn permitted(
    asides: &mut Option<Box<Asides>>,
    mut addresses: Vec<SocketAddr>,
    guarding: Guarding,
    settings: &Settings,
) -> Result<Vec<SocketAddr>, Reason> {
    let mut reason = Reason::ConnectFailed;
    addresses.retain(|&address| match verdict(asides, address, guarding, settings) {
        Ok(()) => true,
        Err(refused) => {
            reason = refused;
            false
        }
    });
    if addresses.is_empty() { Err(reason) } else { Ok(addresses) }
}

fn verdict(
    asides: &mut Option<Box<Asides>>,
    address: SocketAddr,
    guarding: Guarding,
    settings: &Settings,
) -> Result<(), Reason> {
    if is_own(address, &settings.own_addresses) {
        Asides::note(asides, || format!("{address} is not dialled: this proxy listens there"));
        return Err(Reason::LoopDetected);
    }
    if is_own(address, &settings.kept_away) {
        log::debug!("{address} is not dialled: it is among those to keep away from");
        return Err(Reason::DestinationNotAllowed);
    }
    if guarding == Guarding::Guarded
        && let Err(class) = settings.guard.check(address.ip())
    {
        let told = || {
            format!("{address} is not dialled: it is {class}, which the destination guard refuses")
        };
        Asides::note(asides, told);
        return Err(Reason::DestinationNotAllowed);
    }
    Ok(())
}

/// Whether `address` leads to one of the listeners `own`, be they this proxy's or others' here.
pub(super) fn is_own(address: SocketAddr, own: &[SocketAddr]) -> bool {
    // An IPv4 address in its IPv6 form leads to the same place.
    let ip = address.ip().to_canonical();
    own.iter().filter(|own| own.port() == address.port()).any(|own| {
        own.ip().to_canonical() == ip
            || ip.is_unspecified()
            // One that listens on every address of the machine listens on this one, too.
            || own.ip().is_unspecified() && (ip.is_loopback() || is_this_machines(ip))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxys_own_addresses_are_recognised() {
        let own = ["127.0.0.1:8888".parse().unwrap(), "[::]:9999".parse().unwrap()];
        for (address, expected) in [
            ("127.0.0.1:8888", true),
            ("0.0.0.0:8888", true),
            ("[::ffff:127.0.0.1]:8888", true),
            ("127.0.0.1:8889", false),
            ("127.0.0.2:8888", false),
            ("[::1]:9999", true),
            ("127.0.0.1:9999", true),
            ("127.9.9.9:9999", true),
            ("192.0.2.1:9999", false),
        ] {
            assert_eq!(is_own(address.parse().unwrap(), &own), expected, "{address}");
        }
    }
}
