//! The HTTP client that the services share: timeouts, bounded answers, retries of what is safe to repeat, no redirects,
//! and errors that say which service, which call, what came back and what to do.

use std::{
    error::Error,
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
pub fn client(authorities: &ExtraAuthorities) -> Result<Client, ClientError> {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let extra: Vec<Certificate> =
        authorities.certificates.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>()?;
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
    Ok(builder.build()?)
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error(
    "could not set up TLS: {}. Is the package ca-certificates installed, and CA_FILE (if set) a PEM file of certificates?",
    innermost(.0)
)]
pub struct ClientError(#[from] reqwest::Error);

/// A service that the program calls.
#[derive(Clone, Copy)]
pub struct Service {
    /// As people call it: `plex.tv`.
    pub name: &'static str,
    /// What to do about a fault; empty where there is nothing to say.
    pub advice: fn(&Fault) -> &'static str,
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
    /// An answer that is not a success.
    Status {
        /// The HTTP status.
        code: u16,
        /// What the service says about it.
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

/// A call that failed. Shows service, call, what came back and what to do; never a URL with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    service: &'static str,
    doing: &'static str,
    advice: &'static str,
    /// What went wrong.
    pub fault: Fault,
}

impl ServiceError {
    /// A failure of `doing` ("read the list of shares") at `service`.
    pub fn new(service: Service, doing: &'static str, fault: Fault) -> Self {
        Self { service: service.name, doing, advice: (service.advice)(&fault), fault }
    }

    /// Whether another call failed at the same service in the same way.
    pub fn is_like(&self, other: &Self) -> bool {
        self.service == other.service && self.fault == other.fault
    }

    /// Service, call and what came back.
    pub fn what(&self) -> String {
        format!("{}: could not {}: {}", self.service, self.doing, self.fault)
    }

    /// What to do about it; empty where there is nothing to say.
    pub fn advice(&self) -> &'static str {
        self.advice
    }

    /// The HTTP status of the answer, if that is what went wrong.
    pub fn status(&self) -> Option<u16> {
        match self.fault {
            Fault::Status { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl Error for ServiceError {}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, ". {}", self.advice) }
    }
}

/// Sends a request that changes nothing, and again if that may help: at most three times. `secret` is what the request
/// holds, and nobody is to read in the answer.
///
/// # Errors
/// The last try's.
pub fn read(
    service: Service,
    doing: &'static str,
    request: &RequestBuilder,
    secret: &Secret,
) -> Result<Vec<u8>, ServiceError> {
    let mut waits = waits();
    loop {
        let error = match send(service, doing, request, secret) {
            Ok(answer) => return answer.in_time().map_err(|fault| ServiceError::new(service, doing, fault)),
            Err(error) => error,
        };
        let Some(wait) = waits.next().filter(|_| error.fault.may_be_repeated()) else { return Err(error) };
        let Some(wait) = patience(&error.fault, wait) else { return Err(error) };
        log::debug!("{error}; trying again in {} ms", wait.as_millis());
        sleep(wait);
    }
}

/// Sends a request that changes something, once. `secret` is as with [`read`].
///
/// # Errors
/// What went wrong; after a [`Fault`] without an answer it may have taken effect all the same.
pub fn write(
    service: Service,
    doing: &'static str,
    request: RequestBuilder,
    secret: &Secret,
) -> Result<Vec<u8>, ServiceError> {
    test_hooks::crash_point("before a request");
    let answer = send(service, doing, &request.timeout(test_hooks::timeout(WRITE_TIMEOUT)), secret);
    test_hooks::crash_point("after a request");
    answer.map(|answer| answer.body)
}

/// Changes something, and looks whether it is done before calling a try failed or repeating it. At most three tries.
///
/// # Errors
/// The last try's, when the look says that it is not done or the look itself failed.
pub fn change(
    mut change: impl FnMut() -> Result<(), ServiceError>,
    mut is_done: impl FnMut() -> Result<bool, ServiceError>,
) -> Result<(), ServiceError> {
    let mut waits = waits();
    loop {
        let Err(error) = change() else { return Ok(()) };
        match is_done() {
            Ok(true) => {
                log::info!("{error}; but a look shows that it took effect");
                return Ok(());
            }
            Ok(false) => {}
            Err(look) => {
                log::debug!("{look}");
                return Err(error);
            }
        }
        let Some(wait) = waits.next().filter(|_| error.fault.may_be_repeated()) else { return Err(error) };
        let Some(wait) = patience(&error.fault, wait) else { return Err(error) };
        log::debug!("{error}; trying again in {} ms", wait.as_millis());
        sleep(wait);
    }
}

/// Reads a JSON answer.
///
/// # Errors
/// [`Fault::Unreadable`], which means "don't know", never "nothing".
pub fn parse<T: DeserializeOwned>(service: Service, doing: &'static str, body: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(body).map_err(|error| {
        let why = if is_page(body) {
            "it is an HTML page".to_owned()
        } else {
            format!("{error}; it begins with {:?}", words::excerpt(&String::from_utf8_lossy(body)))
        };
        ServiceError::new(service, doing, Fault::Unreadable(why))
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
fn patience(fault: &Fault, wait: Duration) -> Option<Duration> {
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

fn send(
    service: Service,
    doing: &'static str,
    request: &RequestBuilder,
    secret: &Secret,
) -> Result<Answer, ServiceError> {
    let begun = Instant::now();
    let answer = request
        .try_clone()
        .ok_or_else(|| Fault::Unreadable("a request with a stream for a body can't be sent twice".to_owned()))
        .and_then(|request| request.send().map_err(|error| fault_of(&error)))
        .and_then(|response| body_of(response, secret));
    log::debug!("{}: {doing}: {} ms", service.name, begun.elapsed().as_millis());
    answer.map_err(|fault| ServiceError::new(service, doing, fault))
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
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    words::excerpt(&cause.to_string())
}

/// What stands for a page where a message was expected.
pub(crate) const PAGE: &str = "an HTML page";

/// What a service says about an error: the text in the JSON of plex.tv, Tautulli and Discord, else the page's begin.
pub(crate) fn message_in(body: &[u8]) -> String {
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
            patience(&Fault::Status { code: 429, message: String::new(), retry_after }, Duration::from_millis(250))
        };
        assert_eq!(asked(0), Some(Duration::from_millis(250)));
        assert_eq!(asked(10), Some(Duration::from_secs(10)));
        assert_eq!(asked(11), None);
        assert_eq!(patience(&Fault::TooSlow, Duration::from_secs(1)), Some(Duration::from_secs(1)));
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
