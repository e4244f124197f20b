//! Why we are right where we do what nobody else does.

use crate::report::Entry;

/// A reason, and the rows it is for: those of a class that begins so, with this in their name.
pub(crate) struct Reason {
    pub(crate) text: &'static str,
    rows: &'static [(&'static str, &'static [&'static str])],
}

impl Reason {
    pub(crate) fn is_for(&self, entry: &Entry) -> bool {
        self.rows.iter().any(|(class, names)| {
            entry.class.starts_with(class) && names.iter().any(|name| entry.name.contains(name))
        })
    }
}

/// The first that fits counts.
pub(crate) const REASONS: [Reason; 13] = [
    Reason {
        text: "**A lone LF is no line end.** RFC 9112 §2.2 lets a recipient take it for one and does \
               not ask it to. Smuggling by line ends needs one who does and one who does not; the \
               three do, and we do not know who stands behind us.",
        rows: &[
            ("request line", &["LF"]),
            ("field syntax", &["LF"]),
            ("content-length", &["LF", "0x0a"]),
            ("transfer-encoding", &["LF", "0x0a"]),
            ("chunk data", &["LF"]),
            ("trailers", &["LF"]),
            ("response", &["LF"]),
        ],
    },
    Reason {
        text: "**Control bytes in values.** RFC 9110 §5.5 calls them invalid. Some recipients end a \
               value or a line there, others do not.",
        rows: &[
            ("field syntax", &["0x", "DEL", "backspace", "form feed", "vertical tab", "escape"]),
            ("transfer-encoding", &["between two fields for a line end"]),
            ("response: fields", &["DEL", "control byte"]),
        ],
    },
    Reason {
        text: "**Names that look like framing.** Servers of the CGI kind make `CONTENT_LENGTH` of \
               `Content_Length`, old ones of `Content.Length`, too. nginx drops such fields in \
               silence, HAProxy and Squid pass them on. Nobody sends them who means well.",
        rows: &[("content-length", &["in the name"]), ("transfer-encoding", &["in the name"])],
    },
    Reason {
        text: "**A `Host` that is no host** has to be answered with 400, whatever the target says \
               (RFC 9112 §3.2). HAProxy and nginx send it to the origin; Squid writes the target's \
               in its place. A port that is empty, 0 or too large stands in no URI that could be \
               asked for; the grammar allows it, the next reader may not.",
        rows: &[("host", &[""])],
    },
    Reason {
        text: "**Bounds.** The grammar has none: for zeros before a chunk size, for extensions, for \
               trailers, for the fields that `Connection` names. Each costs work for nothing, and \
               RFC 9112 §7.1.1 asks for a limit. Ours are far above what is in use.",
        rows: &[
            ("chunk sizes", &["17 digits", "300 zeros"]),
            ("chunk extensions", &["300 bytes"]),
            ("trailers", &["10,000 bytes", "200 of them"]),
            ("connection", &["33 options"]),
            ("response: chunks", &["10,000 bytes", "300 bytes"]),
        ],
    },
    Reason {
        text: "**Malformed trailers.** nginx and Squid throw a trailer section away without reading \
               it, HAProxy passes parts of it on. What is read as fields by the next hop has to be \
               fields (RFC 9112 §7.1.2, §5).",
        rows: &[("trailers", &[""]), ("response: chunks", &["trailer"])],
    },
    Reason {
        text: "**HTTP/1.2 and later.** RFC 9110 §2.5 would have it read as 1.1 (SHOULD). There is no \
               such version, so nobody sends it but who probes; 505 says what is wrong.",
        rows: &[("request line", &["HTTP/1."]), ("response: status line", &["HTTP/1.2"])],
    },
    Reason {
        text: "**More than one space in a request line.** RFC 9112 §3 lets a recipient split it \
               loosely and warns of what comes of that: two readers find two targets.",
        rows: &[("request line", &["two spaces"])],
    },
    Reason {
        text: "**`Max-Forwards` that is no number** cannot be counted down; passed on, it would bound \
               nothing (RFC 9110 §7.6.2).",
        rows: &[("methods", &["Max-Forwards"])],
    },
    Reason {
        text: "**`CONNECT` with a body.** What follows a `CONNECT` is the tunnel's (RFC 9110 §9.3.6); \
               with a body it would be read by two protocols.",
        rows: &[("methods", &["CONNECT"])],
    },
    Reason {
        text: "**`https` in a target.** Squid fetches it over TLS for the client, who then only seems \
               to have an encrypted connection. We say how to ask for a tunnel.",
        rows: &[("target", &["scheme"])],
    },
    Reason {
        text: "**Conflicting lengths in a response.** RFC 9112 §6.3 says that it ought to be handled \
               as an error, §6.1 that the framing of such an HTTP/1.0 message is faulty. The three \
               believe `Transfer-Encoding`. An origin whose responses have two lengths has been \
               tricked or is broken, and its next response may begin anywhere.",
        rows: &[("response: framing", &["chunked", "conflicting"])],
    },
    Reason {
        text: "**Going on behind an answer of our own.** A request that is not for a proxy is answered \
               with 400, its body is read to its end, which is known, and the next one is served. \
               Squid closes. (The reverse proxies pass these on: not comparable.)",
        rows: &[("pipelining", &["answered here", "its body looks like a request"])],
    },
];
