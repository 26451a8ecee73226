//! Sending what the outbox holds: over one SMTP connection, and to Discord. A notice is struck off when it was taken,
//! and stays with its error when it was not.

use std::{collections::HashSet, time::Instant};

use reqwest::blocking::Client;
use time::{Duration, OffsetDateTime};

use crate::{
    config::{ExtraAuthorities, MailConfig},
    error::Error,
    logging::EVENT,
    notify::{
        Channel, ComposeError, Discord, DiscordError, Event, Notice, Outbox, Review, SendError, Smtp, Step, TemplateError,
        Templates, Who, compose, proofs, tells_person,
    },
    shutdown,
    state::Store,
    verdict::Rules,
    words,
};

/// Mail and Discord, as configured.
pub struct Delivery {
    config: MailConfig,
    authorities: ExtraAuthorities,
    templates: Templates,
    discord: Option<Discord>,
}

/// What became of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Notices sent.
    pub sent: usize,
    /// Notices that could not be sent now.
    pub failed: usize,
    /// Whether it ended before every notice had its turn.
    pub cut_short: bool,
}

enum Connection {
    NotYet,
    Up(Box<Smtp>),
    Down(String),
}

enum Trouble {
    /// This notice can't be sent now.
    Notice(String),
    /// Nothing more goes this way in this pass; said already.
    Channel(String),
    /// This one may have been taken, and nothing more goes this way in this pass; said already.
    Unanswered(String),
    /// The address is refused for good.
    Address(String),
}

impl Delivery {
    /// Reads the templates; connects to nothing yet.
    ///
    /// # Errors
    /// A template can't be used.
    pub fn new(config: MailConfig, authorities: ExtraAuthorities, client: Client) -> Result<Self, TemplateError> {
        let templates = Templates::load(config.template_dir.as_deref())?;
        // A template that fails only when it is filled in should stop the pass now, and not lose a mail later.
        for (_, proof) in proofs(&config, &Rules::default(), &templates, OffsetDateTime::UNIX_EPOCH) {
            if let Err(ComposeError::Template(error)) = proof {
                return Err(error);
            }
        }
        let discord = config.discord.as_ref().map(|webhook| Discord::new(webhook, client));
        Ok(Self { config, authorities, templates, discord })
    }

    /// Writes the notices about an event into the outbox: to the person (if it concerns them and they have an address),
    /// the admin and Discord.
    pub fn announce(&self, outbox: &mut Outbox, event: &Event, now: OffsetDateTime) {
        let has_address = event.who().is_some_and(|who| who.email.is_some());
        let mut channels = Vec::new();
        if tells_person(event) && has_address {
            channels.push(Channel::Person);
        }
        channels.push(Channel::Admin);
        if self.discord.is_some() && !matches!(event, Event::Undeliverable { .. }) {
            channels.push(Channel::Discord);
        }
        outbox.push(event, &channels, now);
    }

    /// Sends every notice that the review lets pass, oldest first, and saves after each. None is begun after `until`. What
    /// still waits after a week is given up, if `give_up`: in a pass that knows that this machine's clock is right.
    ///
    /// # Errors
    /// The state can't be written: then nothing more is sent.
    pub fn deliver(
        &self,
        store: &mut Store,
        now: OffsetDateTime,
        until: Instant,
        give_up: bool,
        review: impl Fn(&Notice) -> Review,
    ) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let (mut mail, mut discord_down) = (Connection::NotYet, None);
        let mut seen = HashSet::new();
        self.drop_those_for_no_discord(store)?;
        if give_up {
            give_up_old_ones(store, now)?;
        }
        while let Some(notice) = store.state.outbox.notices().iter().find(|notice| seen.insert(notice.id.clone())) {
            if shutdown::requested() || Instant::now() > until {
                tally.cut_short = true;
                break;
            }
            let notice = notice.clone();
            if notice.not_before.is_some_and(|time| now < time) {
                continue;
            }
            match review(&notice) {
                Review::Hold => continue,
                Review::Drop(why) => {
                    log::info!(target: EVENT, event = "notice dropped", id = about(&notice); "dropped {}: {why}", label(&notice));
                    match notice.event {
                        // Nobody was warned, so there is nothing to tell the admin either.
                        Event::Warned { .. } => store.state.outbox.drop_event(&notice.event),
                        _ => store.state.outbox.strike_off(&notice.id),
                    }
                    store.save()?;
                    continue;
                }
                Review::Send => {}
            }
            let sent = match notice.to {
                Channel::Discord => self.post(&notice, &mut discord_down),
                Channel::Person | Channel::Admin => self.mail(&notice, &mut mail, now),
            };
            match sent {
                Ok(()) => {
                    tally.sent += 1;
                    let what = format!("sent {}", label(&notice));
                    // What was written in this pass is in its other lines already; what comes late is news.
                    let (event, id) = ("notice sent", about(&notice));
                    match notice.written == now {
                        true => log::debug!(event, id; "{what}"),
                        false => {
                            let since = words::minute(notice.written);
                            log::info!(target: EVENT, event, id; "{what}, waiting since {since}");
                        }
                    }
                    note_delivered_warning(store, &notice, now);
                    store.state.outbox.strike_off(&notice.id);
                }
                Err(Trouble::Address(error)) => {
                    log::error!(event = "notice failed", id = about(&notice); "could not send {}: {error}; it is not tried again", label(&notice));
                    store.state.outbox.strike_off(&notice.id);
                    self.report_address(store, &notice, error, now);
                }
                Err(Trouble::Notice(error)) => {
                    tally.failed += 1;
                    log::error!(event = "notice failed", id = about(&notice); "could not send {}: {error}", label(&notice));
                    note_failure(store, &notice, error);
                }
                Err(Trouble::Channel(error)) => {
                    tally.failed += 1;
                    note_failure(store, &notice, error);
                }
                Err(Trouble::Unanswered(error)) => {
                    tally.failed += 1;
                    note_failure(store, &notice, error);
                    put_off(store, &notice, now);
                }
            }
            store.save()?;
        }
        if let Connection::Up(smtp) = mail {
            smtp.quit();
        }
        Ok(tally)
    }

    fn mail(&self, notice: &Notice, connection: &mut Connection, now: OffsetDateTime) -> Result<(), Trouble> {
        let id = format!("<{}@{}>", notice.id, self.config.from.email.domain());
        let mail =
            compose(&notice.event, notice.to, &self.config, &self.templates, &id, now).map_err(
                |error| match error {
                    ComposeError::Address { .. } => Trouble::Address(error.to_string()),
                    error => Trouble::Notice(error.to_string()),
                },
            )?;
        if let Connection::NotYet = connection {
            *connection = match Smtp::connect(&self.config, &self.authorities) {
                Ok(smtp) => Connection::Up(Box::new(smtp)),
                Err(error) => {
                    log::error!("no mail could be sent: {error}");
                    Connection::Down(error.to_string())
                }
            };
        }
        let smtp = match connection {
            Connection::Up(smtp) => smtp,
            Connection::Down(error) => return Err(Trouble::Channel(error.clone())),
            Connection::NotYet => return Err(Trouble::Channel("not connected".to_owned())),
        };
        smtp.send(&mail.from, &mail.to, &mail.bytes).map_err(|error| match error {
            // The admin's own address is the owner's to mend, and what waits for it then arrives.
            SendError::Recipient { .. } if notice.to == Channel::Person => Trouble::Address(error.to_string()),
            SendError::Broken { step, ref answer } => {
                log::error!(event = "notice failed", id = about(notice); "could not send {}: {error}", label(notice));
                *connection = Connection::Down(error.to_string());
                let unanswered = step == Step::Message && !answer.starts_with("421");
                let trouble = if unanswered { Trouble::Unanswered } else { Trouble::Channel };
                trouble(error.to_string())
            }
            error => Trouble::Notice(error.to_string()),
        })
    }

    fn post(&self, notice: &Notice, down: &mut Option<String>) -> Result<(), Trouble> {
        let Some(discord) = &self.discord else { return Ok(()) };
        if let Some(error) = down {
            return Err(Trouble::Channel(error.clone()));
        }
        discord.send(&notice.event, &self.config.brand).map_err(|error| match error {
            DiscordError::Refused { .. } => Trouble::Notice(error.to_string()),
            // It may have been posted all the same.
            DiscordError::Unanswered { .. } => {
                log::error!(event = "notice failed", id = about(notice); "could not send {}: {error}", label(notice));
                *down = Some(error.to_string());
                Trouble::Unanswered(error.to_string())
            }
            error => {
                log::error!("nothing could be posted to Discord: {error}");
                *down = Some(error.to_string());
                Trouble::Channel(error.to_string())
            }
        })
    }

    /// Takes out what waits for a Discord that is no longer used.
    fn drop_those_for_no_discord(&self, store: &mut Store) -> Result<(), Error> {
        if self.discord.is_none() {
            for notice in store.state.outbox.notices().to_vec() {
                if notice.to == Channel::Discord {
                    log::info!(target: EVENT, event = "notice dropped", id = about(&notice); "dropped {}: DISCORD_WEBHOOK is no longer set", label(&notice));
                    store.state.outbox.strike_off(&notice.id);
                }
            }
        }
        store.save()
    }

    /// Tells the admin of an address that the mail server refuses for good.
    fn report_address(&self, store: &mut Store, notice: &Notice, error: String, now: OffsetDateTime) {
        if let Some(who) = notice.event.who() {
            let event = Event::Undeliverable { who: who.clone(), mail: notice.event.name().to_owned(), error };
            self.announce(&mut store.state.outbox, &event, now);
        }
    }
}

/// The Plex id of whom a notice is about, if it is about one person.
fn about(notice: &Notice) -> Option<u64> {
    notice.event.who().map(|who| who.id)
}

/// A notice as the log and `status` speak of it: `the warning mail to bob (id 1002)`.
pub fn label(notice: &Notice) -> String {
    let name = notice.event.name();
    let about = |who: &Who| format!("{} (id {})", who.name, who.id);
    match (notice.to, notice.event.who().map(about)) {
        (Channel::Person, Some(who)) => format!("the {name} mail to {who}"),
        (Channel::Admin, Some(who)) => format!("the admin's {name} mail about {who}"),
        (Channel::Discord, Some(who)) => format!("the {name} message about {who} to Discord"),
        (Channel::Discord, None) => format!("the {name} message to Discord"),
        (_, None) => format!("the admin's {name} mail"),
    }
}

/// Takes out what could not be sent for a week; the admin hears of it in the next mail that does get through.
fn give_up_old_ones(store: &mut Store, now: OffsetDateTime) -> Result<(), Error> {
    let mut lost = Vec::new();
    for notice in store.state.outbox.notices().to_vec() {
        if now - notice.written < Duration::WEEK || matches!(notice.event, Event::GaveUp { .. }) {
            continue;
        }
        let error = notice.last_error.as_deref().unwrap_or("no pass could stand up for it");
        let what = format!("{}, of {}: {error}", label(&notice), words::minute(notice.written));
        log::error!(event = "notice given up", id = about(&notice); "gave up {what}");
        lost.push(what);
        forget_undelivered_warning(store, &notice);
        store.state.outbox.strike_off(&notice.id);
    }
    if !lost.is_empty() {
        store.state.outbox.push(&Event::GaveUp { notices: lost }, &[Channel::Admin], now);
    }
    store.save()
}

/// Whose warning counts as delivered with this notice: a mail server took it; or, for somebody who can't be reached, the
/// admin was told.
fn warns(notice: &Notice) -> Option<&Who> {
    match (&notice.event, notice.to) {
        (Event::Warned { who, .. }, Channel::Person) => Some(who),
        (Event::Warned { who, .. }, Channel::Admin) if who.email.is_none() => Some(who),
        (Event::Undeliverable { who, mail, .. }, Channel::Admin) if mail == "warning" => Some(who),
        _ => None,
    }
}

fn note_delivered_warning(store: &mut Store, notice: &Notice, now: OffsetDateTime) {
    if let Some(warned) = warns(notice).and_then(|who| store.state.warned.get_mut(&who.id)) {
        warned.delivered = Some(now);
    }
}

/// A warning that never arrived is none: if it is still due, the next sweep gives it again.
fn forget_undelivered_warning(store: &mut Store, notice: &Notice) {
    if let Some(who) = warns(notice)
        && store.state.warned.get(&who.id).is_some_and(|warned| warned.delivered.is_none())
    {
        store.state.warned.remove(&who.id);
    }
}

/// A mail server that takes a mail and never says so would get it once a pass. Twice may be an accident; from then on the
/// wait doubles, so that the week until it is given up brings a handful.
fn put_off(store: &mut Store, notice: &Notice, now: OffsetDateTime) {
    if let Some(waiting) = store.state.outbox.get_mut(&notice.id) {
        waiting.unanswered += 1;
        let hours = waiting.unanswered.checked_sub(2).filter(|more| *more > 0).map(|more| 1 << more.min(7));
        waiting.not_before = hours.map(|hours| now.saturating_add(Duration::hours(hours)));
    }
}

fn note_failure(store: &mut Store, notice: &Notice, error: String) {
    if let Some(waiting) = store.state.outbox.get_mut(&notice.id) {
        waiting.tries += 1;
        waiting.last_error = Some(words::excerpt(&error));
    }
}
