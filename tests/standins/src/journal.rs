//! What happened to the stand-ins, in one order for all of them.

use std::sync::Mutex;
use std::time::Instant;

use super::http::Request;
use super::mail::Mail;

/// Shared by all stand-ins of a sandbox, so that the order of things across them can be asserted.
#[derive(Debug, Default)]
pub struct Journal {
    requests: Mutex<Requests>,
    writes: Mutex<Vec<String>>,
    violations: Mutex<Vec<String>>,
    mails: Mutex<Vec<Mail>>,
}

#[derive(Debug, Default)]
struct Requests {
    /// How many were forgotten: the number of the first one that is kept.
    forgotten: usize,
    kept: Vec<Request>,
}

impl Journal {
    /// Notes a request as it arrives. Returns its number, for [`Journal::answered`].
    pub fn arrived(&self, request: Request) -> usize {
        let mut requests = self.requests.lock().unwrap();
        requests.kept.push(request);
        requests.forgotten + requests.kept.len() - 1
    }

    /// Notes how a request ended: the status, or none when the connection was cut instead.
    pub fn answered(&self, number: usize, status: Option<u16>) {
        let mut requests = self.requests.lock().unwrap();
        // A request that hung may end after it was forgotten.
        let index = number.checked_sub(requests.forgotten);
        if let Some(request) = index.and_then(|index| requests.kept.get_mut(index)) {
            request.status = status;
            request.finished = Some(Instant::now());
        }
    }

    /// Notes something that changes the world, or tried to.
    pub fn write(&self, what: String) {
        self.writes.lock().unwrap().push(what);
    }

    /// Notes something that the program must never do.
    pub fn violation(&self, what: impl Into<String>) {
        self.violations.lock().unwrap().push(what.into());
    }

    pub fn mail(&self, mail: Mail) {
        self.mails.lock().unwrap().push(mail);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().kept.clone()
    }

    pub fn writes(&self) -> Vec<String> {
        self.writes.lock().unwrap().clone()
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// Forgets requests, writes and mails (never violations): a new chapter of a longer test.
    pub fn clear(&self) {
        let mut requests = self.requests.lock().unwrap();
        requests.forgotten += requests.kept.len();
        requests.kept.clear();
        self.writes.lock().unwrap().clear();
        self.mails.lock().unwrap().clear();
    }
}
