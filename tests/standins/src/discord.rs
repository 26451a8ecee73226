//! A Discord webhook: the official documentation of "Execute Webhook" and "Get Webhook with Token" shows the answers.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::faults::Fault;
use super::http::{Request, Response, Server, Service};
use super::journal::Journal;

const ID: &str = "1100000000000000001";
const TOKEN: &str = "sandbox-webhook";

/// The stand-in. Faults are laid down with `fail`.
pub struct Discord {
    server: Server,
    posts: Arc<Mutex<Vec<Value>>>,
}

impl Deref for Discord {
    type Target = Server;
    fn deref(&self) -> &Server {
        &self.server
    }
}

struct DiscordService {
    posts: Arc<Mutex<Vec<Value>>>,
    journal: Arc<Journal>,
}

impl Discord {
    pub fn start(journal: &Arc<Journal>) -> Self {
        let posts = Arc::new(Mutex::new(Vec::new()));
        let service = DiscordService { posts: Arc::clone(&posts), journal: Arc::clone(journal) };
        let server = Server::start(Arc::new(service), Arc::clone(journal));
        Self { server, posts }
    }

    /// For `DISCORD_WEBHOOK`.
    pub fn webhook(&self) -> String {
        format!("{}/api/webhooks/{ID}/{TOKEN}", self.url())
    }

    /// The messages that were taken, oldest first.
    pub fn posts(&self) -> Vec<Value> {
        self.posts.lock().unwrap().clone()
    }

    /// Discord's own 429: the wait is in a header and in the body.
    pub fn too_many(retry_after: u64) -> Fault {
        let body = json!({"message": "You are being rate limited.", "retry_after": retry_after, "global": false});
        let response = Response::json(429, &body).header("Retry-After", &retry_after.to_string());
        Fault::Answer(response.header("X-RateLimit-Scope", "shared"))
    }

    pub fn clear(&self) {
        self.posts.lock().unwrap().clear();
    }
}

impl Service for DiscordService {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn change(&self, request: &Request) -> Option<String> {
        if request.method != "POST" {
            return None;
        }
        let post: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let content = post["content"].as_str().filter(|text| !text.is_empty());
        let title = post["embeds"][0]["title"].as_str();
        Some(format!("discord: {}", content.or(title).unwrap_or_default()))
    }

    fn answer(&self, request: &Request) -> Response {
        if request.header("X-Plex-Token").is_some() {
            self.journal.violation("Discord was given the Plex token");
        }
        if request.path != format!("/api/webhooks/{ID}/{TOKEN}") {
            return Response::json(404, &json!({"message": "Unknown Webhook", "code": 10015}));
        }
        match request.method.as_str() {
            "GET" => Response::json(200, &webhook()),
            "POST" => self.post(request),
            _ => Response::json(405, &json!({"message": "405: Method Not Allowed", "code": 0})),
        }
    }
}

impl DiscordService {
    fn post(&self, request: &Request) -> Response {
        let Ok(post) = serde_json::from_slice::<Value>(&request.body) else {
            let body = json!({"message": "The request body contains invalid JSON.", "code": 50109});
            return Response::json(400, &body);
        };
        let content = post["content"].as_str().unwrap_or_default();
        let embeds = post["embeds"].as_array().map_or(0, Vec::len);
        if content.is_empty() && embeds == 0 {
            return Response::json(400, &json!({"message": "Cannot send an empty message", "code": 50006}));
        }
        if content.chars().count() > 2000 || embeds > 10 {
            return Response::json(400, &json!({"message": "Invalid Form Body", "code": 50035}));
        }
        self.posts.lock().unwrap().push(post.clone());
        if request.param("wait").as_deref() == Some("true") {
            let message = json!({
                "id": "1200000000000000001", "channel_id": "1100000000000000002", "webhook_id": ID, "type": 0,
                "content": content, "embeds": post["embeds"], "timestamp": "2026-11-23T12:00:00.000000+00:00",
            });
            Response::json(200, &message)
        } else {
            Response::empty(204)
        }
    }
}

fn webhook() -> Value {
    json!({
        "application_id": null, "avatar": null, "channel_id": "1100000000000000002", "guild_id": "1100000000000000003",
        "id": ID, "name": "plex-prune", "type": 1, "token": TOKEN, "url": null,
    })
}
