//! plex.tv: who has access to the server, and how a share is revoked. None of it is documented by Plex: only the fields
//! that are needed are read, and an answer that can't be read is an error, never "nobody".

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IgnoredAny};
use time::OffsetDateTime;
use uuid::Uuid;

use super::http::{self, Fault, Service};
use crate::{
    config::PlexConfig,
    error::{Error, Kind},
    timestamp, words,
};

fn advice(fault: &Fault) -> &'static str {
    match fault {
        Fault::NoConnection(why) if why.contains("UnknownIssuer") => {
            "If a proxy of your own answers for it, put the authority that signed its certificate into CA_FILE (PEM)"
        }
        Fault::NoConnection(_) => "Is this machine online, and PLEX_TV_URL (if set) right?",
        Fault::TooSlow | Fault::CutOff(_) | Fault::Status { code: 500.., .. } => {
            "If this goes on, look at https://status.plex.tv"
        }
        Fault::Status { code: 401 | 403, .. } => {
            "Check PLEX_TOKEN: it must be a token of the account that owns the server"
        }
        Fault::Status { code: 422, message, .. } if message.to_lowercase().contains("token") => "Check PLEX_TOKEN",
        Fault::Status { code: 429, .. } => "That was too often for Plex: let the passes run less often",
        Fault::Status { code: 410, .. } => "Plex has withdrawn this call: plex-prune needs an update",
        Fault::Status { code: 404, .. } | Fault::Redirect(_) => {
            "Is PLEX_TV_URL (if set) right? Else Plex has moved this call, and plex-prune needs an update"
        }
        Fault::ClockAhead(_) => "Set this machine's clock, and keep it right (NTP)",
        Fault::Unreadable(_) => "Plex may have changed it: if this goes on, plex-prune needs an update",
        Fault::Status { .. } => "If this goes on, plex-prune may need an update",
    }
}

/// plex.tv, as the owner of a server sees it.
pub struct Plex {
    client: Client,
    config: PlexConfig,
    service: Service,
    installation: String,
}

/// The server named `PLEX_SERVER_NAME`. `state.json` keeps it in these words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its machine identifier: the same in plex.tv's shares and in Tautulli.
    pub machine_identifier: String,
}

/// The account that a token belongs to.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// Plex id.
    pub id: u64,
    /// Username.
    pub username: Option<String>,
    /// Address.
    pub email: Option<String>,
}

impl Account {
    /// Username, or what comes nearest; fit for showing.
    pub fn name(&self) -> String {
        let name = self.username.as_deref().or(self.email.as_deref()).unwrap_or("an account without a name");
        words::printable(name)
    }
}

/// Somebody's accepted, living share on one server.
#[derive(Clone, Debug)]
pub struct Share {
    /// The share's own id.
    pub id: u64,
    /// The Plex id of the account that shares.
    pub owner: Option<u64>,
    /// Which server.
    pub machine_identifier: String,
    /// When the person joined that server, UTC. Plex may not know.
    pub accepted: Option<OffsetDateTime>,
    /// The person's Plex id, the one that Tautulli uses too.
    pub person: u64,
    /// Username; managed users have none.
    pub username: Option<String>,
    /// The name Plex shows.
    pub title: Option<String>,
    /// Address; managed users have none.
    pub email: Option<String>,
    /// Whether they belong to a Plex Home, as far as the share says.
    pub home: bool,
}

/// How somebody's access to the server is ended, and nothing else of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Every share with this person (a Plex id). For somebody who has only one.
    AllShares { person: u64 },
    /// One share, by its own id. For somebody who keeps others.
    OneShare { share: u64 },
    /// Their place in the Plex Home (a Plex id).
    Home { person: u64 },
}

impl Plex {
    /// plex.tv with the owner's token.
    pub fn new(client: Client, config: PlexConfig) -> Self {
        // Stable for an installation without being stored: made from the server's name.
        let name = format!("plex-prune:{}", config.server_name);
        let installation = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        let service = Service::new("plex.tv", &config.token, Box::new(|fault| advice(fault).to_owned()));
        Self { client, config, service, installation }
    }

    /// `PLEX_SERVER_NAME`.
    pub fn server_name(&self) -> &str {
        &self.config.server_name
    }

    /// Finds the server named `PLEX_SERVER_NAME` among those that the token's account owns
    /// (`GET /api/v2/resources`: `provides`, `name`, `clientIdentifier`, `owned`).
    ///
    /// # Errors
    /// The call failed; or there is no such server, or more than one.
    pub fn server(&self) -> Result<Server, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Resource {
            name: String,
            client_identifier: String,
            provides: String,
            owned: bool,
        }
        let resources: Vec<Resource> = self.get("find the server", &self.config.plex_tv, "/api/v2/resources")?;
        let servers = resources.into_iter().filter(|one| one.provides.split(',').any(|part| part.trim() == "server"));
        let (owned, foreign): (Vec<_>, Vec<_>) = servers.partition(|server| server.owned);
        let wanted = self.config.server_name.as_str();
        let shown = words::printable(wanted);
        let mut matching = owned.iter().filter(|server| server.name == wanted);
        let names = owned.iter().map(|server| words::printable(&server.name)).collect::<Vec<_>>().join(", ");
        match (matching.next(), matching.next()) {
            (Some(server), None) => Ok(Server {
                name: words::printable(&server.name),
                machine_identifier: server.client_identifier.clone(),
            }),
            (Some(_), Some(_)) => Err(no_such_server(
                format!("this account owns more than one server named \"{shown}\"; it owns {names}"),
                "Give them different names in Plex".to_owned(),
            )),
            (None, _) => {
                let is_foreign = foreign.iter().any(|server| server.name == wanted);
                let token = format!("PLEX_TOKEN has to be a token of the account that owns \"{shown}\"");
                let advice = if names.is_empty() || is_foreign {
                    token
                } else {
                    format!("Set PLEX_SERVER_NAME to one of its servers; or {token}")
                };
                let owned = if names.is_empty() { "it owns no server".to_owned() } else { format!("it owns {names}") };
                let hint =
                    if is_foreign { " (a server of that name is shared with it, by another account)" } else { "" };
                let what = format!("the token's account owns no server named \"{shown}\"{hint}; {owned}");
                Err(no_such_server(what, advice))
            }
        }
    }

    /// The account that the token belongs to (`GET /api/v2/user`).
    ///
    /// # Errors
    /// The call failed.
    pub fn account(&self) -> Result<Account, Error> {
        self.get("read the token's account", &self.config.plex_tv, "/api/v2/user")
    }

    /// Everybody's accepted, living shares, on all servers of the account
    /// (`GET /api/v2/shared_servers/owned/accepted`: not paged).
    ///
    /// # Errors
    /// The call failed, or one share can't be read: who is on the list is known in full or not at all.
    pub fn shares(&self) -> Result<Vec<Share>, Error> {
        let doing = "read the list of shares";
        let path = "/api/v2/shared_servers/owned/accepted";
        let shares: Vec<ShareJson> = self.get(doing, &self.config.clients_plex_tv, path)?;
        let living = shares.into_iter().filter(ShareJson::is_living).map(|share| {
            let why = format!("share {} doesn't say whose it is", share.id);
            share.into_share().ok_or_else(|| self.service.error(doing, &Fault::Unreadable(why)))
        });
        living.collect()
    }

    /// The Plex ids of the members of the Plex Home (`GET /api/v2/home/users`); empty for an account without a Home,
    /// for which Plex answers with an error of the 400s or with nothing.
    ///
    /// # Errors
    /// The call failed in another way.
    pub fn home_users(&self) -> Result<Vec<u64>, Error> {
        #[derive(Deserialize)]
        struct User {
            id: u64,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Users {
            Bare(Vec<User>),
            Wrapped { users: Vec<User> },
        }
        let doing = "read the Plex Home";
        let body = match self.read(doing, &self.config.plex_tv, "/api/v2/home/users") {
            Err(fault) if is_about_no_home(&fault) => return Ok(Vec::new()),
            answer => answer.map_err(|fault| self.service.error(doing, &fault))?,
        };
        if body.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        let (Users::Bare(users) | Users::Wrapped { users }) =
            http::parse(&body).map_err(|fault| self.service.error(doing, &fault))?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }

    /// Ends somebody's (a Plex id) access to the server with `machine_identifier`. An answer that is lost or an error is
    /// followed by a look at the shares, which decides.
    ///
    /// # Errors
    /// The call failed and the share is still there.
    pub fn revoke(&self, revocation: Revocation, person: u64, server: &Server) -> Result<(), Error> {
        let (base, path) = match revocation {
            Revocation::AllShares { person } => (&self.config.plex_tv, format!("/api/v2/sharings/{person}")),
            Revocation::OneShare { share } => (&self.config.clients_plex_tv, format!("/api/v2/shared_servers/{share}")),
            Revocation::Home { person } => (&self.config.plex_tv, format!("/api/home/users/{person}")),
        };
        let doing = "end the share";
        self.service.change(
            doing,
            || self.service.write(doing, self.request(Method::DELETE, base, &path)).map(drop),
            || {
                let here =
                    |share: &Share| share.person == person && share.machine_identifier == server.machine_identifier;
                Ok(!self.shares()?.iter().any(here))
            },
        )
    }

    fn get<T: DeserializeOwned>(&self, doing: &str, base: &str, path: &str) -> Result<T, Error> {
        let answer = self.read(doing, base, path).and_then(|body| http::parse(&body));
        answer.map_err(|fault| self.service.error(doing, &fault))
    }

    fn read(&self, doing: &str, base: &str, path: &str) -> Result<Vec<u8>, Fault> {
        self.service.read(doing, &self.request(Method::GET, base, path))
    }

    fn request(&self, method: Method, base: &str, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{base}{path}"))
            // Never in the URL, which ends up in proxies' logs.
            .header("X-Plex-Token", self.config.token.reveal())
            .header("Accept", "application/json")
            .header("X-Plex-Client-Identifier", &self.installation)
            .header("X-Plex-Product", "plex-prune")
            .header("X-Plex-Version", env!("CARGO_PKG_VERSION"))
            .header("X-Plex-Platform", std::env::consts::OS)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShareJson {
    id: u64,
    owner_id: Option<u64>,
    invited_id: Option<u64>,
    accepted: Option<bool>,
    #[serde(default, with = "timestamp::option")]
    accepted_at: Option<OffsetDateTime>,
    deleted_at: Option<IgnoredAny>,
    left_at: Option<IgnoredAny>,
    machine_identifier: String,
    invited: Option<Invited>,
}

#[derive(Default, Deserialize)]
struct Invited {
    id: Option<u64>,
    username: Option<String>,
    title: Option<String>,
    email: Option<String>,
    home: Option<bool>,
    restricted: Option<bool>,
}

/// Whether Plex itself says that there is no Home; a page of something in between says nothing about it.
fn is_about_no_home(fault: &Fault) -> bool {
    matches!(fault, Fault::Status { code: 400 | 403 | 404 | 422, message, .. } if message != http::PAGE)
}

fn no_such_server(what: String, advice: String) -> Error {
    Error::new(Kind::Usage, "PLEX_SERVER_NAME", advice).because(what)
}

impl ShareJson {
    fn is_living(&self) -> bool {
        self.accepted != Some(false) && self.deleted_at.is_none() && self.left_at.is_none()
    }

    fn into_share(self) -> Option<Share> {
        let invited = self.invited.unwrap_or_default();
        Some(Share {
            id: self.id,
            owner: self.owner_id,
            machine_identifier: self.machine_identifier,
            accepted: self.accepted_at,
            person: self.invited_id.or(invited.id)?,
            username: invited.username,
            title: invited.title,
            email: invited.email,
            home: invited.home == Some(true) || invited.restricted == Some(true),
        })
    }
}
