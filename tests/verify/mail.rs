//! The mail server, its certificate, and Discord.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::version::TLS12;
use rustls_pki_types::PrivateKeyDer;
use time::{Duration, OffsetDateTime};

use super::{about, each, household, in_container, troubles};
use crate::support::{Fault, Sandbox, SmtpFault, SmtpTls, Stage, any};

const LOGIN: &str = "✓ mail: logged in as sandbox-mailer";
const PLAIN: &str = "✓ mail: reached 127.0.0.1:PORT without TLS (SMTP_TLS=none)";

/// What was set wrong, and what is said about the mail server.
type Case = (fn(&Sandbox), &'static [&'static str]);

const CASES: [Case; 12] = [
    (
        |sandbox| {
            sandbox.smtp_tls(SmtpTls::Implicit).set_env("SMTP_TLS", "starttls");
        },
        &[
            "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: no answer in time → Port PORT may want TLS from the \
           first byte: try SMTP_TLS=implicit; else check SMTP_PORT.",
        ],
    ),
    (
        |sandbox| {
            sandbox.smtp_tls(SmtpTls::Implicit).set_env("SMTP_TLS", "none");
        },
        &[
            "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: no answer in time → Port PORT may want TLS from the \
           first byte: try SMTP_TLS=implicit; else check SMTP_PORT.",
        ],
    ),
    (
        |sandbox| {
            sandbox.smtp_tls(SmtpTls::Starttls).set_env("SMTP_TLS", "implicit");
        },
        &[
            "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: received corrupt message of type InvalidContentType → \
           Port PORT may not speak TLS from the first byte: try SMTP_TLS=starttls (or none, without any TLS).",
        ],
    ),
    (
        |sandbox| {
            sandbox.set_env("SMTP_TLS", "auto");
        },
        &["✗ mail: cannot secure the connection to the mail server 127.0.0.1:PORT: it offers no STARTTLS → Set \
           SMTP_TLS=implicit if this port speaks TLS from the first byte (465 does); SMTP_TLS=none sends the password and \
           the mails in the clear, and is only for a server on this machine or in your own network."],
    ),
    (
        |sandbox| {
            sandbox.smtp_tls(SmtpTls::Starttls).unset_env("CA_FILE");
        },
        &[
            "✗ mail: cannot secure the connection to the mail server 127.0.0.1:PORT: invalid peer certificate: UnknownIssuer → \
           If the server has an authority of its own, name its PEM file in CA_FILE.",
        ],
    ),
    (
        |sandbox| {
            sandbox.smtp_tls(SmtpTls::Implicit).set_env("SMTP_HOST", "0.0.0.0");
        },
        &[
            "✗ mail: cannot connect to the mail server 0.0.0.0:PORT: invalid peer certificate: certificate not valid for name \
           \"0.0.0.0\"; certificate is only valid for DnsName(\"localhost\") or IpAddress(127.0.0.1) → The certificate is \
           not for 0.0.0.0: SMTP_HOST has to be the name that stands in it.",
        ],
    ),
    (
        |sandbox| {
            sandbox.set_env("SMTP_PASSWORD", "wrong");
        },
        &[
            PLAIN,
            "✗ mail: cannot log in to the mail server 127.0.0.1:PORT: 535 5.7.8 Authentication credentials invalid → Check \
             SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password.",
        ],
    ),
    (
        |sandbox| sandbox.smtp.without_login(),
        &[
            PLAIN,
            "✗ mail: cannot log in to the mail server 127.0.0.1:PORT: it offers no login with a password (AUTH PLAIN or \
             LOGIN) → Check SMTP_PORT and SMTP_TLS: 587 with starttls or 465 with implicit is usual.",
        ],
    ),
    (
        |sandbox| drop(sandbox.smtp.refuse_sender()),
        &[
            PLAIN,
            LOGIN,
            "✗ mail: sandbox-mailer may not send as plex@example.test: 553 5.7.1 Sender address rejected → Set SMTP_FROM to \
             an address of that login: many servers take no other.",
        ],
    ),
    (
        |sandbox| drop(sandbox.smtp.fail(Stage::Sender, SmtpFault::reply(451, "4.3.0 Later"))),
        &[
            PLAIN,
            LOGIN,
            "✗ mail: the mail server puts the mail off (at MAIL FROM): 451 4.3.0 Later → Try again in some minutes; passes do so \
             by themselves.",
        ],
    ),
    (
        |sandbox| drop(sandbox.smtp.busy()),
        &[
            "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: 421 4.3.2 Too busy, try again later → It may work \
           later.",
        ],
    ),
    (
        |sandbox| {
            sandbox.set_env("SMTP_HOST", "no-such-host.invalid");
        },
        &[
            "✗ mail: cannot connect to the mail server no-such-host.invalid:PORT: failed to lookup address information: ",
        ],
    ),
];

#[test]
fn each_mistake_has_a_next_step_that_fits() {
    each(&CASES, |(make, findings)| {
        let sandbox = household();
        make(&sandbox);
        sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", 1000);
        let found = about("mail", &sandbox);
        let fits = found.len() == findings.len() && found.iter().zip(*findings).all(|(a, b)| a.starts_with(b));
        assert!(fits, "{found:#?}\nshould be {findings:#?}");
    });
}

#[test]
fn localhost_is_another_machine_inside_a_container() {
    let sandbox = household();
    sandbox.smtp.stop();
    let refused = "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: Connection refused (os error 111) → ";
    if !in_container() {
        assert_eq!(about("mail", &sandbox), [format!("{refused}Check SMTP_HOST and SMTP_PORT.")]);
    }
    sandbox.set_env("container", "docker");
    assert_eq!(
        about("mail", &sandbox),
        [format!(
            "{refused}Inside a container, localhost is the container itself: put the other container's name, or the \
             machine's name or address, into SMTP_HOST."
        )]
    );
}

/// A certificate for loopback that is good for so long from now, really, and servers that use it.
fn certificate(
    sandbox: &Sandbox,
    left: Duration,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = sandbox.dir().join("own.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    sandbox.set_env("CA_FILE", file.display());

    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::days(90);
    params.not_after = OffsetDateTime::now_utc() + left;
    let certificate = params.signed_by(&key, &authority).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap()
}

#[test]
fn the_end_of_the_certificate_is_shown_with_either_version_of_tls() {
    let kinds = [(SmtpTls::Starttls, "STARTTLS"), (SmtpTls::Implicit, "TLS from the first byte")];
    each(&kinds, |(tls, words)| {
        let sandbox = household();
        sandbox.set_now(OffsetDateTime::now_utc());
        sandbox.smtp_tls(*tls);
        for (left, versions) in [(90, rustls::DEFAULT_VERSIONS), (15, &[&TLS12][..])] {
            sandbox.smtp.use_tls(*tls, Arc::new(certificate(&sandbox, Duration::days(left), versions)));
            let end = (OffsetDateTime::now_utc() + Duration::days(left)).date();
            let reached = format!("✓ mail: reached 127.0.0.1:PORT, {words}, certificate good until {end}");
            assert_eq!(about("mail", &sandbox), [&reached, LOGIN, "✓ mail: may send as plex@example.test"]);
        }
        sandbox.smtp.use_tls(*tls, Arc::new(certificate(&sandbox, Duration::days(5), &[&TLS12])));
        let end = (OffsetDateTime::now_utc() + Duration::days(5)).date();
        assert_eq!(
            troubles(&sandbox),
            [format!(
                "! mail: reached 127.0.0.1:PORT, {words}, certificate good until {end} → Whoever runs the mail \
                 server should renew it: after that day no mail goes out."
            )]
        );
        sandbox.smtp.use_tls(*tls, Arc::new(certificate(&sandbox, Duration::days(-1), &[&TLS12])));
        let found = about("mail", &sandbox);
        assert!(found[0].starts_with("✗ mail: cannot ") && found.len() == 1, "{found:#?}");
        let next = " → The server's certificate has expired, or this machine's clock is wrong.";
        assert!(
            found[0].contains("invalid peer certificate: certificate expired") && found[0].ends_with(next),
            "{found:#?}"
        );
    });
}

#[test]
fn a_server_elsewhere_without_tls_is_looked_at() {
    let sandbox = household();
    sandbox.set_env("SMTP_HOST", "0.0.0.0");
    assert_eq!(
        troubles(&sandbox),
        [
            "! mail: reached 0.0.0.0:PORT without TLS (SMTP_TLS=none) → The password and every mail can be read on the way: \
          set SMTP_TLS=auto if the server can."
        ]
    );
}

#[test]
fn discord_is_looked_at_and_not_posted_to() {
    let webhooks = " (channel settings, Integrations, Webhooks)";
    let sandbox = household();
    let webhook = sandbox.discord.webhook();
    sandbox.set_env("DISCORD_WEBHOOK", webhook.replace("sandbox-webhook", "gone"));
    let gone = format!("The webhook is gone: make a new one{webhooks} and set DISCORD_WEBHOOK.");
    assert_eq!(troubles(&sandbox), [format!("✗ Discord: answers 404 Not Found: Unknown Webhook → {gone}")]);
    sandbox.set_env("DISCORD_WEBHOOK", &webhook);
    for (fault, expected) in [
        (
            Fault::status(503),
            "✗ Discord: answers 503 Service Unavailable: no explanation → If this goes on, look at \
             https://discordstatus.com",
        ),
        (
            Fault::redirect("https://example.test"),
            "✗ Discord: answers 302 Found: no explanation → DISCORD_WEBHOOK has to be the webhook's own address.",
        ),
    ] {
        sandbox.discord.fail(any(), fault);
        assert_eq!(troubles(&sandbox), [expected]);
        sandbox.mend();
    }
    sandbox.discord.stop();
    let found = troubles(&sandbox);
    assert!(found.len() == 1 && found[0].starts_with("✗ Discord: can't be reached: "), "{found:#?}");
    assert!(found[0].ends_with("(os error 111) → Is this machine online, and DISCORD_WEBHOOK right?"), "{found:#?}");
    sandbox.unset_env("DISCORD_WEBHOOK");
    assert_eq!(about("Discord", &sandbox), ["✓ Discord: not used (DISCORD_WEBHOOK is not set)"]);
}
