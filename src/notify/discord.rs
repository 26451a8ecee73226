use std::{error::Error as _, thread, time::Duration};

use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header::RETRY_AFTER,
};
use serde_json::{Value, json};

use super::{Outcome, Summary, Undelivered, wording::one_line};
use crate::{
    config::{Brand, Secret},
    error::{Error, Kind},
    test_hooks,
};

/// What Discord takes, counted like JavaScript counts (UTF-16): more than this, and the message is refused.
/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELD: usize = 1024;
const EMBED: usize = 6000;

/// The longest wait that Discord may ask a pass for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

const WEBHOOKS: &str = "(channel settings, Integrations, Webhooks)";
const LOOK_AT_STATUS: &str = "If this goes on, look at https://discordstatus.com";

/// A Discord channel, by its webhook.
pub struct Discord {
    webhook: Secret,
    http: Client,
}

impl Discord {
    /// A channel that is posted to with `http`, whose timeouts hold.
    pub fn new(webhook: &Secret, http: Client) -> Self {
        Self { webhook: webhook.clone(), http }
    }

    /// Posts a summary. Asked to wait for up to 5 seconds, it waits, and tries once more.
    pub fn send(&self, summary: &Summary, brand: &Brand) -> Result<(), Undelivered> {
        let message = message(summary, brand);
        let mut response = self.post(&message)?;
        for is_last in [false, true] {
            let status = response.status();
            if status.is_success() {
                return Ok(());
            } else if status != StatusCode::TOO_MANY_REQUESTS {
                return Err(Undelivered::new(Outcome::Notice, self.refused(response)));
            }
            match retry_after(response).filter(|wait| *wait <= LONGEST_WAIT && !is_last) {
                Some(wait) => thread::sleep(wait),
                None => break,
            }
            response = self.post(&message)?;
        }
        let advice = "Try again later; passes do so by themselves";
        let error = Error::new(Kind::Outage, "Discord wants fewer messages", advice);
        Err(Undelivered::new(Outcome::Channel, error))
    }

    /// Asks for the webhook's name and the id of its channel, without posting.
    pub fn look(&self) -> Result<(String, String), Error> {
        let unreachable = |error| unreachable(error).error;
        let response = self.http.get(self.url()?).send().map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(self.refused(response));
        }
        let webhook: Value = response.json().map_err(unreachable)?;
        let field = |name: &str| webhook[name].as_str().unwrap_or("?").to_owned();
        Ok((field("name"), field("channel_id")))
    }

    fn url(&self) -> Result<Url, Error> {
        let advice = format!("Copy it from Discord {WEBHOOKS}");
        Url::parse(self.webhook.reveal().trim())
            .map_err(|_| Error::new(Kind::Usage, "DISCORD_WEBHOOK is not a web address", advice))
    }

    fn post(&self, message: &Value) -> Result<Response, Undelivered> {
        let mut url = self.url().map_err(|error| Undelivered::new(Outcome::Channel, error))?;
        // Without it, Discord answers before it knows whether the message can be posted.
        url.query_pairs_mut().append_pair("wait", "true");
        test_hooks::crash_point("before a post");
        let response = self.http.post(url).json(message).send();
        test_hooks::crash_point("after a post");
        response.map_err(unreachable)
    }

    fn refused(&self, response: Response) -> Error {
        let status = response.status();
        let advice = match status.as_u16() {
            401 | 403 | 404 => format!("The webhook is gone: make a new one {WEBHOOKS} and set DISCORD_WEBHOOK"),
            300..=399 => "DISCORD_WEBHOOK has to be the webhook's own address".to_owned(),
            500..=599 => LOOK_AT_STATUS.to_owned(),
            _ => format!("Check DISCORD_WEBHOOK {WEBHOOKS}"),
        };
        Error::new(Kind::Outage, format!("Discord answers {status}"), advice).because(self.words(response))
    }

    /// What Discord says about an error, without what follows the id in the webhook's path: its secret.
    fn words(&self, response: Response) -> String {
        let mut body = response.bytes().map(|body| body.to_vec()).unwrap_or_default();
        let url = Url::parse(self.webhook.reveal().trim()).ok();
        let parts = url.as_ref().and_then(Url::path_segments).into_iter().flatten();
        for secret in parts.skip_while(|part| *part != "webhooks").skip(2) {
            body = Secret::new(secret).redact(body);
        }
        let message = serde_json::from_slice::<Value>(&body).ok();
        let message = message.and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
        message.map_or_else(|| "no explanation".to_owned(), |message| one_line(&message).chars().take(300).collect())
    }
}

/// An error of the HTTP client, with its causes; never with the address, which is a secret.
fn unreachable(error: reqwest::Error) -> Undelivered {
    let is_connect = error.is_connect();
    let error = error.without_url();
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        problem.push_str(": ");
        problem.push_str(&inner.to_string());
        cause = inner.source();
    }
    let (outcome, what, advice) = match is_connect {
        true => (Outcome::Channel, "Discord can't be reached", "Is this machine online, and DISCORD_WEBHOOK right?"),
        false => (Outcome::Unanswered, "Discord did not answer", LOOK_AT_STATUS),
    };
    Undelivered::new(outcome, Error::new(Kind::Outage, what, advice).because(one_line(&problem)))
}

fn message(summary: &Summary, brand: &Brand) -> Value {
    let mut left = EMBED;
    let mut fit = |text: &str, limit: usize| {
        let fitting = escape(text, limit.min(left));
        left -= length(&fitting);
        fitting
    };
    let title = fit(&summary.title, TITLE);
    let footer = fit(&one_line(&brand.name), TITLE);
    let description = fit(&summary.sentence, DESCRIPTION);
    let mut fields = Vec::new();
    for fact in &summary.facts {
        let (name, value) = (fit(fact.label, TITLE), fit(&fact.value, FIELD));
        // Discord refuses empty ones.
        if !name.is_empty() && !value.is_empty() {
            fields.push(json!({ "name": name, "value": value, "inline": length(&fact.value) <= 40 }));
        }
    }
    let embed = json!({
        "title": title,
        "description": description,
        "color": color(&brand.color),
        "fields": fields,
        "footer": { "text": footer },
    });
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// Takes the meaning from everything that Discord's Markdown would make something of, links and mentions included, and cuts
/// what is longer than `limit`. The text is a single line, so quotes, headlines and lists can only be at its start.
fn escape(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    let mut used = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let special = matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' | ']')
            || (matches!(c, '>' | '#' | '-' | '+') && escaped.is_empty())
            || (c == ':' && rest.peek() == Some(&'/'));
        let needed = c.len_utf16() + usize::from(special);
        let reserve = usize::from(rest.peek().is_some());
        if used + needed + reserve > limit {
            if used < limit {
                escaped.push('…');
            }
            break;
        }
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
        used += needed;
    }
    escaped
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// `#7A5CFF` as the number that Discord wants.
fn color(color: &str) -> u32 {
    u32::from_str_radix(color.trim_start_matches('#'), 16).unwrap_or_default()
}

/// Seconds, with a fraction: in the header, else in the answer itself.
fn retry_after(response: Response) -> Option<Duration> {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let seconds = header.or_else(|| response.json::<Value>().ok()?.get("retry_after")?.as_f64())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{
        Event,
        test_support::{ada, brand, serve},
    };

    fn channel(port: u16) -> Discord {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Discord::new(&Secret::new(format!("http://127.0.0.1:{port}/api/webhooks/1/hush")), Client::new())
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn joined() -> Summary {
        Summary::of(&Event::Joined { who: ada(), warn_days: 27, kick_days: 30 })
    }

    #[test]
    fn markdown_in_names_is_shown_as_it_is() {
        assert_eq!(escape("**a**_b_`c`|~[x](y)", 99), r"\*\*a\*\*\_b\_\`c\`\|\~\[x\](y)");
        assert_eq!(escape("<@1> https://example.test", 99), r"\<@1> https\://example.test");
        assert_eq!(escape("> quote", 99), r"\> quote");
        assert_eq!(escape("- list - dash", 99), r"\- list - dash");
        assert_eq!(escape("Zoë 🎬 \\", 99), r"Zoë 🎬 \\");
    }

    #[test]
    fn long_texts_are_cut_within_the_limit() {
        assert_eq!(escape("abcdef", 6), "abcdef");
        assert_eq!(escape("abcdefg", 6), "abcde…");
        for limit in 0..12 {
            for text in ["🎬🎬🎬🎬🎬🎬🎬", "*******", "abcdefghijklmn"] {
                let cut = escape(text, limit);
                assert!(length(&cut) <= limit, "{cut} is longer than {limit}");
                assert!(!cut.ends_with('\\'), "{cut} ends in the middle of an escape");
            }
        }
    }

    #[test]
    fn an_overlong_message_stays_within_every_limit() {
        let long = "*🎬".repeat(9000);
        let summary = Summary::of(&Event::RemovalFailed { who: ada(), reason: long.clone(), error: long.clone() });
        let summary = Summary { title: long.clone(), sentence: long, ..summary };
        let embed = &message(&summary, &brand())["embeds"][0];
        let size = |value: &Value| length(value.as_str().unwrap());
        let fields = embed["fields"].as_array().unwrap();
        assert!(size(&embed["title"]) <= TITLE && size(&embed["description"]) <= DESCRIPTION);
        assert!(fields.iter().all(|field| (1..=FIELD).contains(&size(&field["value"]))));
        let all: usize = fields.iter().map(|field| size(&field["name"]) + size(&field["value"])).sum();
        assert!(all + size(&embed["title"]) + size(&embed["description"]) + size(&embed["footer"]["text"]) <= EMBED);
    }

    #[test]
    fn a_message_pings_nobody_and_has_the_brands_color() {
        let message = message(&joined(), &brand());
        assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
        assert_eq!(message["embeds"][0]["color"], 0x007A_5CFF);
        assert_eq!(message["embeds"][0]["title"], "Joined: Ada");
    }

    #[test]
    fn waits_as_long_as_discord_asks_in_header_or_body_and_tries_once_more() {
        for (headers, body) in [("Retry-After: 0.2\r\n", "{}"), ("", r#"{"retry_after": 0.2}"#)] {
            let busy = answer("429 Too Many Requests", headers, body);
            let (port, server) = serve(vec![busy, answer("200 OK", "", "{}")]);
            let begun = std::time::Instant::now();
            channel(port).send(&joined(), &brand()).unwrap();
            assert!(begun.elapsed() >= Duration::from_millis(200));
            let requests = server.join().unwrap();
            assert!(requests[0].starts_with("POST /api/webhooks/1/hush?wait=true "), "{}", requests[0]);
            assert_eq!(requests.len(), 2);
        }
    }

    #[test]
    fn does_not_wait_for_long_nor_for_ever() {
        let long = answer("429 Too Many Requests", "", r#"{"retry_after": 64.5}"#);
        let short = answer("429 Too Many Requests", "Retry-After: 0\r\n", "");
        for busy in [vec![long], vec![short; 2]] {
            let (expected, (port, server)) = (busy.len(), serve(busy));
            let undelivered = channel(port).send(&joined(), &brand()).unwrap_err();
            assert_eq!((undelivered.outcome, server.join().unwrap().len()), (Outcome::Channel, expected));
        }
    }

    #[test]
    fn a_deleted_webhook_is_explained() {
        let (port, _server) =
            serve(vec![answer("404 Not Found", "", r#"{"message": "Unknown Webhook", "code": 10015}"#)]);
        let error = channel(port).send(&joined(), &brand()).unwrap_err();
        assert_eq!(error.outcome, Outcome::Notice);
        assert_eq!(
            error.error.to_string(),
            "Discord answers 404 Not Found: Unknown Webhook. The webhook is gone: make a new one \
             (channel settings, Integrations, Webhooks) and set DISCORD_WEBHOOK"
        );
    }

    #[test]
    fn errors_never_show_the_webhook() {
        let (port, server) = serve(vec![]);
        server.join().unwrap();
        for webhook in [format!("http://127.0.0.1:{port}/hush"), "hush".to_owned(), "ftp://hush".to_owned()] {
            let channel = Discord { webhook: Secret::new(webhook), ..channel(port) };
            let error = channel.send(&joined(), &brand()).unwrap_err();
            assert!(!format!("{} {error:?}", error.error).contains("hush"), "{error:?}");
        }
    }
}
