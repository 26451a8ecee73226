//! Random households, with the real program through weeks, against a deliberately naive model of the rule: nobody is removed whom the
//! model would keep, everybody whom the model removes is gone by the next healthy pass, and had the chances that the rules promise.

mod binary;

use proptest::strategy::Strategy;

use crate::support::model::Rule;
use crate::support::stories::{any_rule, run, story};

/// Thresholds that are met within weeks.
fn short(warn_first: bool) -> impl Strategy<Value = Rule> {
    any_rule(8).prop_map(move |rule| Rule { warn_first, ..rule })
}

#[test]
fn households_live_through_weeks_with_the_program_as_the_model_says() {
    let tally = run(16, 2, story(short(false), 45 * 24, 4, 6..=144), binary::live_through);
    assert!(tally.warnings > 15 && tally.removals > 10 && tally.returns > 5, "{tally:?}");
}

#[test]
fn households_live_through_weeks_with_the_program_and_warn_first_as_the_model_says() {
    let tally = run(16, 3, story(short(true), 45 * 24, 4, 6..=144), binary::live_through);
    assert!(tally.warnings > 15 && tally.removals > 5 && tally.returns > 5, "{tally:?}");
}
