//! plex.tv's answers: public clients in daily use (python-plexapi, Tautulli, Wizarr, plex-api.rs) show the fields.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::http::{Request, Response, Service};
use super::plex::{Account, Data, HomeAnswer, Machine, OWNER_ID, PlexService, Share};

impl Service for PlexService {
    fn name(&self) -> &'static str {
        "plex"
    }

    fn change(&self, request: &Request) -> Option<String> {
        (request.method != "GET").then(|| format!("plex {} {}", request.method, request.path))
    }

    fn answer(&self, request: &Request) -> Response {
        let mut data = self.data.lock().unwrap();
        if let Some(refusal) = self.refuse(request, &data) {
            return refusal;
        }
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            (_, ["api", "friends", ..] | ["api", "v2", "friends", ..]) => {
                self.journal.violation(format!("{} {} was withdrawn", request.method, request.path));
                error(410, 1001, "Gone")
            }
            ("GET", ["api", "v2", "user"]) => Response::json(200, &user(&data)),
            ("GET", ["api", "v2", "resources"]) => Response::json(200, &resources(&data)),
            ("GET", ["api", "v2", "shared_servers", "owned", "accepted"]) => {
                let shares = data.shares.iter().map(|share| self.share(share, &data));
                Response::json(200, &shares.collect())
            }
            ("GET", ["api", "v2", "home", "users"]) => home(&data),
            ("DELETE", ["api", "v2", "sharings", id]) => {
                let person: Option<u64> = id.parse().ok();
                gone(204, data.end_shares(|share| Some(share.person) == person))
            }
            ("DELETE", ["api", "v2", "shared_servers", id]) => {
                let share_id: Option<u64> = id.parse().ok();
                gone(200, data.end_shares(|share| Some(share.id) == share_id))
            }
            ("DELETE", ["api", "home", "users", id]) => {
                gone(204, id.parse().is_ok_and(|person| data.leave_home(person)))
            }
            _ => error(404, 1002, "Not Found"),
        }
    }
}

impl PlexService {
    /// What is wrong with a request, whatever it asks for.
    fn refuse(&self, request: &Request, data: &Data) -> Option<Response> {
        let in_query =
            request.query.iter().any(|(name, value)| name.eq_ignore_ascii_case("X-Plex-Token") || *value == data.token);
        if in_query {
            self.journal.violation(format!("the token is in the URL of {}", request.path));
            return Some(error(400, 1000, "The token belongs into a header"));
        }
        for name in ["X-Plex-Product", "X-Plex-Version", "X-Plex-Platform"] {
            if request.header(name).is_none() {
                self.journal.violation(format!("{} came without {name}", request.path));
            }
        }
        if request.header("X-Plex-Client-Identifier").is_none() {
            self.journal.violation(format!("{} came without X-Plex-Client-Identifier", request.path));
            return Some(error(400, 1000, "X-Plex-Client-Identifier is missing"));
        }
        if request.header("X-Plex-Token") != Some(&data.token) {
            return Some(error(401, 1001, "User could not be authenticated"));
        }
        if !request.header("Accept").is_some_and(|kinds| kinds.contains("application/json")) {
            self.journal.violation(format!("{} did not ask for JSON", request.path));
            let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MediaContainer size=\"0\"/>";
            return Some(Response::new(200, "application/xml; charset=utf-8", xml));
        }
        None
    }

    fn share(&self, share: &Share, data: &Data) -> Value {
        let account = &data.accounts[&share.person];
        let machine = data.machines.iter().find(|known| known.identifier == share.machine);
        let name = machine.map(|machine| machine.name.as_str());
        json!({
            "id": share.id, "name": name, "ownerId": OWNER_ID, "invitedId": account.id, "invitedEmail": null,
            "serverId": 9, "accepted": share.accepted, "acceptedAt": share.accepted_at.map(stamp),
            "deletedAt": share.deleted_at.map(stamp), "leftAt": share.left_at.map(stamp), "owned": true,
            "inviteToken": format!("invite-{}", share.id), "machineIdentifier": share.machine,
            "lastSeenAt": stamp(self.clock.seconds() - 3600), "numLibraries": 2,
            "invited": {
                "id": account.id, "uuid": uuid(account.id), "title": account.title, "username": account.username,
                "email": account.email, "restricted": account.restricted, "friendlyName": null,
                "thumb": format!("https://plex.tv/users/{}/avatar", uuid(account.id)), "home": account.home,
                "status": "accepted", "sharingSettings": {},
            },
            "sharingSettings": {},
            "libraries": [{"id": 1001, "key": 1, "title": "Movies", "type": "movie"}],
            "allLibraries": false,
        })
    }
}

fn error(status: u16, code: u16, message: &str) -> Response {
    let errors = json!({"errors": [{"code": code, "message": message, "status": status}]});
    Response::json(status, &errors)
}

/// The end of a DELETE.
fn gone(status: u16, there_was_something: bool) -> Response {
    if there_was_something { Response::empty(status) } else { error(404, 1002, "Not Found") }
}

fn stamp(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    time.format(&Rfc3339).unwrap()
}

fn uuid(id: u64) -> String {
    format!("9b1d{id:012x}")
}

fn user(data: &Data) -> Value {
    let owner = &data.accounts[&OWNER_ID];
    json!({
        "id": owner.id, "uuid": uuid(owner.id), "username": owner.username, "title": owner.title,
        "email": owner.email, "friendlyName": "", "locale": null, "confirmed": true, "joinedAt": 1_388_534_400,
        "emailOnlyAuth": false, "hasPassword": true, "protected": false,
        "thumb": "https://plex.tv/users/9b1d/avatar", "mailingListStatus": "unsubscribed",
        "country": "DE", "subscription": {"active": true, "status": "Active", "plan": "lifetime"},
        "restricted": false, "home": owner.home, "guest": false, "homeAdmin": owner.home, "homeSize": 1,
        "maxHomeSize": 15, "services": [], "entitlements": [], "roles": ["plexpass"],
    })
}

/// The owner's machines, with a player among them: not everything here is a server.
fn resources(data: &Data) -> Value {
    let player =
        device("Living room", "livingroomplayer0001", "Plex for Android (TV)", "client,player,pubsub-player", true);
    let servers = data
        .machines
        .iter()
        .map(|Machine { name, identifier, owned }| device(name, identifier, "Plex Media Server", "server", *owned));
    std::iter::once(player).chain(servers).collect()
}

fn device(name: &str, identifier: &str, product: &str, provides: &str, owned: bool) -> Value {
    json!({
        "name": name, "product": product, "productVersion": "1.43.0", "platform": "Linux", "platformVersion": "12",
        "device": "PC", "clientIdentifier": identifier, "createdAt": "2024-01-06T10:00:00Z",
        "lastSeenAt": "2026-11-23T07:00:00Z", "provides": provides,
        "ownerId": if owned { Value::Null } else { json!(99) },
        "sourceTitle": if owned { Value::Null } else { json!("a friend") },
        "publicAddress": "192.0.2.7", "accessToken": "not-a-real-one", "owned": owned, "home": false,
        "synced": false, "relay": true, "presence": true, "httpsRequired": false, "publicAddressMatches": true,
        "dnsRebindingProtection": false, "natLoopbackSupported": true, "connections": [],
    })
}

fn home(data: &Data) -> Response {
    let somebody = data.accounts.values().any(|account| account.home);
    let users: Vec<Value> = data
        .accounts
        .values()
        .filter(|account| account.home || (somebody && account.id == OWNER_ID))
        .map(home_user)
        .collect();
    match data.home_answer {
        HomeAnswer::Auto if !somebody => error(404, 1002, "Not Found"),
        HomeAnswer::Bare => Response::json(200, &Value::Array(users)),
        HomeAnswer::Nothing => Response::empty(200),
        HomeAnswer::Auto | HomeAnswer::Wrapped => {
            let body = json!({"id": 7, "name": "Home", "guestUserID": null, "users": users});
            Response::json(200, &body)
        }
    }
}

fn home_user(account: &Account) -> Value {
    json!({
        "id": account.id, "uuid": uuid(account.id), "title": account.title, "username": account.username,
        "email": account.email, "friendlyName": null, "thumb": "https://plex.tv/users/9b1d/avatar",
        "hasPassword": !account.restricted, "restricted": account.restricted, "updatedAt": 1_790_000_000,
        "restrictionProfile": null, "admin": account.id == OWNER_ID, "guest": false, "protected": false,
    })
}
