use std::time::Instant;

use time::{Duration, OffsetDateTime};

use crate::{
    cli::{Cli, DryRun},
    clock,
    config::{Environment, ExtraAuthorities, MailConfig, PlexConfig, Reader, Settings, TautulliConfig},
    delivery::{Delivery, Tally, Word},
    error::{CommandError, Exit},
    household::OtherState,
    http,
    logging::EVENT,
    notify::{Channel, Event},
    plex::{Plex, Server},
    refusal::Refusal,
    state::{Notice, Refusal as Told, StateError, Store},
    stop,
    tautulli::Tautulli,
};

/// After so many reads that each took their whole time (10 minutes in all), a pass begins nothing more: somebody whom a
/// silent service keeps waiting is left to the next pass, and what was done is told.
const MOST_READS: u32 = 20;

/// What `welcome` and `sweep` have in common: settings, services, the state, and what came of it.
pub(super) struct Pass {
    pub(super) now: OffsetDateTime,
    begun: Instant,
    pub(super) settings: Settings,
    pub(super) plex: Plex,
    pub(super) tautulli: Tautulli,
    pub(super) delivery: Delivery,
    pub(super) store: Store,
    /// Whether something failed that the next pass tries again.
    pub(super) failed: bool,
    /// Whether the pass held back for safety.
    pub(super) refused: bool,
    /// Whether the pass ended before everybody and every notice had their turn.
    pub(super) cut_short: bool,
}

impl Pass {
    /// Reads the settings, and opens the state: locked, or for a dry run just read.
    pub(super) fn begin(
        name: &str,
        dry_run: &DryRun,
        cli: &Cli,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let now = clock::now();
        let mut r = Reader::new(environment);
        let mut settings = Settings::read(&mut r, cli.state_dir.clone());
        let (plex, tautulli) = (PlexConfig::read(&mut r), TautulliConfig::read(&mut r));
        let (mail, authorities) = (MailConfig::read(&mut r, Some(&settings.admin)), ExtraAuthorities::read(&mut r));
        r.finish()?;
        settings.dry_run = dry_run.given.unwrap_or(settings.dry_run);
        let client = http::client(&authorities)?;
        let delivery = Delivery::new(mail, authorities, client.clone())?;
        let store = if settings.dry_run {
            Store::rehearse(&settings.state_dir)?
        } else {
            Store::open(&settings.state_dir, name, now, cli.lock_wait)?
        };
        Ok(Self {
            now,
            begun: Instant::now(),
            plex: Plex::new(client.clone(), plex),
            tautulli: Tautulli::new(client, tautulli),
            settings,
            delivery,
            store,
            failed: false,
            refused: false,
            cut_short: false,
        })
    }

    /// Logs what a dry run would do (an event's name, about whom, and in words), or nothing in a live pass. Returns whether
    /// this is a dry run.
    pub(super) fn only_says(&self, event: &str, id: u64, what: impl FnOnce() -> String) -> bool {
        if self.settings.dry_run {
            log::info!(target: EVENT, event, id, dry_run = true; "would {}", what());
        }
        self.settings.dry_run
    }

    /// Logs a failure (its name, with whom, and in words) that the next pass makes good.
    pub(super) fn fail(&mut self, event: &str, id: u64, what: impl std::fmt::Display) {
        log::error!(event, id; "{what}");
        self.failed = true;
    }

    /// Whether nothing more should be begun in this pass, of what is to do: asked before each piece of it. If so, the pass
    /// says at its end that it was stopped early.
    pub(super) fn is_over(&mut self) -> bool {
        self.cut_short |= stop::asked() || self.begun.elapsed() > http::longest_read() * MOST_READS;
        self.cut_short
    }

    /// Writes the notices about an event into the outbox.
    pub(super) fn announce(&mut self, event: &Event) {
        self.delivery.announce(&mut self.store.state.outbox, event, self.now);
    }

    /// Holds back, and tells the admin if they did not hear of it in the last 24 hours.
    pub(super) fn refuse(&mut self, refusal: &Refusal) -> Result<(), StateError> {
        self.refused = true;
        log::error!(event = "held back", dry_run = self.settings.dry_run.then_some(true); "held back: {refusal}");
        if self.settings.dry_run {
            return Ok(());
        }
        let known = self.store.state.refusals.get(refusal.kind()).cloned();
        let since = known.as_ref().and_then(|known| known.since).or(Some(self.now));
        let why = refusal.to_string();
        let told = match known {
            Some(known) if self.now - known.told < Duration::DAY => known.told,
            _ => {
                self.announce(&Event::Refused { why: why.clone() });
                self.now
            }
        };
        self.store.state.refusals.insert(refusal.kind().to_owned(), Told { since, told, why });
        self.store.save()
    }

    /// Notes that this pass met none of the reasons to hold back that lie in the evidence.
    pub(super) fn trusts_the_evidence(&mut self) {
        for refusal in self.store.state.refusals.values_mut() {
            refusal.since = None;
        }
    }

    /// Notes whose state this is, and how many people Plex listed.
    pub(super) fn saw(&mut self, server: &Server, people: usize) {
        self.store.state.server = Some(server.clone());
        self.store.state.people_on_plex = people;
    }

    /// Sends what the outbox holds and `vouch` stands up for; nothing in a dry run.
    pub(super) fn deliver(&mut self, vouch: impl Fn(&Notice) -> Word) -> Result<Tally, StateError> {
        if self.settings.dry_run {
            return Ok(Tally::default());
        }
        // The notices have as much time again.
        let until = self.begun + http::longest_read() * MOST_READS * 2;
        let tally = self.delivery.deliver(&mut self.store, self.now, until, vouch)?;
        self.failed |= tally.failed > 0;
        self.cut_short |= tally.cut_short;
        Ok(tally)
    }

    /// Sends what the admin and Discord are to hear though a service is out of order, unless the state is of another server
    /// by its name.
    pub(super) fn deliver_in_outage(&mut self) -> Result<(), StateError> {
        match OtherState::check_name(&self.store.state, self.plex.server_name()) {
            Ok(()) => self.deliver(vouch_for_nobody).map(drop),
            Err(other) => {
                log::warn!("no notice is sent before Plex answers: {}", other.what());
                Ok(())
            }
        }
    }

    /// How the pass ended.
    pub(super) fn exit(&self) -> Exit {
        if self.cut_short {
            let why = if stop::asked() { "as asked" } else { "as it took too long" };
            log::error!("stopped early, {why}; the next pass goes on from here");
            return Exit::Failed;
        }
        match (self.refused, self.failed) {
            (true, _) => Exit::Refused,
            (false, true) => Exit::Failed,
            (false, false) => Exit::Done,
        }
    }
}

/// Without evidence only the admin and Discord hear anything.
pub(super) fn vouch_for_nobody(notice: &Notice) -> Word {
    if notice.to == Channel::Person { Word::Wait } else { Word::Send }
}
