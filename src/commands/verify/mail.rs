use reqwest::blocking::Client;
use time::{Duration, OffsetDateTime};

use super::{
    Check,
    advice::{of_discord, of_sending, of_smtp},
};
use crate::{
    config::{ExtraAuthorities, MailConfig, Settings, SmtpTls, is_this_machine},
    notify::{Composed, Discord, SendError, Smtp, Summary, Templates, proofs},
    words,
};

const SMTP: &str = "mail";
const DISCORD: &str = "Discord";
const TEMPLATES: &str = "template";
/// A certificate that ends within this time is pointed out.
const EXPIRY_NOTICE: Duration = Duration::days(14);

/// What was seen and what to do, if a mail did not go out.
type Trouble = Option<(String, String)>;

/// A mail of each kind to the admin, ready to be sent.
type Samples = Vec<(&'static str, Composed)>;

/// Whether each kind of mail can be written, and the mails; marked as tests.
pub fn templates(config: &MailConfig, settings: &Settings, now: OffsetDateTime) -> (Vec<Check>, Samples) {
    let broken = |error: String| Check::fail(TEMPLATES, error, "Mend the file, or take it out of TEMPLATE_DIR");
    let templates = match Templates::load(config.template_dir.as_deref()) {
        Ok(templates) => templates.for_tests(),
        Err(error) => return (vec![broken(error.to_string())], Vec::new()),
    };
    let own = templates.own().to_vec();
    let (mut checks, mut mails) = (Vec::new(), Vec::new());
    for (kind, mail) in proofs(config, &settings.rules, &templates, now) {
        match mail {
            Ok(mail) => mails.push((kind, mail)),
            Err(error) => checks.push(broken(error.to_string())),
        }
    }
    if checks.is_empty() && !own.is_empty() {
        checks.push(Check::ok(TEMPLATES, format!("{} of TEMPLATE_DIR in use", own.join(", "))));
    }
    (checks, mails)
}

/// The mail server: connection, TLS, login, sender. `send` holds the test mails, if they are asked for.
pub fn smtp(
    config: &MailConfig,
    authorities: &ExtraAuthorities,
    send: Option<&Samples>,
    now: OffsetDateTime,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut smtp = talk(config, authorities, &mut checks, now);
    match (&mut smtp, send) {
        (_, None) => {}
        (Some(smtp), Some(mails)) if !mails.is_empty() => checks.extend(send_tests(smtp, config, mails)),
        _ => checks.push(Check::fail(SMTP, "no test mail was sent", "Mend what fails above, and try again")),
    }
    if let Some(smtp) = smtp {
        smtp.quit();
    }
    checks
}

/// Goes as far as a mail would, and says how far that was. None if no mail could be sent.
fn talk(
    config: &MailConfig,
    authorities: &ExtraAuthorities,
    checks: &mut Vec<Check>,
    now: OffsetDateTime,
) -> Option<Smtp> {
    let mut smtp = match Smtp::reach(config, authorities) {
        Ok(smtp) => smtp,
        Err(error) => {
            checks.push(Check::fail(SMTP, error.what(), of_smtp(&error, config)));
            return None;
        }
    };
    checks.push(security(config, authorities, &smtp, now));
    if let Err(error) = smtp.log_in(config) {
        checks.push(Check::fail(SMTP, error.what(), of_smtp(&error, config)));
        return None;
    }
    checks.push(Check::ok(SMTP, format!("logged in as {}", config.username)));
    if let Err(error) = smtp.try_sender(&config.from.email) {
        let (seen, next) = of_sending(&error, config);
        checks.push(Check::fail(SMTP, seen, next));
        return None;
    }
    checks.push(Check::ok(SMTP, format!("may send as {}", config.from.email)));
    Some(smtp)
}

fn security(config: &MailConfig, authorities: &ExtraAuthorities, smtp: &Smtp, now: OffsetDateTime) -> Check {
    let server = format!("{}:{}", config.host, config.port);
    if config.tls == SmtpTls::None {
        let seen = format!("reached {server} without TLS (SMTP_TLS=none)");
        let next = "The password and every mail can be read on the way: set SMTP_TLS=auto if the server can";
        return if is_this_machine(&config.host) { Check::ok(SMTP, seen) } else { Check::look(SMTP, seen, next) };
    }
    let version = if Smtp::speaks_tls13(config, authorities) { "TLS 1.3" } else { "TLS 1.2" };
    let how = if config.tls == SmtpTls::Implicit { "TLS from the first byte" } else { "STARTTLS" };
    let seen = format!("reached {server}, {how}, {version}");
    match smtp.certificate_ends() {
        Some(ends) if ends - now < EXPIRY_NOTICE => Check::look(
            SMTP,
            format!("{seen}, certificate good until {}", words::day(ends)),
            "Whoever runs the mail server should renew it: after that day no mail goes out",
        ),
        Some(ends) => Check::ok(SMTP, format!("{seen}, certificate good until {}", words::day(ends))),
        None => Check::ok(SMTP, seen),
    }
}

/// Sends the mails; those with the same outcome share a line.
fn send_tests(smtp: &mut Smtp, config: &MailConfig, mails: &Samples) -> Vec<Check> {
    let mut outcomes: Vec<(Trouble, Vec<&str>)> = Vec::new();
    let mut is_broken = false;
    for (kind, mail) in mails.iter() {
        let outcome = if is_broken {
            Some(("not tried any more".to_owned(), "Mend what fails above, and try again".to_owned()))
        } else {
            let sent = smtp.send(&mail.from, &mail.to, &mail.bytes);
            is_broken = matches!(sent, Err(SendError::Broken { .. }));
            sent.err().map(|error| of_sending(&error, config))
        };
        match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, kinds)) => kinds.push(kind),
            None => outcomes.push((outcome, vec![kind])),
        }
    }
    let check = |(outcome, kinds): (Trouble, Vec<&str>)| {
        let mails = if kinds.len() == 1 { "mail" } else { "mails" };
        let what = format!("{} test {mails} to {}", kinds.join(", "), config.admin);
        match outcome {
            None => Check::ok(SMTP, format!("sent: {what}")),
            Some((seen, next)) => Check::fail(SMTP, format!("{what}: {seen}"), next),
        }
    };
    outcomes.into_iter().map(check).collect()
}

/// Discord: the webhook, its name and channel; and with `send_test` a message.
pub fn discord(config: &MailConfig, client: &Client, send_test: bool, now: OffsetDateTime) -> Vec<Check> {
    let Some(webhook) = &config.discord else {
        return vec![Check::ok(DISCORD, "not used (DISCORD_WEBHOOK is not set)")];
    };
    let discord = Discord::new(webhook, client.clone());
    let failure = |what: &str, error| {
        let (seen, next) = of_discord(&error);
        Check::fail(DISCORD, format!("{what}{seen}"), next)
    };
    let mut checks = vec![match discord.look() {
        Ok((name, channel)) => {
            let (name, channel) = (words::printable(&name), words::printable(&channel));
            Check::ok(DISCORD, format!("the webhook \"{name}\" posts to channel {channel}"))
        }
        Err(error) => return vec![failure("", error)],
    }];
    if send_test {
        checks.push(match discord.send_summary(&Summary::test(now), &config.brand) {
            Ok(()) => Check::ok(DISCORD, "posted a test message"),
            Err(error) => failure("the test message: ", error),
        });
    }
    checks
}
