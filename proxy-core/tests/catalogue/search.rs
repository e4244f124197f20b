//! Looking for bytes in bytes.

/// Where a part first stands.
pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// The same with each `what` replaced.
pub fn replaced(mut bytes: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(at) = find(bytes, what) {
        out.extend_from_slice(&bytes[..at]);
        out.extend_from_slice(by);
        bytes = &bytes[at + what.len()..];
    }
    out.extend_from_slice(bytes);
    out
}

/// The same with the origin's address in its places.
pub fn placed(bytes: &[u8], origin: &str) -> Vec<u8> {
    replaced(bytes, b"{origin}", origin.as_bytes())
}
