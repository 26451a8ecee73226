use reqwest::blocking::Client;
use time::{Duration, OffsetDateTime};

use super::Check;
use crate::{
    config::{ExtraAuthorities, MailConfig, Settings, SmtpTls, is_this_machine},
    error::{Error, Kind},
    notify::{Composed, Discord, Smtp, Summary, Templates, Undelivered, sample_mails},
    words,
};

const SMTP: &str = "mail";
const DISCORD: &str = "Discord";
const TEMPLATES: &str = "template";
/// A certificate that ends within this time is pointed out.
const EXPIRY_NOTICE: Duration = Duration::days(14);

const TRY_AGAIN: &str = "Mend what fails above, and try again";

/// A mail of each kind to the admin, ready to be sent.
type Samples = Vec<(&'static str, Composed)>;

fn failure(area: &'static str, error: &Error) -> Check {
    Check::fail(area, error.what(), &error.advice)
}

/// Whether each kind of mail can be written, and the mails; marked as tests.
pub fn templates(config: &MailConfig, settings: &Settings, now: OffsetDateTime) -> (Vec<Check>, Samples) {
    let templates = match Templates::load(config.template_dir.as_deref()) {
        Ok(templates) => templates.for_tests(),
        Err(error) => return (vec![failure(TEMPLATES, &error)], Vec::new()),
    };
    let own = templates.own().to_vec();
    let (mut checks, mut mails) = (Vec::new(), Vec::new());
    for (kind, mail) in sample_mails(config, &settings.rules, &templates, now) {
        match mail {
            Ok(mail) => mails.push((kind, mail)),
            Err(Undelivered { error, .. }) => checks.push(failure(TEMPLATES, &error)),
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
    let talked = talk(config, authorities, &mut checks, now);
    checks.extend(talked.as_ref().err().map(|error| failure(SMTP, error)));
    let mut smtp = talked.ok();
    match (&mut smtp, send) {
        (_, None) => {}
        (Some(smtp), Some(mails)) if !mails.is_empty() => checks.extend(send_tests(smtp, config, mails)),
        _ => checks.push(Check::fail(SMTP, "no test mail was sent", TRY_AGAIN)),
    }
    if let Some(smtp) = smtp {
        smtp.quit();
    }
    checks
}

/// Goes as far as a mail would, and notes how far that was.
fn talk<'a>(
    config: &'a MailConfig,
    authorities: &ExtraAuthorities,
    checks: &mut Vec<Check>,
    now: OffsetDateTime,
) -> Result<Smtp<'a>, Error> {
    let mut smtp = Smtp::connect(config, authorities)?;
    checks.push(security(config, &smtp, now));
    smtp.log_in()?;
    checks.push(Check::ok(SMTP, format!("logged in as {}", config.username)));
    smtp.try_sender().map_err(|undelivered| undelivered.error)?;
    checks.push(Check::ok(SMTP, format!("may send as {}", config.from.email)));
    Ok(smtp)
}

fn security(config: &MailConfig, smtp: &Smtp<'_>, now: OffsetDateTime) -> Check {
    let server = format!("{}:{}", config.host, config.port);
    if config.tls == SmtpTls::None {
        let seen = format!("reached {server} without TLS (SMTP_TLS=none)");
        let next = "The password and every mail can be read on the way: set SMTP_TLS=auto if the server can";
        return if is_this_machine(&config.host) { Check::ok(SMTP, seen) } else { Check::look(SMTP, seen, next) };
    }
    let how = if config.tls == SmtpTls::Implicit { "TLS from the first byte" } else { "STARTTLS" };
    let seen = format!("reached {server}, {how}");
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
fn send_tests(smtp: &mut Smtp<'_>, config: &MailConfig, mails: &Samples) -> Vec<Check> {
    let mut outcomes: Vec<(Option<Error>, Vec<&str>)> = Vec::new();
    let mut is_down = false;
    for (kind, mail) in mails {
        let error = if is_down {
            Some(Error::new(Kind::Outage, "not tried any more", TRY_AGAIN))
        } else {
            let undelivered = smtp.send(mail).err();
            is_down = undelivered.as_ref().is_some_and(Undelivered::closes_channel);
            undelivered.map(|undelivered| undelivered.error)
        };
        match outcomes.iter_mut().find(|(known, _)| *known == error) {
            Some((_, kinds)) => kinds.push(kind),
            None => outcomes.push((error, vec![kind])),
        }
    }
    let check = |(error, kinds): (Option<Error>, Vec<&str>)| {
        let mails = if kinds.len() == 1 { "mail" } else { "mails" };
        let what = format!("{} test {mails} to {}", kinds.join(", "), config.admin);
        match error {
            None => Check::ok(SMTP, format!("sent: {what}")),
            Some(error) => Check::fail(SMTP, format!("{what}: {}", error.what()), error.advice),
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
    let mut checks = vec![match discord.look() {
        Ok((name, channel)) => {
            let (name, channel) = (words::printable(&name), words::printable(&channel));
            Check::ok(DISCORD, format!("the webhook \"{name}\" posts to channel {channel}"))
        }
        Err(error) => return vec![failure(DISCORD, &error)],
    }];
    if send_test {
        checks.push(match discord.send(&Summary::test(now), &config.brand) {
            Ok(()) => Check::ok(DISCORD, "posted a test message"),
            Err(Undelivered { error, .. }) => {
                Check::fail(DISCORD, format!("the test message: {}", error.what()), error.advice)
            }
        });
    }
    checks
}
