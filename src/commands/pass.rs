use std::time::Instant;

use time::{Duration, OffsetDateTime};

use crate::{
    cli::{Cli, DryRun},
    clock,
    config::{Environment, ExtraAuthorities, MailConfig, PlexConfig, Reader, Settings, TautulliConfig},
    error::{Error, Exit, Kind},
    logging::EVENT,
    notify::{Access, Delivery, Event, PassKind, Review, Tally, review},
    people::{People, check_server_name},
    plan::Refusal,
    services::{
        Question, Snapshot,
        http::{self, longest_read},
        plex::Plex,
        tautulli::Tautulli,
    },
    shutdown,
    state::{RefusalRecord, Store},
};

/// After so many reads that each took their whole time (10 minutes in all), a pass begins nothing more: somebody whom a
/// silent service keeps waiting is left to the next pass, and what was done is told.
const MOST_READS: u32 = 20;

/// What `welcome` and `sweep` have in common: settings, services, the state, and what came of it.
pub struct Pass {
    kind: PassKind,
    pub now: OffsetDateTime,
    begun: Instant,
    pub settings: Settings,
    pub plex: Plex,
    pub tautulli: Tautulli,
    delivery: Delivery,
    pub store: Store,
    /// What the services have said so far.
    pub snapshot: Snapshot,
    /// Whether something failed that the next pass tries again.
    failed: bool,
    /// Whether the pass held back for safety.
    pub refused: bool,
    /// Whether the pass ended before everybody and every notice had their turn.
    pub cut_short: bool,
}

impl Pass {
    /// Reads the settings, and opens the state: locked, or for a dry run just read.
    pub fn begin(kind: PassKind, dry_run: &DryRun, cli: &Cli, environment: &Environment) -> Result<Self, Error> {
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
            Store::read_only(&settings.state_dir)?
        } else {
            Store::open(&settings.state_dir, &format!("plex-prune {kind}"), now, cli.lock_wait)?
        };
        Ok(Self {
            kind,
            now,
            begun: Instant::now(),
            plex: Plex::new(client.clone(), plex),
            tautulli: Tautulli::new(client, tautulli),
            settings,
            delivery,
            store,
            snapshot: Snapshot::default(),
            failed: false,
            refused: false,
            cut_short: false,
        })
    }

    /// Asks the services, and puts together who is on the server. If a service is out of order, the admin and Discord
    /// still hear what waits for them.
    pub fn observe(&mut self, questions: &[Question]) -> Result<People, Error> {
        self.snapshot.ask(questions, Some(&self.plex), Some(&self.tautulli), self.now);
        if questions.contains(&Question::Libraries) {
            self.snapshot.warn_of_libraries();
        }
        let people = People::complete(&self.snapshot, &self.settings, &self.store.state);
        if people.as_ref().is_err_and(|error| error.kind == Kind::Outage) {
            match check_server_name(&self.store.state, self.plex.server_name()) {
                // No service has said what time it is: notices don't get too old by this machine's clock alone.
                Ok(()) => self.deliver(false, |_| Access::Unknown).map(drop)?,
                Err(other) => log::warn!("no notice is sent before Plex answers: {}", other.what()),
            }
        }
        people
    }

    /// Logs what happened to somebody: the event's name, the Plex id, and in words.
    pub fn tell(&self, event: &str, id: u64, what: &str) {
        let dry_run = self.settings.dry_run.then_some(true);
        log::info!(target: EVENT, event, id, dry_run; "{what}");
    }

    /// Logs a failure (its name, with whom, and in words) that the next pass makes good.
    pub fn fail(&mut self, event: &str, id: u64, what: &str) {
        log::error!(event, id; "{what}");
        self.failed = true;
    }

    /// Whether nothing more should be begun in this pass, of what is to do: asked before each piece of it. If so, the pass
    /// says at its end that it was stopped early.
    pub fn should_stop(&mut self) -> bool {
        self.cut_short |= shutdown::requested() || self.begun.elapsed() > longest_read() * MOST_READS;
        self.cut_short
    }

    /// Writes the notices about an event into the outbox.
    pub fn announce(&mut self, event: &Event) {
        self.delivery.announce(&mut self.store.state.outbox, event, self.now);
    }

    /// Holds back, and tells the admin if they did not hear of it in the last 24 hours.
    pub fn refuse(&mut self, refusal: &Refusal) -> Result<(), Error> {
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
                self.announce(&Event::Refused { pass: self.kind, why: why.clone() });
                self.now
            }
        };
        self.store.state.refusals.insert(refusal.kind().to_owned(), RefusalRecord { since, told, why });
        self.store.save()
    }

    /// Notes that this pass met none of the reasons to hold back that lie in the evidence: none of them has lasted since an
    /// earlier pass.
    pub fn note_sound_evidence(&mut self) {
        for refusal in self.store.state.refusals.values_mut() {
            refusal.since = None;
        }
    }

    /// Notes whose state this is, and how many people Plex lists.
    pub fn note_people(&mut self, people: &People) {
        let state = &mut self.store.state;
        state.server = Some(people.server.clone());
        state.people_on_plex = people.guests.len();
    }

    /// Sends what the outbox holds and [`review`] lets pass, by the access that somebody (a Plex id) has; nothing in a dry
    /// run. `give_up`: whether what could not be sent for a week is given up.
    pub fn deliver(&mut self, give_up: bool, access: impl Fn(u64) -> Access) -> Result<Tally, Error> {
        if self.settings.dry_run {
            return Ok(Tally::default());
        }
        // The notices have as much time again.
        let until = self.begun + longest_read() * MOST_READS * 2;
        let kind = self.kind;
        let reviewed = |notice: &_| -> Review { review(notice, kind, &access) };
        let tally = self.delivery.deliver(&mut self.store, self.now, until, give_up, reviewed)?;
        self.failed |= tally.failed > 0;
        self.cut_short |= tally.cut_short;
        Ok(tally)
    }

    /// How the pass ended.
    pub fn exit(&self) -> Exit {
        if self.cut_short {
            let why = if shutdown::requested() { "as asked" } else { "as it took too long" };
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
