//! Ending a pass early: SIGTERM (a stopped container, systemd) and SIGINT (Ctrl-C).

use std::{
    process,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
    iterator::Signals,
};

/// How long the step in progress may go on. Docker and Kubernetes kill after 10 and 30 seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Listens for the signals from now on. After one, [`requested`] is true, and a step that takes too long is abandoned, which
/// is safe: every step is on disk before it begins, and the next pass goes on from there.
pub fn listen() {
    for signal in [SIGTERM, SIGINT] {
        let _ = flag::register(signal, Arc::clone(&REQUESTED));
    }
    let Ok(mut signals) = Signals::new([SIGTERM, SIGINT]) else { return };
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            thread::sleep(SHUTDOWN_GRACE);
            log::error!("stopped in the middle of a step; the next pass goes on from there");
            process::exit(1);
        }
    });
}

/// Whether the pass should end after the step in progress.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
