//! The sandbox's time: it stands still until a test moves it (or goes with the world's), and all stand-ins read the same one.

use std::sync::{Arc, Mutex};

use time::{Duration, OffsetDateTime, macros::datetime};

/// A time before the sandbox's now.
#[derive(Clone, Copy, Debug)]
pub struct Ago(pub Duration);

pub fn days_ago(days: i64) -> Ago {
    Ago(Duration::days(days))
}

pub fn hours_ago(hours: i64) -> Ago {
    Ago(Duration::hours(hours))
}

pub fn minutes_ago(minutes: i64) -> Ago {
    Ago(Duration::minutes(minutes))
}

/// A span, for `Sandbox::advance`.
pub fn days(days: i64) -> Duration {
    Duration::days(days)
}

/// A span, for `Sandbox::advance`.
pub fn hours(hours: i64) -> Duration {
    Duration::hours(hours)
}

/// A clock that is shared by cloning.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hand>>);

#[derive(Debug)]
enum Hand {
    At(OffsetDateTime),
    /// It goes with the world's time.
    Going,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Hand::At(datetime!(2026-11-23 12:00 UTC)))))
    }
}

impl Clock {
    pub fn now(&self) -> OffsetDateTime {
        match *self.0.lock().unwrap() {
            Hand::At(time) => time,
            Hand::Going => OffsetDateTime::now_utc(),
        }
    }

    /// From now on the time is the world's.
    pub fn go(&self) {
        *self.0.lock().unwrap() = Hand::Going;
    }

    /// Now, in seconds since the epoch, as Plex and Tautulli count.
    pub fn seconds(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// A time before now, in seconds since the epoch.
    pub fn before(&self, ago: Ago) -> i64 {
        (self.now() - ago.0).unix_timestamp()
    }

    pub fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap() = Hand::At(now);
    }

    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }
}
