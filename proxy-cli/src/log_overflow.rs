//! What is done when the access log cannot keep up, as a word.

use proxy_core::LogOverflow;

use crate::word::{Word, words};

words!(LogOverflow: "drop" => LogOverflow::Drop, "block" => LogOverflow::Block);
