//! [`Number`]: settings that are numbers, of whatever width.

/// A field that holds a number, or may hold one.
pub trait Number {
    fn get(&self) -> Option<u64>;
    /// Sets it; more than it can hold is the most that it can hold.
    fn set(&mut self, number: u64);
}

macro_rules! number {
    ($($type:ty),+) => {$(
        impl Number for $type {
            fn get(&self) -> Option<u64> {
                // The largest value says "no limit" in every width.
                Some(if *self == <$type>::MAX { u64::MAX } else { *self as u64 })
            }

            fn set(&mut self, number: u64) {
                *self = <$type>::try_from(number).unwrap_or(<$type>::MAX);
            }
        }
    )+};
}

number!(u32, u64, usize);

impl<T: Number + Default> Number for Option<T> {
    fn get(&self) -> Option<u64> {
        self.as_ref().and_then(Number::get)
    }

    fn set(&mut self, number: u64) {
        self.insert(T::default()).set(number);
    }
}
