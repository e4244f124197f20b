//! Answers of the admin address: all alike in what they say of themselves.

use super::actions::ActionError;
use super::endpoint::Endpoint;
use super::gate::{MEANT, Turned};
use crate::handler::Response;
use crate::logger::JsonText;

/// Words for people.
pub(super) fn words(status: u16, words: &str) -> Response {
    of_type(status, "text/plain; charset=utf-8").with_body(format!("{words}\n"))
}

/// An object for programs.
pub(super) fn json(status: u16, write: impl FnOnce(&mut JsonText)) -> Response {
    let mut body = JsonText::object(write).into_bytes();
    body.push(b'\n');
    of_type(status, "application/json").with_body(body)
}

/// Something of this type, without a body yet.
pub(super) fn of_type(status: u16, media_type: &str) -> Response {
    Response::new(status)
        .with_field("Content-Type", media_type)
        // All of it is of this moment, and for this client.
        .with_field("Cache-Control", "no-store")
        .with_field("X-Content-Type-Options", "nosniff")
        // Not even as a picture on somebody else's page.
        .with_field("Cross-Origin-Resource-Policy", "same-origin")
}

/// What is told to who asks for something that cannot be done there.
pub(super) fn other_method(endpoint: &Endpoint) -> Response {
    let allowed = endpoint.methods();
    words(405, &format!("that cannot be done here: {allowed} can")).with_field("Allow", allowed)
}

/// What is told to who has asked wrongly.
pub(super) fn wrong(problem: impl AsRef<str>) -> Response {
    words(400, problem.as_ref())
}

/// What is told of something that was not done.
pub(super) fn not_done(error: ActionError) -> Response {
    match error {
        ActionError::Unsupported => words(501, "this program has no such thing"),
        ActionError::Failed(complaints) => json(422, |json| {
            json.key("complaints").list(&complaints, |json, complaint| json.text(complaint));
        }),
    }
}

/// What is told to who is not let in.
pub(super) fn turned_away(turned: Turned) -> Response {
    match turned {
        Turned::NotAProxy => {
            words(421, "this is no proxy: it is an address for its administration")
        }
        Turned::OtherHost => words(
            421,
            "this address is not known by that name: ask for it by its number or as localhost",
        ),
        Turned::OtherSite => words(
            403,
            "a page of another site has sent this: open this address by itself, not by a link",
        ),
        Turned::MayBeAForm => {
            words(403, &format!("say that it is meant: send `{MEANT}: 1`, which no form can"))
        }
        Turned::NoToken => unknown("a token is needed here: `Authorization: Bearer …`"),
        Turned::WrongToken => unknown("the token is wrong"),
    }
}

/// RFC 9110 §15.5.2: who is told that must be told how.
fn unknown(what: &str) -> Response {
    words(401, what).with_field("WWW-Authenticate", "Bearer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_for_now_and_for_whoever_has_asked() {
        let answers = [
            words(200, "ok"),
            json(200, |_| {}),
            other_method(&Endpoint::Reload),
            wrong("so"),
            not_done(ActionError::Unsupported),
            not_done(ActionError::Failed(vec!["a".to_owned()])),
            turned_away(Turned::WrongToken),
        ];
        for answer in answers {
            let has = |field: (&str, &str)| answer.fields().any(|own| own == field);
            assert!(has(("Cache-Control", "no-store")), "{answer:?}");
            assert!(has(("X-Content-Type-Options", "nosniff")), "{answer:?}");
            assert!(answer.has_field("Content-Type") && answer.body().ends_with(b"\n"));
        }
    }

    #[test]
    fn statuses_have_the_fields_they_need() {
        let answer = other_method(&Endpoint::Bans);
        assert_eq!(
            answer.fields().find(|(name, _)| *name == "Allow").unwrap().1,
            "GET, HEAD, POST, DELETE"
        );
        assert!(turned_away(Turned::NoToken).has_field("WWW-Authenticate"));
    }
}
