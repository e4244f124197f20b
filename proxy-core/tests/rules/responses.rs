//! Rules about responses.

use super::*;

#[test]
fn a_rule_about_responses_that_reports_is_told_of() {
    let origin = Origin::always(OK);
    let late = Rule::new("late", Verdict::SilentDrop).in_mode(Mode::Report);
    let stage = stage(RuleSet::new([
        late.when(|it| it.longer_than = Some(1)),
        Rule::new("own", Verdict::Allow),
    ]));
    assert_eq!(stage.client().send(origin.get("/")).answer().text(), "ok");
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.rule, record.reported), (Some("own"), Some("late")));
}

#[test]
fn of_rules_behind_rules_each_know_where_a_request_has_passed_them() {
    let origin = Origin::always(OK);
    let long = |name: &str| {
        Rule::new(name, Verdict::deny(Denial::new())).when(|it| it.longer_than = Some(1))
    };
    let pass = || Rule::new("pass", Verdict::Allow);
    // Each of the two has its say about the response, or has not, by its own order.
    for (outer, inner, rule) in [
        ([pass(), long("outer")], [pass(), long("inner")], None),
        ([long("outer"), pass()], [pass(), long("inner")], Some("outer")),
        ([pass(), long("outer")], [long("inner"), pass()], Some("inner")),
        ([long("outer"), pass()], [long("inner"), pass()], Some("outer")),
    ] {
        let [outer, inner] =
            [outer, inner].map(|rules| RulesHandler::new(RuleSet::new(rules).compile().unwrap()));
        let stage = Stage::with(|builder| builder.handler(outer.in_front_of(inner)));
        let status = stage.client().send(origin.get("/")).answer().status;
        assert_eq!(status, if rule.is_some() { 403 } else { 200 }, "{rule:?}");
        let record = stage.closed();
        assert_eq!(record.as_record().rule, rule.or(Some("pass")));
    }
}

#[test]
fn responses_are_refused_by_status_type_and_length() {
    let origin = Origin::always(OK);
    let refused = |set: fn(&mut Conditions)| {
        let stage = ruled(Verdict::deny(Denial::new().with_message("Too much.")), set);
        let mut client = stage.client();
        let answer = client.send(origin.get("/")).answer();
        let is_refused = answer.status == 403;
        if is_refused {
            assert!(answer.text().contains("Too much.") && !answer.text().contains("ok"));
            logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
            assert_eq!(client.send(origin.get("/")).answer().status, 403, "it goes on");
        } else {
            logs(&stage, Some(200), None, "default");
        }
        is_refused
    };
    assert!(refused(|it| it.content_types = vec!["text/*".parse().unwrap()]));
    assert!(!refused(|it| it.content_types = vec!["video/*".parse().unwrap()]));
    assert!(refused(|it| it.longer_than = Some(1)));
    assert!(!refused(|it| it.longer_than = Some(2)));
    assert!(refused(|it| it.statuses = vec![StatusRange { first: 200, last: 299 }]));
    assert!(!refused(|it| it.statuses = vec![StatusRange { first: 300, last: 599 }]));
}

#[test]
fn a_response_can_be_dropped_without_a_word() {
    let origin = Origin::always(OK);
    let stage = ruled(Verdict::SilentDrop, |it| it.longer_than = Some(1));
    stage.client().send(origin.get("/")).expect_end();
    logs(&stage, None, Some(Reason::ClosedByHandler), "it");
}
