//! A small HTTP/1.1 server: keep-alive, TLS if wanted, and faults.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::ServerConfig;

use super::faults::{Fault, Gate, HttpRules, Rule, When};
use super::journal::Journal;
use super::listener::Listener;
use super::message::read_request;
pub use super::message::{Request, Response};
use super::stream::Stream;

/// What a stand-in does with a request.
pub trait Service: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// Does what was asked for, and answers.
    fn answer(&self, request: &Request) -> Response;
    /// What the request is meant to change, in a few words; none for a mere question.
    fn change(&self, request: &Request) -> Option<String>;
}

/// A stand-in's socket. Dropping it ends its connections and threads.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    service: Arc<dyn Service>,
    faults: HttpRules,
    journal: Arc<Journal>,
    tls: Mutex<Option<Arc<ServerConfig>>>,
}

impl Server {
    pub fn start(service: Arc<dyn Service>, journal: Arc<Journal>) -> Self {
        let shared = Arc::new(Shared { service, faults: HttpRules::default(), journal, tls: Mutex::new(None) });
        let serving = Arc::clone(&shared);
        let listener = Listener::start(move |socket, _| {
            let tls = serving.tls.lock().unwrap().clone();
            serving.converse(Stream::new(socket, tls));
        });
        Self { listener, shared }
    }

    /// Scheme, address and port, without a slash at the end.
    pub fn url(&self) -> String {
        let tls = self.shared.tls.lock().unwrap().is_some();
        let address = self.listener.address();
        format!("http{}://{address}", if tls { "s" } else { "" })
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.listener.connections()
    }

    /// From now on, with TLS.
    pub fn use_tls(&self, config: Arc<ServerConfig>) {
        *self.shared.tls.lock().unwrap() = Some(config);
    }

    pub fn fail(&self, when: When, fault: Fault) -> Rule {
        self.shared.faults.add(when, fault)
    }

    /// Holds these requests back, before they take effect, until the gate is opened.
    pub fn gate_before(&self, when: When) -> Gate {
        let (fault, gate) = Fault::gate_before();
        self.fail(when, fault);
        gate
    }

    /// Lets these requests take effect, and holds their answers back until the gate is opened.
    pub fn gate_after(&self, when: When) -> Gate {
        let (fault, gate) = Fault::gate_after();
        self.fail(when, fault);
        gate
    }

    /// Ends all faults.
    pub fn mend(&self) {
        self.shared.faults.clear();
    }

    /// Nobody listens any more: connections are refused.
    pub fn stop(&self) {
        self.listener.stop();
    }
}

impl Shared {
    fn converse(&self, mut stream: Stream) {
        let mut buffer = Vec::new();
        while let Some(request) = read_request(self.service.name(), &mut stream, &mut buffer) {
            let number = self.journal.arrived(request.clone());
            let (response, closing) = self.act(&request, &mut stream);
            let status = response.as_ref().map(|response| response.status);
            // Before the answer goes out: whoever got it must find it in the journal.
            self.journal.answered(number, status.filter(|_| !closing));
            let Some(response) = response else { return };
            let half = response.body.len() / 2;
            let body = if closing { &response.body[..half] } else { &response.body };
            let bytes = [response.head().as_slice(), body].concat();
            let sent = stream.write_all(&bytes).and_then(|()| stream.flush());
            let last = request.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            if sent.is_err() || closing || last {
                return;
            }
        }
    }

    /// Does what one request asks for, or fails as told. Returns what to answer, if anything, and whether to close the
    /// connection in the middle of it.
    fn act(&self, request: &Request, stream: &mut Stream) -> (Option<Response>, bool) {
        let fault = self.faults.for_request(request);
        let response = match fault.as_deref() {
            None => self.answer(request),
            Some(Fault::Answer(response)) => {
                self.note(request, &response.status.to_string());
                response.clone()
            }
            Some(Fault::Delay(by)) => {
                thread::sleep(*by);
                self.answer(request)
            }
            Some(Fault::GateBefore(gate)) => {
                gate.pass();
                self.answer(request)
            }
            Some(Fault::GateAfter(gate)) => {
                let response = self.answer(request);
                gate.pass();
                response
            }
            Some(Fault::HalfBody) => {
                let response = self.service.answer(request);
                self.note(request, "answer lost");
                return (Some(response), true);
            }
            Some(Fault::AnswerLost) => {
                self.service.answer(request);
                self.note(request, "answer lost");
                return (None, true);
            }
            Some(Fault::CutBefore) => {
                self.note(request, "no answer");
                return (None, true);
            }
            Some(Fault::Hang) => {
                self.note(request, "no answer");
                stream.drain();
                return (None, true);
            }
        };
        (Some(response), false)
    }

    fn answer(&self, request: &Request) -> Response {
        let response = self.service.answer(request);
        if response.status < 300 {
            if let Some(change) = self.service.change(request) {
                self.journal.write(change);
            }
        } else {
            self.note(request, &response.status.to_string());
        }
        response
    }

    /// Notes a change that did not go as it should, and how it ended.
    fn note(&self, request: &Request, end: &str) {
        if let Some(change) = self.service.change(request) {
            self.journal.write(format!("{change} -> {end}"));
        }
    }
}
