//! Random households, day by day through simulated years, against a deliberately naive model of the rule: nobody is removed whom the
//! model would keep, everybody whom the model removes is gone by the next healthy pass, and had the chances that the rules promise.

mod binary;
mod rule;

use proptest::strategy::Strategy;

use crate::support::model::Rule;
use crate::support::stories::{any_rule, run, story};

const YEAR: i64 = 365 * 24;

#[test]
fn thousands_of_households_live_through_a_year_by_the_rule_and_by_a_naive_model_of_it() {
    let tally = run(2000, 1, story(any_rule(40), YEAR, 4, 20..=30), rule::live_through);
    assert!(tally.warnings > 5000 && tally.removals > 2500 && tally.returns > 1000, "{tally:?}");
}

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
