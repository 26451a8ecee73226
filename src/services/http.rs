//! The HTTP client that the services share: timeouts, bounded answers, retries of what is safe to repeat, no redirects,
//! and errors that say which service, which call, what came back and what to do.

use std::{
    fmt,
    io::Read,
    thread::sleep,
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::{
    Certificate, StatusCode,
    blocking::{Client, RequestBuilder, Response},
    header::{DATE, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use crate::{
    clock,
    config::{ExtraAuthorities, Secret},
    error::{Error, Kind},
    test_hooks, words,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a read: the longest that was measured took a quarter of a second, but a NAS may be busy or asleep.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// For a write: Tautulli's `delete_user` takes seconds for one person, and minutes on a slow disk.
const WRITE_TIMEOUT: Duration = Duration::from_secs(180);
/// The longest `Retry-After` that a pass waits out. A longer one is left to the next pass.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// By how much this machine's clock may be ahead of a service's: enough for any answer that a cache kept for a while.
const LARGEST_LEAD: time::Duration = time::Duration::hours(1);
/// A table of 100,000 people is some 80 MB.
const LARGEST_ANSWER: u64 = 128 << 20;

/// The longest that a read waits for its answer.
pub fn longest_read() -> Duration {
    test_hooks::timeout(READ_TIMEOUT)
}

/// Makes the client.
///
/// # Errors
/// No certificate authorities on this system, or one of `CA_FILE` that can't be used.
pub fn client(authorities: &ExtraAuthorities) -> Result<Client, Error> {
    let failed = |error: reqwest::Error| {
        let advice = "Is the package ca-certificates installed, and CA_FILE (if set) a PEM file of certificates?";
        Error::new(Kind::Usage, "could not set up TLS", advice).because(innermost(&error))
    };
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = authorities.certificates.iter().map(|der| Certificate::from_der(der));
    let extra = certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut builder = Client::builder()
        .user_agent(concat!("plex-prune/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(test_hooks::timeout(CONNECT_TIMEOUT))
        .timeout(longest_read())
        // A redirect would carry the token to another host, and turn a POST into a GET.
        .redirect(Policy::none())
        .referer(false);
    if !extra.is_empty() {
        builder = builder.tls_certs_merge(extra);
    }
    builder.build().map_err(failed)
}

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection: refused, no such host, a certificate that isn't trusted.
    NoConnection(String),
    /// No (whole) answer in time.
    TooSlow,
    /// The connection broke before the answer was whole.
    CutOff(String),
    /// An answer that is not a success, with what the service says about it.
    Status {
        code: u16,
        message: String,
        /// The header `Retry-After`, if it gives seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect to this address.
    Redirect(String),
    /// A success that can't be read, and why.
    Unreadable(String),
    /// This machine's clock, as shown here, is ahead of the service's: everybody would look idle for too long.
    ClockAhead(String),
}

impl Fault {
    /// Whether it may be gone in a moment. What took its whole time once would take a pass too long three times.
    fn may_be_repeated(&self) -> bool {
        match self {
            Self::NoConnection(_) | Self::CutOff(_) => true,
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500 | 502 | 503 | 504),
            Self::TooSlow | Self::Redirect(_) | Self::Unreadable(_) | Self::ClockAhead(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(why) => write!(f, "no connection ({why})"),
            Self::TooSlow => write!(f, "no answer in time"),
            Self::CutOff(why) => write!(f, "the connection broke ({why})"),
            Self::Status { code, message, .. } if message.is_empty() => write!(f, "it answered {code}"),
            Self::Status { code, message, .. } => write!(f, "it answered {code}: {message}"),
            Self::Redirect(to) => write!(f, "it redirects to {to}, and redirects are not followed"),
            Self::Unreadable(why) => write!(f, "its answer can't be understood ({why})"),
            Self::ClockAhead(clocks) => write!(f, "this machine's clock is ahead of its ({clocks})"),
        }
    }
}

/// What to do about a fault; empty where there is nothing to say.
pub type Advise = Box<dyn Fn(&Fault) -> String + Send + Sync>;

/// A service that the program calls.
pub struct Service {
    /// As people call it: `plex.tv`.
    name: &'static str,
    /// What each request holds, and nobody is to read in an answer.
    secret: Secret,
    advise: Advise,
}

impl Service {
    pub fn new(name: &'static str, secret: &Secret, advise: Advise) -> Self {
        Self { name, secret: secret.clone(), advise }
    }

    /// The error of a call ("read the list of shares") that went wrong.
    pub fn error(&self, doing: &str, fault: &Fault) -> Error {
        let kind = if matches!(fault, Fault::ClockAhead(_)) { Kind::Failure } else { Kind::Outage };
        Error::new(kind, format!("{}: could not {doing}", self.name), (self.advise)(fault)).because(fault.to_string())
    }

    /// Sends a request that changes nothing, and again if that may help: at most three times.
    ///
    /// # Errors
    /// The last try's.
    pub fn read(&self, doing: &str, request: &RequestBuilder) -> Result<Vec<u8>, Fault> {
        let mut waits = waits();
        loop {
            let fault = match self.send(doing, request) {
                Ok(answer) => return answer.in_time(),
                Err(fault) => fault,
            };
            if !self.wait_to_repeat(doing, &fault, &mut waits) {
                return Err(fault);
            }
        }
    }

    /// Sends a request that changes something, once.
    ///
    /// # Errors
    /// What went wrong; after a [`Fault`] without an answer it may have taken effect all the same.
    pub fn write(&self, doing: &str, request: RequestBuilder) -> Result<Vec<u8>, Fault> {
        test_hooks::crash_point("before a request");
        let answer = self.send(doing, &request.timeout(test_hooks::timeout(WRITE_TIMEOUT)));
        test_hooks::crash_point("after a request");
        answer.map(|answer| answer.body)
    }

    /// Changes something, and looks whether it is done before calling a try failed or repeating it. At most three tries.
    ///
    /// # Errors
    /// The last try's, when the look says that it is not done or the look itself failed.
    pub fn change(
        &self,
        doing: &str,
        mut change: impl FnMut() -> Result<(), Fault>,
        mut is_done: impl FnMut() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut waits = waits();
        loop {
            let Err(fault) = change() else { return Ok(()) };
            match is_done() {
                Ok(true) => {
                    log::info!("{}; but a look shows that it took effect", self.error(doing, &fault));
                    return Ok(());
                }
                Ok(false) if self.wait_to_repeat(doing, &fault, &mut waits) => {}
                Ok(false) => return Err(self.error(doing, &fault)),
                Err(look) => {
                    log::debug!("{look}");
                    return Err(self.error(doing, &fault));
                }
            }
        }
    }

    /// Waits until it is time for another try; false if there is none.
    fn wait_to_repeat(&self, doing: &str, fault: &Fault, waits: &mut impl Iterator<Item = Duration>) -> bool {
        let wait = waits.next().filter(|_| fault.may_be_repeated()).and_then(|wait| wait_for(fault, wait));
        let Some(wait) = wait else { return false };
        log::debug!("{}; trying again in {} ms", self.error(doing, fault), wait.as_millis());
        sleep(wait);
        true
    }

    fn send(&self, doing: &str, request: &RequestBuilder) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let answer = request
            .try_clone()
            .ok_or_else(|| Fault::Unreadable("a request with a stream for a body can't be sent twice".to_owned()))
            .and_then(|request| request.send().map_err(|error| fault_of(&error)))
            .and_then(|response| body_of(response, &self.secret));
        log::debug!("{}: {doing}: {} ms", self.name, begun.elapsed().as_millis());
        answer
    }
}

/// Reads a JSON answer.
///
/// # Errors
/// [`Fault::Unreadable`], which means "don't know", never "nothing".
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        Fault::Unreadable(if is_page(body) {
            "it is an HTML page".to_owned()
        } else {
            format!("{error}; it begins with {:?}", words::excerpt(&String::from_utf8_lossy(body)))
        })
    })
}

fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_factor(3.0)
        .with_max_times(2)
        .with_jitter()
        .build()
}

/// How long to wait before the next try: what the service asks for, or else `wait`. None if it asks for too much.
fn wait_for(fault: &Fault, wait: Duration) -> Option<Duration> {
    match fault {
        Fault::Status { retry_after: Some(asked), .. } => (*asked <= LONGEST_WAIT).then_some(wait.max(*asked)),
        _ => Some(wait),
    }
}

/// A success.
struct Answer {
    body: Vec<u8>,
    /// The header `Date`.
    date: Option<OffsetDateTime>,
}

impl Answer {
    /// The body, unless this machine's clock is wrong in the way that costs people their access.
    fn in_time(self) -> Result<Vec<u8>, Fault> {
        let now = clock::now();
        match self.date {
            Some(date) if now - date > LARGEST_LEAD => {
                Err(Fault::ClockAhead(format!("{} here, {} there", words::minute(now), words::minute(date))))
            }
            _ => Ok(self.body),
        }
    }
}

fn body_of(response: Response, secret: &Secret) -> Result<Answer, Fault> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    let read = response.take(LARGEST_ANSWER + 1).read_to_end(&mut body);
    if status.is_redirection() {
        let to = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("somewhere else");
        // The query is left out: it may repeat a secret.
        return Err(Fault::Redirect(words::excerpt(to.split(['?', '#']).next().unwrap_or(to))));
    }
    if status != StatusCode::OK && !status.is_success() {
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        return Err(Fault::Status { code: status.as_u16(), message: message_in(&secret.redact(body)), retry_after });
    }
    if let Err(error) = read {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
        return Err(inner.map_or_else(|| Fault::CutOff(error.to_string()), fault_of));
    }
    if body.len() as u64 > LARGEST_ANSWER {
        return Err(Fault::Unreadable(format!("it is larger than {} MB", LARGEST_ANSWER >> 20)));
    }
    let body = secret.redact(body);
    let date = headers.get(DATE).and_then(|value| OffsetDateTime::parse(value.to_str().ok()?, &Rfc2822).ok());
    Ok(Answer { body, date })
}

fn fault_of(error: &reqwest::Error) -> Fault {
    let why = innermost(error);
    if error.is_timeout() && !error.is_connect() {
        Fault::TooSlow
    } else if error.is_connect() {
        Fault::NoConnection(if error.is_timeout() { "nobody answered in time".to_owned() } else { why })
    } else {
        Fault::CutOff(why)
    }
}

/// The cause at the bottom of an error; reqwest's own words hold the URL, which may hold a secret.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    words::excerpt(&cause.to_string())
}

/// What stands for a page where a message was expected.
pub const PAGE: &str = "an HTML page";

/// What a service says about an error: the text in the JSON of plex.tv, Tautulli and Discord, else the page's begin.
pub fn message_in(body: &[u8]) -> String {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        let places = ["/errors/0/message", "/response/message", "/message"];
        let message = places.iter().find_map(|place| json.pointer(place)?.as_str());
        return message.map(words::excerpt).unwrap_or_default();
    }
    if is_page(body) { PAGE.to_owned() } else { words::excerpt(&String::from_utf8_lossy(body)) }
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_waits_as_long_as_it_is_asked_to_but_not_for_ever() {
        let asked = |seconds: u64| {
            let retry_after = Some(Duration::from_secs(seconds));
            wait_for(&Fault::Status { code: 429, message: String::new(), retry_after }, Duration::from_millis(250))
        };
        assert_eq!(asked(0), Some(Duration::from_millis(250)));
        assert_eq!(asked(10), Some(Duration::from_secs(10)));
        assert_eq!(asked(11), None);
        assert_eq!(wait_for(&Fault::TooSlow, Duration::from_secs(1)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_a_service_says_is_found_wherever_it_puts_it() {
        let said = |body: &str| message_in(body.as_bytes());
        assert_eq!(said(r#"{"errors": [{"code": 1001, "message": "Invalid token", "status": 401}]}"#), "Invalid token");
        assert_eq!(
            said(r#"{"response": {"result": "error", "message": "Invalid apikey", "data": {}}}"#),
            "Invalid apikey"
        );
        assert_eq!(said(r#"{"message": "Unknown Webhook", "code": 10015}"#), "Unknown Webhook");
        assert_eq!(said(r#"{"response": {"result": "error", "message": null}}"#), "");
        assert_eq!(said(r#"{"message": "two\nlines \u001b[31m"}"#), "two\\nlines \\u{1b}[31m");
        assert_eq!(said("\n <html><body>nginx</body></html>"), "an HTML page");
        assert_eq!(said("no healthy upstream"), "no healthy upstream");
        assert_eq!(said(""), "");
        assert_eq!(said(&"x".repeat(1000)).chars().count(), 301);
    }
}
