//! Questions that go wrong: without an answer, nobody is touched.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;

use super::{Row, Scene, http_faults, impatient, run_all};
use crate::support::{Fault, Sandbox, When, cmd, get};

/// Whether it is for Plex or for Tautulli, which it is, and how the log speaks of it.
type Question = (bool, fn() -> When, &'static str);

/// The questions of a sweep.
fn questions() -> Vec<Question> {
    vec![
        (true, || get("/api/v2/resources"), "plex.tv: could not find the server: "),
        (true, || get("/api/v2/shared_servers"), "plex.tv: could not read the list of shares: "),
        (true, || get("/api/v2/home/users"), "plex.tv: could not read the Plex Home: "),
        (false, || cmd("get_users_table"), "Tautulli: could not read the table of users: "),
        (false, || cmd("server_status"), "Tautulli: could not read whether it is connected to Plex: "),
        (false, || cmd("get_server_info"), "Tautulli: could not read which server it watches: "),
        (false, || cmd("get_plays_by_date"), "Tautulli: could not read since when it has been recording: "),
        (
            false,
            || cmd("get_history").with("user_id", 1005),
            "rita (id 1005) is left alone for now: Tautulli: could not ",
        ),
    ]
}

fn fail(sandbox: &Sandbox, plex: bool, when: When, fault: Fault) {
    if plex {
        sandbox.plex.fail(when, fault)
    } else {
        sandbox.tautulli.fail(when, fault)
    };
}

fn table() -> Vec<Row> {
    let mut rows = Vec::new();
    let faults = http_faults().into_iter().chain([("half a body", (|| Fault::HalfBody) as fn() -> Fault, "")]);
    for (fault, make, answer) in faults {
        for (plex, when, asked) in questions() {
            let lay = move |sandbox: &Sandbox| {
                if fault == "hang" {
                    impatient(sandbox);
                }
                fail(sandbox, plex, when(), make());
            };
            let row = Row::new(format!("{asked}{fault}"), Scene::Sweep, lay);
            rows.push(match asked {
                // So Plex answers for an account without a Home.
                _ if asked.contains("Home") && ["403", "404"].contains(&fault) => row.harmless(),
                // The others are looked after all the same.
                _ if asked.starts_with("rita") => {
                    let others = owned_of("walt");
                    row.says(asked).meanwhile(&others)
                }
                _ => row.says(format!("{asked}{answer}")),
            });
            if asked.contains("server: ") && plex || asked.contains("shares") {
                let lay = move |sandbox: &Sandbox| {
                    if fault == "hang" {
                        impatient(sandbox);
                    }
                    fail(sandbox, plex, when(), make());
                };
                let name = format!("welcome, {asked}{fault}");
                rows.push(Row::new(name, Scene::Welcome, lay).says(format!("{asked}{answer}")));
            }
        }
    }
    rows
}

/// What a sweep does for one person.
fn owned_of(name: &str) -> Vec<&'static str> {
    super::SWEEP.into_iter().filter(|write| write.contains(name)).collect()
}

/// A certificate by the authority in `CA_FILE`, made out to another name.
pub(super) fn of_another_name(sandbox: &Sandbox) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = sandbox.dir().join("another.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    sandbox.set_env("CA_FILE", file.display());
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap()
        .into()
}

/// A service as a whole: out of reach in several ways.
fn out_of_reach() -> Vec<Row> {
    let mut rows = Vec::new();
    for (variable, service) in [("PLEX_TV_URL", "plex.tv: "), ("TAUTULLI_URL", "Tautulli: ")] {
        for (address, says) in
            [("http://127.0.0.1:1", "no connection (Connection refused"), ("http://nobody.invalid", "no connection (")]
        {
            let lay = move |sandbox: &Sandbox| {
                sandbox.set_env(variable, address);
            };
            rows.push(Row::new(format!("sweep, {address}"), Scene::Sweep, lay).says(says));
            let row = Row::new(format!("welcome, {address}"), Scene::Welcome, lay);
            rows.push(if service == "Tautulli: " { row.harmless() } else { row.says(says) });
        }
    }
    for (plex, says) in [(true, "plex.tv: could not "), (false, "Tautulli: could not ")] {
        let mut row = Row::new(format!("a certificate of another name, {says}"), Scene::Sweep, move |sandbox| {
            let tls = of_another_name(sandbox);
            if plex {
                sandbox.plex.use_tls(tls)
            } else {
                sandbox.tautulli.use_tls(tls)
            }
            sandbox.set_env("PLEX_TV_URL", sandbox.plex.url()).set_env("TAUTULLI_URL", sandbox.tautulli.url());
        });
        row.mend = |sandbox| {
            let server = Arc::clone(&sandbox.authority().server);
            sandbox.plex.use_tls(Arc::clone(&server));
            sandbox.tautulli.use_tls(server);
            sandbox.set_env("PLEX_TV_URL", sandbox.plex.url()).set_env("TAUTULLI_URL", sandbox.tautulli.url());
        };
        rows.push(row.says(says).says("certificate not valid for name"));
    }
    rows
}

#[test]
fn without_an_answer_nobody_is_touched() {
    run_all(table());
}

#[test]
fn without_a_connection_nobody_is_touched() {
    run_all(out_of_reach());
}

#[test]
fn the_libraries_are_only_for_a_remark() {
    let fail = |sandbox: &Sandbox| drop(sandbox.tautulli.fail(cmd("get_libraries_table"), Fault::status(500)));
    run_all(vec![Row::new("libraries", Scene::Sweep, fail).harmless().says("warning: Tautulli: could not read")]);
}
