use super::{
    carry_out::{Tally, carry_out},
    pass::Pass,
};
use crate::{
    cli::{self, Cli},
    config::Environment,
    error::{Error, Exit},
    logging::EVENT,
    notify::{Access, PassKind},
    people::People,
    plan,
    services::Question::{Server, Shares},
    words,
};

/// Finds people who joined since the last pass, welcomes them, and notes who left.
pub fn run(args: &cli::Welcome, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let mut pass = Pass::begin(PassKind::Welcome, &args.dry_run, cli, environment)?;
    let mut people = pass.observe(&[Server, Shares])?;
    let is_first = pass.store.state.is_fresh();
    let plan = plan::welcome(&people, &pass.store.state, &pass.settings, pass.now);
    if let Some(refusal) = &plan.refusal {
        pass.refuse(refusal)?;
        // A first pass that holds back stays the first one: it is still to come.
        if !is_first {
            note_time(&mut pass)?;
        }
        pass.deliver(true, |_| Access::Unknown)?;
        return Ok(pass.exit());
    }
    pass.note_sound_evidence();
    let tally = carry_out(plan, &mut people, &mut pass)?;
    pass.note_people(&people);
    if is_first {
        tell_of_first_pass(people.guests.len(), &pass);
    }
    if is_first || !pass.cut_short {
        pass.store.state.last_welcome_scan = Some(pass.now);
    }
    pass.store.save()?;
    // A welcome knows who has access, and not what they watched: warnings wait for the sweep.
    let sent = pass.deliver(true, |id| people.access(id, |_| None))?.sent;
    log::info!("{}", summary(&tally, sent, &people, &pass));
    Ok(pass.exit())
}

fn note_time(pass: &mut Pass) -> Result<(), Error> {
    pass.store.state.last_welcome_scan = Some(pass.now);
    pass.store.save()
}

fn tell_of_first_pass(people: usize, pass: &Pass) {
    let people = words::count(people, "person", "people");
    if pass.settings.dry_run {
        // Nothing that a log should hold every two minutes.
        log::info!("would record {people} without a mail: this is the first pass");
    } else {
        log::info!(target: EVENT, event = "first pass"; "first pass: recorded {people} without a mail; whoever joins from now on is welcomed");
    }
}

/// The pass in one line.
fn summary(tally: &Tally, sent: usize, people: &People, pass: &Pass) -> String {
    let dry = if pass.settings.dry_run { "dry " } else { "" };
    let is_nobody_new = tally.welcomed == 0 && !pass.cut_short;
    let mut parts = vec![if is_nobody_new { "nobody is new".to_owned() } else { format!("{} new", tally.welcomed) }];
    if tally.left > 0 {
        parts.push(format!("{} left", tally.left));
    }
    if sent > 0 {
        parts.push(format!("{} sent", words::count(sent, "notice", "notices")));
    }
    let listed = words::count(people.guests.len(), "person", "people");
    format!("{dry}welcome for {listed} on {}: {}", people.server.name, parts.join(", "))
}
