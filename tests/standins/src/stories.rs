//! What happens to a household, drawn at random: who joins, watches, leaves, comes back and is protected, and what fails.
//! Times are in hours from the beginning.

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::model::Rule;

/// Tautulli's record begins at a midnight; the household's story at noon.
pub const NOON: i64 = 12;

/// Something that somebody does, or that is done for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Watches,
    /// Whoever is here leaves; whoever isn't accepts an invitation.
    ComesOrGoes,
    /// On the whitelist through the day that is so many days away.
    Spared(i64),
}

/// One person.
#[derive(Clone, Debug)]
pub struct Life {
    /// Hours before the beginning at which they joined; none: they come later, if ever.
    pub joined_before: Option<i64>,
    /// Hours before the beginning at which they watched.
    pub watched_before: Vec<i64>,
    /// In the order of time, one an hour at most.
    pub deeds: Vec<(i64, Deed)>,
    pub vip: bool,
    pub home: bool,
    pub kept: bool,
    pub has_address: bool,
    /// plex.tv doesn't say when they joined.
    pub undated: bool,
}

/// What fails in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// plex.tv answers with errors.
    Plex,
    /// Tautulli answers with errors.
    Tautulli,
    /// Only its history does.
    History,
    /// Tautulli is cut off from Plex up to the next pass, and records nothing.
    CutOff,
    /// The share can't be ended.
    End,
    /// Tautulli can't delete anybody.
    Delete,
    Mail,
}

/// A household's story.
#[derive(Clone, Debug)]
pub struct Story {
    pub rule: Rule,
    /// Hours before the beginning at which Tautulli's record begins; less than none: after it.
    pub recording_since: i64,
    pub lives: Vec<Life>,
    /// When passes are made, in order, what goes wrong in each, and who is at a film then.
    pub passes: Vec<(i64, Trouble, Vec<bool>)>,
}

/// Hours without a film: of any length, and around the thresholds as often.
fn gap(rule: Rule) -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 1i64..96,
        2 => 1..=rule.kick * 48,
        2 => (Just(rule.warn * 24), -3i64..=3).prop_map(|(near, by)| near + by),
        3 => (Just(rule.kick * 24), -3i64..=3).prop_map(|(near, by)| near + by),
        1 => (Just(rule.kick * 24 + 24), -3i64..=3).prop_map(|(near, by)| near + by),
    ]
}

fn life(rule: Rule, hours: i64) -> impl Strategy<Value = Life> {
    let comes_or_goes = prop_oneof![3 => Just(0usize), 2 => 1..4usize];
    let times = comes_or_goes.prop_flat_map(move |count| prop::collection::vec(0..hours, count));
    let spared = prop_oneof![3 => Just(0usize), 1 => 1..3usize];
    let spared = spared.prop_flat_map(move |count| prop::collection::vec((0..hours, 0..rule.kick + 5), count));
    let before = prop_oneof![6 => (0i64..rule.kick * 48 + 48).prop_map(Some), 1 => Just(None)];
    let one_in = |count: u32| prop::bool::weighted(1.0 / f64::from(count));
    let flags = (one_in(8), one_in(8), one_in(10), one_in(5), one_in(6));
    let films = prop::collection::vec(gap(rule), 0..60);
    (before, prop::collection::vec(0i64..rule.kick * 50, 0..3), films, times, spared, flags).prop_map(
        move |(joined_before, watched_before, films, times, spared, flags)| {
            let (vip, home, not_kept, no_address, undated) = flags;
            let mut deeds: Vec<(i64, Deed)> = times.into_iter().map(|time| (time, Deed::ComesOrGoes)).collect();
            deeds.extend(spared.into_iter().map(|(time, days)| (time, Deed::Spared(days))));
            let mut time = -watched_before.iter().min().copied().unwrap_or_default();
            for gap in films {
                time += gap;
                deeds.extend((0..hours).contains(&time).then_some((time, Deed::Watches)));
            }
            deeds.sort_by_key(|(time, _)| *time);
            deeds.dedup_by_key(|(time, _)| *time);
            let home = home && joined_before.is_some();
            let (kept, has_address) = (!not_kept, !no_address);
            Life { joined_before, watched_before, deeds, vip, home, kept, has_address, undated }
        },
    )
}

fn trouble() -> impl Strategy<Value = Trouble> {
    use Trouble::{CutOff, Delete, End, History, Mail, None, Plex, Tautulli};
    prop_oneof![
        7 => Just(None),
        3 => prop::sample::select(vec![Plex, Tautulli, History, CutOff, End, Delete, Mail]),
    ]
}

/// A story of so many hours with up to `people` people and a pass every `every` hours.
pub fn story(
    rule: impl Strategy<Value = Rule> + 'static,
    hours: i64,
    people: usize,
    every: std::ops::RangeInclusive<i64>,
) -> BoxedStrategy<Story> {
    rule.prop_flat_map(move |rule| {
        let lives = prop::collection::vec(life(rule, hours), 1..=people);
        let most = usize::try_from(hours / every.start()).unwrap_or_default();
        let passes = prop::collection::vec(
            (every.clone(), trouble(), prop::collection::vec(prop::bool::weighted(0.03), people)),
            most,
        );
        let begins =
            prop_oneof![2 => Just(400 * 24), 1 => 0i64..rule.kick * 48].prop_map(|hours| hours / 24 * 24 + NOON);
        (Just(rule), begins, lives, passes)
    })
    .prop_map(move |(rule, recording_since, lives, passes)| {
        let mut time = 0;
        let timed = passes.into_iter().map(|(gap, trouble, watching)| {
            time += gap;
            (time, trouble, watching)
        });
        let passes = timed.take_while(|(time, _, _)| *time < hours).collect();
        Story { rule, recording_since, lives, passes }
    })
    .boxed()
}

/// Thresholds of any size, and the default ones.
pub fn any_rule(longest: i64) -> impl Strategy<Value = Rule> {
    let days = (1..=longest, 1i64..=7).prop_map(|(warn, more)| (warn, warn + more));
    (days, any::<bool>(), prop::bool::weighted(0.3)).prop_map(move |((warn, kick), warn_first, prune_home)| {
        let (warn, kick) = if longest > 27 && warn % 2 == 0 { (27, 30) } else { (warn, kick) };
        Rule { warn, kick, warn_first, prune_home }
    })
}

/// How often each thing happened in all the stories of a run, so that it is known to be put to the test.
#[derive(Debug, Default)]
pub struct Tally {
    pub warnings: usize,
    pub removals: usize,
    pub returns: usize,
}

/// Runs so many stories, always the same ones for a seed. A failure shows the shortest story that fails. To look for more,
/// `SIMULATION_SEED` (0 to 255) and `SIMULATION_CASES` take the place of what is given here.
pub fn run(
    cases: u32,
    seed: u8,
    stories: impl Strategy<Value = Story>,
    live: impl Fn(&Story, &mut Tally) -> Result<(), String>,
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
