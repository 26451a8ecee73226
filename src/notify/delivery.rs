//! Sending what the outbox holds: over one SMTP connection, and to Discord. A notice is struck off when it was taken,
//! and stays with its error when it was not.

use std::{collections::HashSet, time::Instant};

use reqwest::blocking::Client;
use time::OffsetDateTime;

use super::{
    Channel, Discord, Event, Notice, Outbox, Outcome, Review, Smtp, Summary, Templates, Undelivered, bookkeeping,
    compose, sample_mails,
};
use crate::{
    config::{ExtraAuthorities, MailConfig},
    error::{Error, Kind},
    logging::EVENT,
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
    pub sent: usize,
    pub failed: usize,
    /// Whether it ended before every notice had its turn.
    pub cut_short: bool,
}

/// What is left open, or failed for good, in one pass.
#[derive(Default)]
struct Connections<'a> {
    smtp: Option<Smtp<'a>>,
    /// Why no more mails go out in this pass, if so.
    mail_down: Option<Error>,
    discord_down: Option<Error>,
}

impl Delivery {
    /// Reads the templates; connects to nothing yet.
    pub fn new(config: MailConfig, authorities: ExtraAuthorities, client: Client) -> Result<Self, Error> {
        let templates = Templates::load(config.template_dir.as_deref())?;
        // A template that fails only when it is filled in should stop the pass now, and not lose a mail later.
        for (_, mail) in sample_mails(&config, &Rules::default(), &templates, OffsetDateTime::UNIX_EPOCH) {
            match mail {
                Err(Undelivered { error, .. }) if error.kind == Kind::Usage => return Err(error),
                _ => {}
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
        if event.letter().is_some() && has_address {
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
    /// Stops if the state can't be written.
    pub fn deliver(
        &self,
        store: &mut Store,
        now: OffsetDateTime,
        until: Instant,
        give_up: bool,
        review: impl Fn(&Notice) -> Review,
    ) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let mut connections = Connections::default();
        let mut seen = HashSet::new();
        if self.discord.is_none() {
            bookkeeping::drop_for_discord(store)?;
        }
        if give_up {
            bookkeeping::give_up_old(store, now)?;
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
                Review::Drop(why) => bookkeeping::drop_untrue(store, &notice, &why),
                Review::Send => match self.send(&notice, &mut connections, now) {
                    Ok(()) => {
                        tally.sent += 1;
                        log_sent(&notice, now);
                        bookkeeping::note_sent(store, &notice, now);
                    }
                    Err(undelivered) => {
                        tally.failed += usize::from(undelivered.outcome != Outcome::Address);
                        self.note_undelivered(store, &notice, &undelivered, now);
                    }
                },
            }
            store.save()?;
        }
        if let Some(smtp) = connections.smtp.filter(|_| connections.mail_down.is_none()) {
            smtp.quit();
        }
        Ok(tally)
    }

    /// Sends a notice, if its way is not known to be down. A failure is logged; of a way that is down, once.
    fn send<'a>(
        &'a self,
        notice: &Notice,
        connections: &mut Connections<'a>,
        now: OffsetDateTime,
    ) -> Result<(), Undelivered> {
        let is_mail = notice.to != Channel::Discord;
        let Connections { smtp, mail_down, discord_down } = connections;
        let down = if is_mail { mail_down } else { discord_down };
        if let Some(error) = down {
            return Err(Undelivered::new(Outcome::Channel, error.clone()));
        }
        let sent = if is_mail { self.mail(notice, smtp, now) } else { self.post(notice) };
        sent.inspect_err(|undelivered| {
            let Undelivered { outcome, error } = undelivered;
            let (event, id, label) = ("notice failed", notice.about(), notice.label());
            match outcome {
                Outcome::Address => {
                    log::error!(event, id; "could not send {label}: {}; it is not tried again", error.what());
                }
                Outcome::Channel if !is_mail => log::error!("nothing could be posted to Discord: {error}"),
                Outcome::Channel if smtp.is_none() => log::error!("no mail could be sent: {error}"),
                Outcome::Channel | Outcome::Notice | Outcome::Unanswered => {
                    log::error!(event, id; "could not send {label}: {error}");
                }
            }
            if undelivered.closes_channel() {
                *down = Some(error.clone());
            }
        })
    }

    fn mail<'a>(
        &'a self,
        notice: &Notice,
        smtp: &mut Option<Smtp<'a>>,
        now: OffsetDateTime,
    ) -> Result<(), Undelivered> {
        let id = format!("<{}@{}>", notice.id, self.config.from.email.domain());
        let mail = compose(&notice.event, notice.to, &self.config, &self.templates, &id, now)?;
        let smtp = match smtp {
            Some(smtp) => smtp,
            None => {
                let connected = self.connect().map_err(|error| Undelivered::new(Outcome::Channel, error))?;
                smtp.insert(connected)
            }
        };
        smtp.send(&mail).map_err(|undelivered| match undelivered.outcome {
            // The admin's own address is the owner's to correct, and what waits for it then arrives.
            Outcome::Address if notice.to == Channel::Admin => Undelivered { outcome: Outcome::Notice, ..undelivered },
            _ => undelivered,
        })
    }

    fn connect(&self) -> Result<Smtp<'_>, Error> {
        let mut smtp = Smtp::connect(&self.config, &self.authorities)?;
        smtp.log_in()?;
        Ok(smtp)
    }

    fn post(&self, notice: &Notice) -> Result<(), Undelivered> {
        match &self.discord {
            Some(discord) => discord.send(&Summary::of(&notice.event), &self.config.brand),
            None => Ok(()),
        }
    }

    fn note_undelivered(&self, store: &mut Store, notice: &Notice, undelivered: &Undelivered, now: OffsetDateTime) {
        let Undelivered { outcome, error } = undelivered;
        match outcome {
            Outcome::Address => {
                store.state.outbox.strike_off(&notice.id);
                if let (Some(who), Some(mail)) = (notice.event.who().cloned(), notice.event.letter()) {
                    let event = Event::Undeliverable { who, mail, error: error.what() };
                    self.announce(&mut store.state.outbox, &event, now);
                }
            }
            Outcome::Notice | Outcome::Channel => bookkeeping::note_failure(store, notice, error),
            Outcome::Unanswered => {
                bookkeeping::note_failure(store, notice, error);
                bookkeeping::postpone(store, notice, now);
            }
        }
    }
}

/// What was written in this pass is in its other lines already; what comes late is news.
fn log_sent(notice: &Notice, now: OffsetDateTime) {
    let (event, id, label) = ("notice sent", notice.about(), notice.label());
    if notice.written == now {
        log::debug!(event, id; "sent {label}");
    } else {
        log::info!(target: EVENT, event, id; "sent {label}, waiting since {}", words::minute(notice.written));
    }
}
