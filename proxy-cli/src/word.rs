//! [`Word`]: settings that are one of some words.

/// A field that holds one of some words.
pub trait Word {
    fn words(&self) -> &'static [&'static str];
    fn get(&self) -> &'static str;
    /// To be called with one of the words.
    fn set(&mut self, word: &str);
}

/// Makes words of the values of a type. The first is what stands where no other does.
macro_rules! words {
    ($type:ty: $($word:literal => $value:expr),+) => {
        impl Word for $type {
            fn words(&self) -> &'static [&'static str] {
                &[$($word),+]
            }

            fn get(&self) -> &'static str {
                let known = [$(($word, $value)),+];
                known.into_iter().find(|(_, value)| value == self).map_or(known[0].0, |(word, _)| word)
            }

            fn set(&mut self, word: &str) {
                let known = [$(($word, $value)),+];
                let found = known.iter().find(|(known, _)| *known == word);
                *self = found.unwrap_or(&known[0]).1;
            }
        }
    };
}

pub(crate) use words;
