//! Weeks of households through the real program, `welcome` and `sweep`, with its services and their faults.

use time::Duration;

use crate::support::model::{Due, Guest, Rule};
use crate::support::stories::{Deed, Life, NOON, Story, Tally, Trouble};
use crate::support::{Ago, Fault, Sandbox, any, cmd, delete, get};

/// The first person; the others follow. Before them come two who are at a film whenever anybody looks, so that Plex's list never
/// looks ill.
const FIRST: u64 = 1001;
const REGULARS: [u64; 2] = [901, 902];

/// A household in the sandbox, and what the model makes of it.
struct Household<'a> {
    story: &'a Story,
    sandbox: Sandbox,
    guests: Vec<Guest>,
    /// Who was ever here.
    met: Vec<bool>,
    hour: i64,
    cut_off: bool,
}

/// Lives through a story; who has access after each pass has to be whom the model leaves it to.
pub(crate) fn live_through(story: &Story, tally: &mut Tally) -> Result<(), String> {
    let mut household = Household::settle(story);
    let mut troubled = false;
    for (time, trouble, watching) in &story.passes {
        // A mail server that is down once is up the next time: a warning that waited for a week is given up and given again.
        let trouble = if troubled { Trouble::None } else { *trouble };
        troubled = story.rule.warn_first && trouble != Trouble::None;
        household.live_until(*time, tally)?;
        household.pass(trouble, watching, tally).map_err(|why| format!("at hour {time}, {trouble:?}: {why}"))?;
    }
    if household.sandbox.violations().is_empty() { Ok(()) } else { Err(household.sandbox.violations().join("; ")) }
}

fn hours_ago(hours: i64) -> Ago {
    Ago(Duration::hours(hours))
}

impl<'a> Household<'a> {
    fn settle(story: &'a Story) -> Self {
        let sandbox = crate::sandbox();
        let Rule { warn, kick, warn_first, prune_home } = story.rule;
        sandbox.live().set_env("WARN_DAYS", warn).set_env("KICK_DAYS", kick).set_env("WARN_FIRST", warn_first);
        sandbox.set_env("PRUNE_HOME_USERS", prune_home).set_env("MAX_REMOVALS", 100);
        // The record begins at a midnight, and the owner's film of that day shows it.
        sandbox.recording_since(hours_ago(record(story) + NOON));
        for id in REGULARS {
            sandbox.person(id, "regular");
        }
        let ids = (FIRST..).zip(&story.lives);
        let vips: Vec<String> = ids.clone().filter(|(_, life)| life.vip).map(|(id, _)| id.to_string()).collect();
        sandbox.set_env("VIP_NAMES", vips.join(","));
        let guests: Vec<Guest> = ids.map(|(id, life)| settle(&sandbox, id, life, story)).collect();
        let met = guests.iter().map(|guest| guest.here).collect();
        let household = Self { story, sandbox, guests, met, hour: 0, cut_off: false };
        household.sandbox.run(&["welcome"]).exits(0);
        household
    }

    /// What people do until then, an hour at a time where somebody does something.
    fn live_until(&mut self, end: i64, tally: &mut Tally) -> Result<(), String> {
        let story = self.story;
        let mut deeds: Vec<(i64, usize, Deed)> = Vec::new();
        for (number, life) in story.lives.iter().enumerate() {
            let soon = life.deeds.iter().filter(|(time, _)| (self.hour..end).contains(time));
            deeds.extend(soon.map(|(time, deed)| (*time, number, *deed)));
        }
        deeds.sort_by_key(|(time, number, _)| (*time, *number));
        for (time, number, deed) in deeds {
            self.pass_time(time);
            self.happen(number, deed, tally)?;
        }
        self.pass_time(end);
        Ok(())
    }

    fn pass_time(&mut self, until: i64) {
        for _ in self.hour..until {
            self.guests.iter_mut().for_each(|guest| guest.hour(&self.story.rule, true));
        }
        self.sandbox.advance(Duration::hours(until - self.hour));
        self.hour = until;
    }

    fn happen(&mut self, number: usize, deed: Deed, tally: &mut Tally) -> Result<(), String> {
        let recording = !self.cut_off;
        let (id, life, guest) = (FIRST + number as u64, &self.story.lives[number], &mut self.guests[number]);
        match deed {
            Deed::Watches if guest.here => {
                self.sandbox.known(id).watched(hours_ago(0));
                if recording {
                    guest.watches();
                }
            }
            Deed::Watches => {}
            Deed::ComesOrGoes if guest.here => {
                guest.goes();
                self.sandbox.leaves(id);
                return self.welcome();
            }
            Deed::ComesOrGoes => {
                guest.joins();
                if std::mem::replace(&mut self.met[number], true) {
                    tally.returns += 1;
                    self.sandbox.invite_again(id);
                } else {
                    introduce(&self.sandbox, id, life).joined(hours_ago(0));
                }
                if life.undated {
                    self.sandbox.known(id).accepted_at_null();
                }
                return self.welcome();
            }
            Deed::Spared(days) => {
                let until = self.sandbox.now().date() + Duration::days(days);
                let end = until.next_day().unwrap().midnight().assume_utc();
                guest.is_spared_for((end - self.sandbox.now()).whole_hours());
                let arguments = ["whitelist", "add", "--offline", &id.to_string(), "--until", &until.to_string()];
                self.sandbox.run(&arguments).exits(0);
            }
        }
        Ok(())
    }

    /// That pass is never far away: every two minutes.
    fn welcome(&self) -> Result<(), String> {
        let run = self.sandbox.run(&["welcome"]);
        if run.status == 0 { Ok(()) } else { Err(format!("a healthy welcome failed\n{run}")) }
    }

    fn pass(&mut self, trouble: Trouble, watching: &[bool], tally: &mut Tally) -> Result<(), String> {
        let sandbox = &self.sandbox;
        if std::mem::take(&mut self.cut_off) {
            sandbox.tautulli.connected(true);
        }
        for (number, guest) in self.guests.iter_mut().enumerate() {
            guest.watching = guest.here && watching.get(number) == Some(&true);
            if guest.watching {
                sandbox.starts_watching(FIRST + number as u64);
            }
        }
        for id in REGULARS {
            sandbox.known(id).watched(hours_ago(0));
        }
        self.break_down(trouble);
        let runs = ["welcome", "sweep"].map(|pass| self.sandbox.run(&[pass]));
        self.sandbox.mend();
        let told = || runs.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        if trouble == Trouble::None && runs.iter().any(|run| run.status != 0) {
            return Err(format!("a healthy pass failed\n{}", told()));
        }
        if !matches!(trouble, Trouble::Plex | Trouble::Tautulli | Trouble::CutOff) {
            self.sweep_by_the_model(trouble, tally)?;
        }
        for (id, guest) in (FIRST..).zip(&mut self.guests) {
            if self.sandbox.on_plex(id) != guest.here {
                let really = if guest.here { "removed" } else { "kept" };
                return Err(format!("{id} was {really}, and by the model is {guest:?}\n{}", told()));
            }
            if std::mem::take(&mut guest.watching) {
                self.sandbox.stops_watching(id);
                if trouble != Trouble::CutOff {
                    guest.watches();
                }
            }
        }
        Ok(())
    }

    fn break_down(&mut self, trouble: Trouble) {
        // Answers that are not worth another try.
        let refused = || Fault::status(403);
        let Sandbox { plex, tautulli, smtp, .. } = &self.sandbox;
        match trouble {
            Trouble::None => {}
            Trouble::Plex => drop(plex.fail(get("/api/v2/shared_servers"), refused())),
            Trouble::Tautulli => drop(tautulli.fail(any(), refused())),
            Trouble::History => drop(tautulli.fail(cmd("get_history"), refused())),
            Trouble::CutOff => {
                tautulli.connected(false);
                self.cut_off = true;
            }
            Trouble::End => drop(plex.fail(delete("/api"), refused())),
            Trouble::Delete => drop(tautulli.fail(cmd("delete_user"), refused())),
            Trouble::Mail => drop(smtp.busy()),
        }
    }

    fn sweep_by_the_model(&mut self, trouble: Trouble, tally: &mut Tally) -> Result<(), String> {
        let rule = &self.story.rule;
        for guest in &mut self.guests {
            match guest.due(rule) {
                // Right before each warning and each removal the history is looked at.
                Due::Warning | Due::Removal if trouble == Trouble::History => continue,
                Due::Removal => {
                    guest.had_their_chances(rule)?;
                    if trouble != Trouble::End {
                        tally.removals += 1;
                        guest.goes();
                    }
                    continue;
                }
                Due::Warning => {
                    tally.warnings += 1;
                    guest.warned = true;
                }
                Due::Nothing => {}
            }
            if guest.warned && guest.told.is_none() {
                if guest.watching || guest.is_protected(rule) {
                    // It is dropped, and given again if it is still due.
                    guest.warned = false;
                } else if trouble != Trouble::Mail && trouble != Trouble::History {
                    guest.told = Some(0);
                }
            }
        }
        Ok(())
    }
}

/// Hours before the beginning at which the record begins, at a midnight and before it.
fn record(story: &Story) -> i64 {
    (story.recording_since - NOON).max(24)
}

/// Somebody as they are at the beginning, in the sandbox and by the model.
fn settle(sandbox: &Sandbox, id: u64, life: &Life, story: &Story) -> Guest {
    let mut guest = Guest { vip: life.vip, kept: life.kept, ..Guest::default() };
    let Some(joined) = life.joined_before else { return guest };
    let person = introduce(sandbox, id, life).joined(hours_ago(joined));
    if life.home {
        person.home_user();
    }
    for watched in &life.watched_before {
        person.watched(hours_ago(*watched));
    }
    if life.undated {
        person.accepted_at_null();
    }
    // The day on which the record begins counts to its end.
    let counts_since = record(story) + NOON - 24;
    let joined = if life.undated { 0 } else { joined };
    guest.joins();
    guest.home = life.home;
    for ago in (0..=joined).rev() {
        if ago < joined {
            guest.hour(&story.rule, ago < counts_since);
        }
        if life.watched_before.contains(&ago) && ago <= record(story) + NOON && !(life.undated && ago > 0) {
            guest.watches();
        }
    }
    guest
}

/// Puts somebody into the household, known to Tautulli.
fn introduce<'a>(sandbox: &'a Sandbox, id: u64, life: &Life) -> crate::support::Person<'a> {
    let person = sandbox.person(id, &format!("guest{id}"));
    if !life.has_address {
        person.no_email();
    }
    if life.kept { person } else { person.no_history_kept() }
}
