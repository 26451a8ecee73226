use reqwest::blocking::Client;
use time::{Duration, OffsetDateTime};

use super::{
    Check,
    services::{in_container, is_this_machine},
};
use crate::{
    config::{Environment, ExtraAuthorities, MailConfig, Settings, SmtpTls},
    notify::{Channel, Discord, Event, Smtp, Summary, TautulliStep, Templates, Who, compose, compose_for_admin},
    words,
};

const SMTP: &str = "mail";
const DISCORD: &str = "Discord";
const MEND_DISCORD: &str = "Check DISCORD_WEBHOOK: channel settings, Integrations, Webhooks.";
/// A certificate that ends within this time is pointed out.
const SOON: Duration = Duration::days(14);

/// The mail server: connection, TLS, login, sender; and with `send_test` a mail of each kind to the admin.
pub(super) fn smtp(
    config: &MailConfig,
    authorities: &ExtraAuthorities,
    settings: Option<&Settings>,
    environment: &Environment,
    send_test: bool,
    now: OffsetDateTime,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let templates = match Templates::load(config.template_dir.as_deref()) {
        Ok(templates) => Some(templates.for_tests()),
        Err(error) => {
            checks.push(Check::fail("templates", error.to_string(), "Mend the file, or take it out of TEMPLATE_DIR."));
            None
        }
    };
    let mails = templates.as_ref().map(|templates| samples(config, settings, templates, now)).unwrap_or_default();
    for error in mails.iter().filter_map(|mail| mail.as_ref().err()) {
        checks.push(Check::fail("templates", error.clone(), "Mend the file, or take it out of TEMPLATE_DIR."));
    }
    let mut smtp = match Smtp::connect(config, authorities) {
        Ok(smtp) => smtp,
        Err(error) => {
            let lost = is_this_machine(&config.host) && environment.is_container() && error.what().contains("refused");
            let next = if lost { in_container("SMTP_HOST") } else { error.advice().to_owned() };
            checks.push(Check::fail(SMTP, error.what(), next));
            return checks;
        }
    };
    checks.push(security(config, authorities, &smtp, now));
    checks.push(Check::ok(SMTP, "the login is accepted"));
    checks.push(match smtp.try_sender(&config.from.email) {
        Ok(()) => Check::ok(SMTP, format!("{} may send", config.from.email)),
        Err(error) => {
            Check::fail(SMTP, error.to_string(), "Check SMTP_FROM: many servers want it to be the login's own address.")
        }
    });
    if send_test {
        for mail in mails.into_iter().flatten() {
            checks.push(match smtp.send(&mail.1.from, &mail.1.to, &mail.1.bytes) {
                Ok(()) => Check::ok(SMTP, format!("sent a {} mail to {} as a test", mail.0, config.admin)),
                Err(error) => {
                    let next = "Check ADMIN_EMAIL, and what the mail server says.";
                    Check::fail(SMTP, format!("the {} mail, as a test: {error}", mail.0), next)
                }
            });
        }
    }
    smtp.quit();
    checks
}

fn security(config: &MailConfig, authorities: &ExtraAuthorities, smtp: &Smtp, now: OffsetDateTime) -> Check {
    let server = format!("{}:{}", config.host, config.port);
    if config.tls == SmtpTls::None {
        let seen = format!("reached {server} without TLS (SMTP_TLS=none)");
        return if is_this_machine(&config.host) {
            Check::ok(SMTP, seen)
        } else {
            Check::look(
                SMTP,
                seen,
                "The password and every mail can be read on the way: set SMTP_TLS=auto if the server can.",
            )
        };
    }
    let version = if Smtp::speaks_tls13(config, authorities) { "TLS 1.3" } else { "TLS 1.2" };
    let how = if config.tls == SmtpTls::Implicit { "TLS from the first byte" } else { "STARTTLS" };
    let seen = format!("reached {server}, {how}, {}", version);
    match smtp.certificate_ends() {
        Some(ends) if ends - now < SOON => Check::look(
            SMTP,
            format!("{seen}, certificate good until {}", words::day(ends)),
            "The server's owner should renew it: after that day no mail goes out.",
        ),
        Some(ends) => Check::ok(SMTP, format!("{seen}, certificate good until {}", words::day(ends))),
        None => Check::ok(SMTP, seen),
    }
}

type Sample = Result<(&'static str, crate::notify::Composed), String>;

/// One mail of each kind, about somebody made up, to the admin, marked as a test.
fn samples(
    config: &MailConfig,
    settings: Option<&Settings>,
    templates: &Templates,
    now: OffsetDateTime,
) -> Vec<Sample> {
    let (warn_days, kick_days) =
        settings.map_or((27, 30), |settings| (settings.rules.warn_days, settings.rules.kick_days));
    let who = Who { id: 1, name: "Test Person".to_owned(), email: Some(config.admin.to_string()) };
    let notice = kick_days - warn_days;
    let events = [
        ("welcome", Event::Joined { who: who.clone(), warn_days, kick_days }),
        (
            "warning",
            Event::Warned {
                who: who.clone(),
                idle_days: warn_days,
                access_ends: now + Duration::days(notice.into()),
                days_left: notice,
                last_watched: Some(now - Duration::days(warn_days.into())),
            },
        ),
        (
            "removal",
            Event::Removed {
                who,
                reason: format!("nothing watched for {}", words::count(kick_days as usize, "day", "days")),
                kick_days,
                plex: "nothing was ended: this is a test".to_owned(),
                tautulli: TautulliStep::Deleted,
                failing_since: None,
            },
        ),
    ];
    let id = |kind: &str| format!("<test-{kind}-{}@{}>", now.unix_timestamp(), config.from.email.domain());
    let mut samples: Vec<Sample> = events
        .into_iter()
        .map(|(kind, event)| {
            let mail = compose(&event, Channel::Person, config, templates, &id(kind), now);
            mail.map(|mail| (kind, mail)).map_err(|error| error.to_string())
        })
        .collect();
    let mail = compose_for_admin(&Summary::test(now), config, templates, &id("admin"), now);
    samples.push(mail.map(|mail| ("admin", mail)).map_err(|error| error.to_string()));
    samples
}

/// Discord: the webhook, its name and channel; and with `send_test` a message.
pub(super) fn discord(config: &MailConfig, client: Client, send_test: bool, now: OffsetDateTime) -> Vec<Check> {
    let Some(webhook) = &config.discord else {
        return vec![Check::ok(DISCORD, "not used (DISCORD_WEBHOOK is not set)")];
    };
    let discord = Discord::new(webhook, client);
    let mut checks = vec![match discord.look() {
        Ok((name, channel)) => Check::ok(
            DISCORD,
            format!("the webhook {:?} posts to channel {}", words::printable(&name), words::printable(&channel)),
        ),
        Err(error) => return vec![Check::fail(DISCORD, error.to_string(), MEND_DISCORD)],
    }];
    if send_test {
        checks.push(match discord.send_summary(&Summary::test(now), &config.brand) {
            Ok(()) => Check::ok(DISCORD, "posted a test message"),
            Err(error) => Check::fail(DISCORD, error.to_string(), MEND_DISCORD),
        });
    }
    checks
}
