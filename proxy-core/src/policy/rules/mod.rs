//! Who may go where: rules in their order, of which the first that matches decides.
//!
//! ```text
//!  RuleSet ── compile ──▶ Rules ── decide(Subject) ──────────▶ Decision: rule, Verdict
//!   Rule                   │  └── decide_response(Subject) ──▶ Option<Decision>
//!    Conditions            ├───── explain(Subject) ──────────▶ Explanation: Steps, Findings
//!    Verdict               └───── warnings
//! ```
//!
//! Rules without conditions about the response decide about the request; those with such wait for
//! it, and have their say only if they stand before the rule that has let the request pass. So it
//! is always the first of all rules whose conditions hold that decides.
//!
//! Nothing here reads files, looks at a clock, or finds out who a user is: lists come as
//! [`DomainList`] and [`NetworkList`], the time and the user with the [`Subject`]. What a rule sees of a host is its name. Which addresses a name has is the
//! [`DestinationGuard`](crate::DestinationGuard)'s business, and what it refuses no rule allows.

mod check;
mod compiled;
mod condition;
mod explanation;
mod pattern;
mod rule;
mod schedule;
mod subject;
#[cfg(test)]
mod tests;
mod url;
mod url_pattern;
mod verdict;
mod warning;
mod zone;

pub use super::domain_list::{DomainError, DomainList};
pub use super::glob::{Glob, GlobError};
pub use super::list::ListError;
pub use super::network_list::NetworkList;
pub use compiled::{Decision, RulePart, Rules, RulesError};
pub use condition::Condition;
pub use explanation::{Explanation, Finding, Outcome, Step};
pub use pattern::{FieldPattern, HostPattern, PatternError};
pub use rule::{Conditions, Mode, RequestKind, Rule, RuleSet, StatusRange};
pub use schedule::{Days, Schedule, ScheduleError, Span};
pub use subject::Subject;
pub use url_pattern::UrlPattern;
pub use verdict::{Denial, NamedUpstream, Verdict};
pub use warning::{Shortcoming, Warning};
pub use zone::Zone;
