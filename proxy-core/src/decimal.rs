//! Numbers in decimal digits, without the machinery of `Display`: they stand in every head and in
//! every log line.

use std::net::Ipv4Addr;

/// The digits of a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    room: [u8; ROOM],
    start: usize,
}

/// The longest number has so many digits.
const ROOM: usize = 20;

/// All numbers of two digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

impl Decimal {
    pub(crate) fn new(mut number: u64) -> Decimal {
        let (mut room, mut start) = ([0; ROOM], ROOM);
        while number >= 10 {
            start -= 2;
            room[start..start + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
            number /= 100;
        }
        if number > 0 || start == ROOM {
            start -= 1;
            room[start] = b'0' + number as u8;
        }
        Decimal { room, start }
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.room[self.start..]
    }
}

/// Appends the digits of a number.
pub(crate) fn push_decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(Decimal::new(number).digits());
}

/// Appends an address as it is usually written.
pub(crate) fn push_ipv4(out: &mut Vec<u8>, address: Ipv4Addr) {
    let (mut text, mut length) = ([b'.'; 15], 0);
    for (place, octet) in address.octets().into_iter().enumerate() {
        length += usize::from(place > 0);
        if octet >= 100 {
            text[length] = b'0' + octet / 100;
            length += 1;
        }
        let [tens, ones] = PAIRS[usize::from(octet % 100)];
        if octet >= 10 {
            text[length] = tens;
            length += 1;
        }
        text[length] = ones;
        length += 1;
    }
    out.extend_from_slice(&text[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        let powers = (0..20).map(|digits| 10_u64.pow(digits));
        let near = powers.flat_map(|power| [power - 1, power, power + 1]);
        for number in near.chain(0..2000).chain([u64::MAX]) {
            let mut out = vec![b'='];
            push_decimal(&mut out, number);
            assert_eq!(out, format!("={number}").as_bytes());
        }
    }

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        for octet in 0..=255 {
            let address = Ipv4Addr::new(octet, 255 - octet, octet / 3, octet / 30);
            let mut out = Vec::new();
            push_ipv4(&mut out, address);
            assert_eq!(out, address.to_string().as_bytes());
        }
    }
}
