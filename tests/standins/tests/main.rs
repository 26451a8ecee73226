//! The stand-ins themselves: what the other tests rest on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod household;
mod plex;
mod run;
mod smtp;
mod tautulli;

use std::sync::Once;

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::Value;

use plex_prune_standins::Sandbox;

/// A sandbox whose program is a shell, for tests that run none or any.
fn sandbox() -> Sandbox {
    Sandbox::new("/bin/sh")
}

fn client() -> Client {
    builder().build().unwrap()
}

fn builder() -> reqwest::blocking::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The other tests of this program may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// A request to plex.tv as it should be.
fn to_plex(sandbox: &Sandbox, method: &str, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", sandbox.plex.url());
    client()
        .request(method.parse().unwrap(), url)
        .header("X-Plex-Token", "sandbox-plex-token")
        .header("X-Plex-Client-Identifier", "test")
        .header("X-Plex-Product", "plex-prune")
        .header("X-Plex-Version", "0")
        .header("X-Plex-Platform", "Linux")
        .header("Accept", "application/json")
}

fn plex(sandbox: &Sandbox, method: &str, path: &str) -> Response {
    to_plex(sandbox, method, path).send().unwrap()
}

/// A command to Tautulli as it should be: the status, and the whole answer.
fn tautulli(sandbox: &Sandbox, cmd: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![("apikey", "sandbox-tautulli-key"), ("cmd", cmd)];
    form.extend_from_slice(more);
    let url = format!("{}/api/v2", sandbox.tautulli.base());
    let response = client().post(url).form(&form).send().unwrap();
    (response.status().as_u16(), response.json().unwrap())
}

/// The data of a command that succeeds.
fn data(sandbox: &Sandbox, cmd: &str, more: &[(&str, &str)]) -> Value {
    let (status, mut body) = tautulli(sandbox, cmd, more);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["response"]["result"], "success");
    body["response"]["data"].take()
}

/// Every key in a value, with its path; of arrays, the keys of the first element.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| {
                let deeper = keys(value).into_iter().map(move |inner| format!("{key}.{inner}"));
                std::iter::once(key.clone()).chain(deeper)
            })
            .collect(),
        Value::Array(elements) => elements.first().map(keys).unwrap_or_default(),
        _ => Vec::new(),
    }
}
