//! [`MethodLabel`] and [`StatusClass`]: what requests are counted by. However many methods clients
//! make up, there are only so many of these.

/// A method, as far as metrics tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MethodLabel {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH`
    Patch,
    /// Any other one.
    Other,
    /// No request was understood.
    None,
}

impl MethodLabel {
    /// All of them.
    pub const ALL: [MethodLabel; 11] = [
        MethodLabel::Get,
        MethodLabel::Head,
        MethodLabel::Post,
        MethodLabel::Put,
        MethodLabel::Delete,
        MethodLabel::Connect,
        MethodLabel::Options,
        MethodLabel::Trace,
        MethodLabel::Patch,
        MethodLabel::Other,
        MethodLabel::None,
    ];

    /// The value of the label.
    pub const fn label(self) -> &'static str {
        match self {
            MethodLabel::Get => "GET",
            MethodLabel::Head => "HEAD",
            MethodLabel::Post => "POST",
            MethodLabel::Put => "PUT",
            MethodLabel::Delete => "DELETE",
            MethodLabel::Connect => "CONNECT",
            MethodLabel::Options => "OPTIONS",
            MethodLabel::Trace => "TRACE",
            MethodLabel::Patch => "PATCH",
            MethodLabel::Other => "other",
            MethodLabel::None => "none",
        }
    }

    /// That of a request that was understood. Methods are case-sensitive (RFC 9110 §9.1).
    #[inline]
    pub(crate) fn of(method: &[u8]) -> MethodLabel {
        match method {
            b"GET" => MethodLabel::Get,
            b"HEAD" => MethodLabel::Head,
            b"POST" => MethodLabel::Post,
            b"PUT" => MethodLabel::Put,
            b"DELETE" => MethodLabel::Delete,
            b"CONNECT" => MethodLabel::Connect,
            b"OPTIONS" => MethodLabel::Options,
            b"TRACE" => MethodLabel::Trace,
            b"PATCH" => MethodLabel::Patch,
            _ => MethodLabel::Other,
        }
    }
}

/// The first digit of a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusClass {
    /// 101, which ends an exchange and begins a tunnel.
    Informational,
    /// 200 to 299.
    Successful,
    /// 300 to 399.
    Redirection,
    /// 400 to 499.
    ClientError,
    /// 500 and above: whoever gets a code beyond 599 is to take it for one of these (RFC 9110 §15).
    ServerError,
    /// The client was sent none.
    None,
}

impl StatusClass {
    /// All of them.
    pub const ALL: [StatusClass; 6] = [
        StatusClass::Informational,
        StatusClass::Successful,
        StatusClass::Redirection,
        StatusClass::ClientError,
        StatusClass::ServerError,
        StatusClass::None,
    ];

    /// The value of the label.
    pub const fn label(self) -> &'static str {
        match self {
            StatusClass::Informational => "1xx",
            StatusClass::Successful => "2xx",
            StatusClass::Redirection => "3xx",
            StatusClass::ClientError => "4xx",
            StatusClass::ServerError => "5xx",
            StatusClass::None => "none",
        }
    }

    /// That of the status the client was sent.
    #[inline]
    pub(crate) fn of(status: Option<u16>) -> StatusClass {
        match status {
            None => StatusClass::None,
            Some(..200) => StatusClass::Informational,
            Some(200..300) => StatusClass::Successful,
            Some(300..400) => StatusClass::Redirection,
            Some(400..500) => StatusClass::ClientError,
            Some(500..) => StatusClass::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_place_in_the_list_and_a_label_of_its_own() {
        for (place, method) in MethodLabel::ALL.into_iter().enumerate() {
            assert_eq!(method as usize, place);
            assert!(MethodLabel::ALL[..place].iter().all(|it| it.label() != method.label()));
        }
        for (place, class) in StatusClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
            assert!(StatusClass::ALL[..place].iter().all(|it| it.label() != class.label()));
        }
    }

    #[test]
    fn known_methods_have_their_own_label_and_all_others_share_one() {
        for method in MethodLabel::ALL {
            let named = matches!(method, MethodLabel::Other | MethodLabel::None);
            let expected = if named { MethodLabel::Other } else { method };
            assert_eq!(MethodLabel::of(method.label().as_bytes()), expected);
        }
        for method in ["get", "PROPFIND", "", "-"] {
            assert_eq!(MethodLabel::of(method.as_bytes()), MethodLabel::Other);
        }
    }

    #[test]
    fn classes_are_those_of_the_first_digit_and_what_is_unknown_is_a_server_error() {
        for (status, class) in [
            (None, "none"),
            (Some(101), "1xx"),
            (Some(200), "2xx"),
            (Some(299), "2xx"),
            (Some(304), "3xx"),
            (Some(444), "4xx"),
            (Some(599), "5xx"),
            (Some(999), "5xx"),
        ] {
            assert_eq!(StatusClass::of(status).label(), class);
        }
    }
}
