//! `Accept`: which of a few media types a client likes best (RFC 9110 §12.5.1).

use super::list::decimal;

/// A media type without parameters but `charset`, as in `text/html`.
pub(crate) type MediaType = (&'static str, &'static str);

/// The type among `offers` that the values of a request's `Accept` fields favour, and the first
/// where they favour none, or accept none: RFC 9110 §12.5.1 allows to send something else then.
///
/// Among types of equal quality, one that is asked for by its name goes before one that a
/// wildcard allows, and then the one that is named first. So `application/json, */*` gets JSON,
/// which its sender surely means.
pub(crate) fn favourite(accept: &[&[u8]], offers: &[MediaType]) -> MediaType {
    let mut best = (0, 0, 0);
    let mut favourite = offers[0];
    for &offer in offers {
        let ranges = accept.iter().flat_map(|value| unquoted(value, b',')).enumerate();
        // The most specific range that matches says what the type is worth.
        let mut worth = (0, 0, 0);
        for (place, range) in ranges {
            if let Some((precision, quality)) = weigh(range, offer)
                && precision > worth.1
            {
                worth = (quality, precision, usize::MAX - place);
            }
        }
        if worth.0 > 0 && worth > best {
            (best, favourite) = (worth, offer);
        }
    }
    favourite
}

/// If a media range matches a type: how precisely, from 1, and with what quality in thousandths.
/// A range that cannot be understood matches nothing.
fn weigh(range: &[u8], (kind, subtype): MediaType) -> Option<(u8, u64)> {
    let mut parts = unquoted(range, b';').map(<[u8]>::trim_ascii);
    let name = parts.next()?;
    let slash = name.iter().position(|&byte| byte == b'/')?;
    let (asked_kind, asked_subtype) = (&name[..slash], &name[slash + 1..]);
    let precision = match (asked_kind, asked_subtype) {
        (b"*", b"*") => 1,
        (asked, b"*") if asked.eq_ignore_ascii_case(kind.as_bytes()) => 2,
        (asked, rest)
            if asked.eq_ignore_ascii_case(kind.as_bytes())
                && rest.eq_ignore_ascii_case(subtype.as_bytes()) =>
        {
            3
        }
        _ => return None,
    };
    let mut quality = 1000;
    for parameter in parts.filter(|parameter| !parameter.is_empty()) {
        let equals = parameter.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&parameter[..equals], &parameter[equals + 1..]);
        if name.eq_ignore_ascii_case(b"q") {
            quality = thousandths(value)?;
        } else if !name.eq_ignore_ascii_case(b"charset") {
            // Another type than any that is offered, such as `text/html;level=1`.
            return None;
        }
    }
    Some((precision, quality))
}

/// A `qvalue`: from 0 to 1, with up to three decimals (RFC 9110 §12.4.2).
fn thousandths(value: &[u8]) -> Option<u64> {
    let (whole, decimals) = match value {
        [whole, b'.', decimals @ ..] => (whole, decimals),
        [whole] => (whole, &[][..]),
        _ => return None,
    };
    if decimals.len() > 3 {
        return None;
    }
    let mut digits = [b'0'; 3];
    digits[..decimals.len()].copy_from_slice(decimals);
    match (whole, decimal(&digits)?) {
        (b'0', thousandths) => Some(thousandths),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}

/// The parts of a value between separators that stand in no quoted string (RFC 9110 §5.6.4).
fn unquoted(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |&byte| {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        byte == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [MediaType; 3] = [("text", "plain"), ("text", "html"), ("application", "json")];

    fn choice(accept: &[&str]) -> &'static str {
        let values: Vec<&[u8]> = accept.iter().map(|value| value.as_bytes()).collect();
        favourite(&values, &OFFERS).1
    }

    #[test]
    fn clients_get_what_they_like_best() {
        for (accept, expected) in [
            ("text/html", "html"),
            ("TEXT/HTML", "html"),
            ("application/json", "json"),
            ("application/json; charset=utf-8", "json"),
            ("text/plain;q=0.5, text/html;q=0.6", "html"),
            ("text/plain ; q=0.5 ,\ttext/html ; Q=0.501", "html"),
            ("text/html;q=0.2,*/*;q=0.1", "html"),
            // A range that is precise overrules one that is not, wherever they stand.
            ("text/*;q=0.9, text/plain;q=0.1, */*;q=0.5", "html"),
            ("*/*, text/plain;q=0, text/html;q=0", "json"),
            // What browsers, axios and curl send.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "html"),
            ("image/avif,image/webp,image/*,*/*;q=0.8", "plain"),
            ("application/json, text/plain, */*", "json"),
            ("*/*", "plain"),
            // Equal qualities: by name before by wildcard, and in their order.
            ("*/*, text/html", "html"),
            ("text/html, application/json", "html"),
            ("application/json, text/html", "json"),
        ] {
            assert_eq!(choice(&[accept]), expected, "{accept}");
        }
        assert_eq!(choice(&["text/html;q=0.1", "application/json;q=0.2"]), "json");
    }

    #[test]
    fn who_likes_nothing_that_is_offered_gets_the_first() {
        for accept in ["", ",,", "image/png", "text/html;q=0", "*/*;q=0", "text/html;level=1"] {
            assert_eq!(choice(&[accept]), "plain", "{accept}");
        }
        assert_eq!(choice(&[]), "plain");
    }

    #[test]
    fn ranges_that_are_not_understood_count_for_nothing() {
        for accept in [
            "html",
            "/",
            "*/html",
            "text/html;q",
            "text/html;q=",
            "text/html;q=2",
            "text/html;q=1.001",
            "text/html;q=0.1234",
            "text/html;q=.5",
            "text/html;q=-1",
            "text/html;q=0,5x",
            "x/y;a=\", text/html, \"",
            "x/y;a=\"\\\", text/html, ",
        ] {
            assert_eq!(choice(&[accept]), "plain", "{accept}");
        }
        assert_eq!(choice(&["x/y;a=\"\\\"\", text/html"]), "html");
        assert_eq!(choice(&["x/y;a=\\\", text/html;b=\", text/html"]), "html");
    }

    #[test]
    fn qualities_have_three_decimals() {
        for (value, expected) in [
            ("0", Some(0)),
            ("1", Some(1000)),
            ("0.", Some(0)),
            ("1.000", Some(1000)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.001", Some(1)),
            ("", None),
            ("1.5", None),
            ("0.0001", None),
            ("0.x", None),
            ("10", None),
        ] {
            assert_eq!(thousandths(value.as_bytes()), expected, "{value}");
        }
    }
}
