//! Tautulli's API: who may ask, what is done, and what is refused how. What it tells is in `tautulli_rows.rs`.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::fixtures::{fixture, recorded};
use super::http::{Request, Response, Service};
use super::tautulli::{Data, TautulliService};
use super::tautulli_rows::{
    activity, history, libraries, local, plays_by_date, tautulli_info, user_details, users_table,
};

const KIND: &str = "application/json;charset=UTF-8";

impl Service for TautulliService {
    fn name(&self) -> &'static str {
        "tautulli"
    }

    fn change(&self, request: &Request) -> Option<String> {
        let command = request.param("cmd")?;
        let user = request.param("user_id").unwrap_or_default();
        (!command.starts_with("get_") && command != "server_status").then(|| format!("tautulli {command} {user}"))
    }

    fn answer(&self, request: &Request) -> Response {
        let mut data = self.data.lock().unwrap();
        let now = self.clock.now();
        data.catch_up(now);
        if request.header("X-Plex-Token").is_some() {
            self.journal.violation("Tautulli was given the Plex token");
        }
        if request.path != format!("{}/api/v2", data.prefix) {
            return Response::html(404, "<html><body>404 Not Found</body></html>");
        }
        if !request.query.is_empty() {
            self.journal.violation("the parameters for Tautulli are in the URL");
        }
        if !data.api_enabled {
            return answer(404, &failure("API not enabled"));
        }
        match (request.param("apikey"), request.param("cmd")) {
            (None, _) => as_recorded(400, "error_missing_apikey"),
            (Some(key), _) if key != data.api_key => as_recorded(400, "error_invalid_apikey"),
            (_, None) => answer(400, &failure("Parameter cmd is required.")),
            (_, Some(command)) => self.run(&command, request, &mut data, now),
        }
    }
}

impl TautulliService {
    fn run(&self, command: &str, request: &Request, data: &mut Data, now: OffsetDateTime) -> Response {
        let user_id = request.param("user_id");
        match command {
            "get_users_table" => success(users_table(request, data)),
            "get_history" => {
                if user_id.is_none() {
                    self.journal.violation("get_history without a user_id takes seconds");
                    return answer(400, &failure("refused by the sandbox: no user_id"));
                }
                success(history(request, data, now))
            }
            "get_activity" => success(activity(data)),
            "get_plays_by_date" if data.database_broken => answer(400, &failure_with(&Value::Null)),
            "get_plays_by_date" => success(plays_by_date(request, data, now)),
            "get_server_info" => {
                let mut info = fixture("get_server_info")["response"]["data"].take();
                info["pms_name"] = json!(data.server.0);
                info["pms_identifier"] = json!(data.server.1);
                success(info)
            }
            "server_status" => success(json!({"connected": data.connected})),
            "get_user" => {
                let known = user_id.and_then(|id| id.parse().ok()).and_then(|id| data.user(id));
                success(known.map_or_else(local, user_details))
            }
            "get_libraries_table" => success(libraries(data)),
            "get_tautulli_info" => success(tautulli_info()),
            "delete_user" => match user_id.and_then(|id| id.parse().ok()) {
                Some(id) => {
                    data.delete(id);
                    as_recorded(200, "delete_user_ok")
                }
                None => as_recorded(400, "delete_user_not_a_number"),
            },
            "undelete_user" => undelete(user_id.and_then(|id| id.parse().ok()), data),
            _ => answer(400, &unknown_command(command)),
        }
    }
}

fn undelete(user_id: Option<u64>, data: &mut Data) -> Response {
    let Some(user) = user_id.and_then(|id| data.user_mut(id)) else {
        return as_recorded(400, "undelete_user_unknown");
    };
    user.deleted = false;
    user.keep_history = true;
    let mut body = fixture("undelete_user_ok");
    body["response"]["message"] = json!(format!("Re-added user with user_id {}.", user.user_id));
    answer(200, &body)
}

/// The recorded list of commands, with the name that was asked for.
fn unknown_command(command: &str) -> Value {
    let mut body = fixture("error_unknown_cmd");
    let message = body["response"]["message"].as_str().unwrap().replace("nonsense", command);
    body["response"]["message"] = json!(message);
    body
}

fn success(data: Value) -> Response {
    answer(200, &json!({"response": {"result": "success", "message": null, "data": data}}))
}

fn failure(message: &str) -> Value {
    failure_with(&json!(message))
}

fn failure_with(message: &Value) -> Value {
    json!({"response": {"result": "error", "message": message, "data": {}}})
}

fn answer(status: u16, body: &Value) -> Response {
    Response::new(status, KIND, body.to_string())
}

fn as_recorded(status: u16, name: &str) -> Response {
    Response::new(status, KIND, recorded(name))
}
