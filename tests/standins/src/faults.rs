//! What can go wrong with a service that speaks HTTP, as rules that a test lays down beforehand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::http::{Request, Response};

/// Which requests a fault is for. Everything that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct When {
    method: Option<&'static str>,
    path: Option<String>,
    params: Vec<(String, String)>,
}

/// Every request.
pub fn any() -> When {
    When::default()
}

/// A GET of a path that begins like this.
pub fn get(path: &str) -> When {
    When::new("GET", path)
}

/// A DELETE of a path that begins like this.
pub fn delete(path: &str) -> When {
    When::new("DELETE", path)
}

/// A POST to a path that begins like this.
pub fn post(path: &str) -> When {
    When::new("POST", path)
}

/// A command of Tautulli.
pub fn cmd(name: &str) -> When {
    any().with("cmd", name)
}

impl When {
    fn new(method: &'static str, path: &str) -> Self {
        Self { method: Some(method), path: Some(path.to_owned()), params: Vec::new() }
    }

    /// Only with this parameter, in the form or in the query: `cmd("get_history").with("user_id", 1002)`.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    fn fits(&self, request: &Request) -> bool {
        self.method.is_none_or(|method| request.method == method)
            && self.path.as_ref().is_none_or(|path| request.path.starts_with(path.as_str()))
            && self.params.iter().all(|(name, value)| request.param(name).as_ref() == Some(value))
    }
}

/// What goes wrong.
#[derive(Debug)]
pub enum Fault {
    /// This answer instead of the real one; the request has no effect.
    Answer(Response),
    /// The real answer, later.
    Delay(Duration),
    /// No answer and no effect, until the client gives up or the stand-in is dropped.
    Hang,
    /// The connection is closed without an answer, and without an effect.
    CutBefore,
    /// The request takes effect, then the connection is closed without an answer.
    AnswerLost,
    /// The request takes effect; half of the answer's body is sent, then the connection is closed.
    HalfBody,
    /// The request waits for the test, before it takes effect. See [`Fault::gate_before`].
    GateBefore(GatePost),
    /// The request takes effect, and its answer waits for the test. See [`Fault::gate_after`].
    GateAfter(GatePost),
}

impl Fault {
    /// An error of the service's own, as JSON.
    pub fn status(status: u16) -> Self {
        let errors = serde_json::json!({"errors": [{"code": 1000, "message": "made to fail", "status": status}]});
        Self::json(status, errors)
    }

    /// The page of a proxy in front of the service.
    pub fn html(status: u16) -> Self {
        Self::Answer(Response::html(status, "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"))
    }

    /// Any JSON, for example of another shape than the right one.
    pub fn json(status: u16, body: Value) -> Self {
        Self::Answer(Response::json(status, &body))
    }

    /// 429, with the seconds to wait in `Retry-After`.
    pub fn too_many(retry_after: u64) -> Self {
        let errors = serde_json::json!({"errors": [{"code": 1003, "message": "Too many requests", "status": 429}]});
        Self::Answer(Response::json(429, &errors).header("Retry-After", &retry_after.to_string()))
    }

    pub fn redirect(location: &str) -> Self {
        Self::Answer(Response::empty(302).header("Location", location))
    }

    pub fn delay(by: Duration) -> Self {
        Self::Delay(by)
    }

    /// Holds the request back before it takes effect, until [`Gate::open`].
    pub fn gate_before() -> (Self, Gate) {
        let (post, gate) = gate();
        (Self::GateBefore(post), gate)
    }

    /// Holds the answer back after the request took effect, until [`Gate::open`].
    pub fn gate_after() -> (Self, Gate) {
        let (post, gate) = gate();
        (Self::GateAfter(post), gate)
    }
}

/// The test's side of a gate: for crashes and for two passes at once. Dropped, it stands open for good.
#[derive(Debug)]
pub struct Gate {
    arrived: Receiver<()>,
    go: Sender<()>,
}

/// The stand-in's side of a gate.
#[derive(Debug)]
pub struct GatePost {
    arrived: Sender<()>,
    go: Mutex<Receiver<()>>,
}

/// Both sides of a new gate.
pub fn gate() -> (GatePost, Gate) {
    let (arrived_sender, arrived) = channel();
    let (go, go_receiver) = channel();
    let post = GatePost { arrived: arrived_sender, go: Mutex::new(go_receiver) };
    (post, Gate { arrived, go })
}

impl Gate {
    /// Waits until a request stands before the gate.
    pub fn wait(&self) {
        self.arrived.recv_timeout(Duration::from_secs(60)).expect("no request came to the gate within 60 seconds");
    }

    /// Lets one request through.
    pub fn open(&self) {
        // An error means that nobody stands there any more.
        let _ = self.go.send(());
    }
}

impl GatePost {
    pub fn pass(&self) {
        let _ = self.arrived.send(());
        let _ = self.go.lock().unwrap().recv();
    }
}

/// How often a fault still happens.
#[derive(Debug)]
struct Counts {
    /// Fitting requests that are let through first.
    skip: AtomicUsize,
    left: AtomicUsize,
    used: AtomicUsize,
}

/// A fault that was laid down: for ever, unless it is told otherwise.
#[derive(Clone, Debug)]
pub struct Rule(Arc<Counts>);

impl Rule {
    /// Only so many times; then things work again.
    pub fn times(self, times: usize) -> Self {
        self.0.left.store(times, Ordering::SeqCst);
        self
    }

    /// Only after so many fitting requests went through.
    pub fn after(self, requests: usize) -> Self {
        self.0.skip.store(requests, Ordering::SeqCst);
        self
    }

    /// Ends the fault.
    pub fn mend(&self) {
        self.0.left.store(0, Ordering::SeqCst);
    }

    /// How often it happened.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::SeqCst)
    }
}

/// The faults of one stand-in, the first that fits winning. `W` says when, `F` says what.
#[derive(Debug)]
pub struct Rules<W, F>(Mutex<Vec<Laid<W, F>>>);

/// A rule that was laid down.
type Laid<W, F> = (W, Arc<F>, Arc<Counts>);

impl<W, F> Default for Rules<W, F> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<W, F> Rules<W, F> {
    pub fn add(&self, when: W, fault: F) -> Rule {
        let counts = Arc::new(Counts {
            skip: AtomicUsize::new(0),
            left: AtomicUsize::new(usize::MAX),
            used: AtomicUsize::new(0),
        });
        let rule = Rule(Arc::clone(&counts));
        self.0.lock().unwrap().push((when, Arc::new(fault), counts));
        rule
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The fault for this occasion, which counts as having happened.
    pub fn take(&self, fits: impl Fn(&W) -> bool) -> Option<Arc<F>> {
        let rules = self.0.lock().unwrap();
        for (_, fault, counts) in rules.iter().filter(|(when, _, _)| fits(when)) {
            if counts.left.load(Ordering::SeqCst) == 0 {
                continue;
            }
            let skip = counts.skip.load(Ordering::SeqCst);
            if skip > 0 {
                counts.skip.store(skip - 1, Ordering::SeqCst);
                continue;
            }
            if counts.left.load(Ordering::SeqCst) != usize::MAX {
                counts.left.fetch_sub(1, Ordering::SeqCst);
            }
            counts.used.fetch_add(1, Ordering::SeqCst);
            return Some(Arc::clone(fault));
        }
        None
    }
}

/// The faults of a service that speaks HTTP.
pub type HttpRules = Rules<When, Fault>;

impl HttpRules {
    pub fn for_request(&self, request: &Request) -> Option<Arc<Fault>> {
        self.take(|when| when.fits(request))
    }
}
