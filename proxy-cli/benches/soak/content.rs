//! [`Content`]: bodies that both ends can make and check without having them from each other.

/// The bytes of one body, from the first on. They follow from the number of its request, so a
/// body that belongs to another request differs within its first eight bytes, and one that lost
/// or doubled a piece differs where it did.
pub(crate) struct Content {
    seed: u64,
    position: u64,
}

impl Content {
    /// The content of a request.
    pub(crate) fn of(request: u64) -> Content {
        Content { seed: mixed(request.wrapping_add(1)), position: 0 }
    }

    /// The next bytes.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next();
        }
    }

    /// Compares what has come with what comes next.
    ///
    /// # Errors
    ///
    /// The offset of the first byte that differs.
    pub(crate) fn check(&mut self, received: &[u8]) -> Result<(), u64> {
        for byte in received {
            let position = self.position;
            if self.next() != *byte {
                return Err(position);
            }
        }
        Ok(())
    }

    /// How many bytes have been made or compared.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    fn next(&mut self) -> u8 {
        let word = mixed(self.seed.wrapping_add(self.position / 8));
        let byte = word.to_le_bytes()[(self.position % 8) as usize];
        self.position += 1;
        byte
    }
}

/// A number that looks like chance and is not: the finaliser of SplitMix64, whose every output bit
/// depends on every input bit.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What an actor does by chance: the same again for the same `--seed`.
pub(crate) struct Chance(u64);

impl Chance {
    /// The chances of one actor.
    pub(crate) fn of(seed: u64, actor: u64) -> Chance {
        Chance(mixed(seed ^ mixed(actor)))
    }

    /// A number below `bound`, which is not 0. Its bias is of no account here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mixed(self.0) % bound
    }

    /// One of some things.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// A size up to `most`: small ones are as frequent as large ones, power by power.
    pub(crate) fn size(&mut self, most: u64) -> u64 {
        let bits = self.below(u64::from(most.ilog2()) + 1);
        self.below(2 << bits).min(most)
    }
}
