//! Random households, day by day through simulated years, against a deliberately naive model of the rule: nobody is removed whom the
//! model would keep, everybody whom the model removes is gone by the next healthy pass, and had the chances that the rules promise.

mod binary;
mod model;
mod plan;

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use model::Rule;
use plan::{Plan, any_rule, plan};

/// How often each thing happened in all the stories of a run, so that it is known to be put to the test.
#[derive(Debug, Default)]
struct Tally {
    warnings: usize,
    removals: usize,
    returns: usize,
}

/// Runs so many stories, always the same ones for a seed. A failure shows the shortest story that fails. To look for more,
/// `SIMULATION_SEED` (0 to 255) and `SIMULATION_CASES` take the place of what is given here.
fn run(
    cases: u32,
    seed: u8,
    stories: impl Strategy<Value = Plan>,
    live: impl Fn(&Plan, &mut Tally) -> Result<(), String>,
) -> Tally {
    let asked = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u32>().ok());
    let cases = asked("SIMULATION_CASES").unwrap_or(cases);
    let seed = asked("SIMULATION_SEED").map_or(seed, |seed| u8::try_from(seed).expect("a seed is 0 to 255"));
    let tally = Mutex::new(Tally::default());
    // A story with the program takes a second, and so does each try at a shorter one.
    let max_shrink_iters = if cases > 1000 { 5000 } else { 40 };
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let ran = runner.run(&stories, |story| live(&story, &mut tally.lock().unwrap()).map_err(TestCaseError::fail));
    if let Err(error) = ran {
        panic!("with the seed {seed}: {error}");
    }
    tally.into_inner().unwrap()
}

/// Thresholds that are met within weeks.
fn short(warn_first: bool) -> impl Strategy<Value = Rule> {
    any_rule(8).prop_map(move |rule| Rule { warn_first, ..rule })
}

#[test]
fn households_live_through_weeks_with_the_program_as_the_model_says() {
    let tally = run(16, 2, plan(short(false), 45 * 24, 4, 6..=144), binary::live_through);
    assert!(tally.warnings > 15 && tally.removals > 10 && tally.returns > 5, "{tally:?}");
}

#[test]
fn households_live_through_weeks_with_the_program_and_warn_first_as_the_model_says() {
    let tally = run(16, 3, plan(short(true), 45 * 24, 4, 6..=144), binary::live_through);
    assert!(tally.warnings > 15 && tally.removals > 5 && tally.returns > 5, "{tally:?}");
}
