//! Answers of a real Tautulli 2.17.2, kept as files.

use serde_json::Value;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// One recorded answer, byte for byte.
        pub fn recorded(name: &str) -> &'static str {
            match name {
                $($name => include_str!(concat!("../fixtures/", $name, ".json")),)*
                _ => panic!("there is no recorded answer {name:?}"),
            }
        }
    };
}

files!(
    "delete_user_not_a_number",
    "delete_user_ok",
    "delete_user_unknown",
    "error_invalid_apikey",
    "error_missing_apikey",
    "error_unknown_cmd",
    "get_history_user_none",
    "get_history_user_with_activity",
    "get_plays_by_date",
    "get_server_info",
    "get_user_deleted",
    "get_users_table",
    "server_status_disconnected",
    "undelete_user_ok",
    "undelete_user_unknown",
);

/// One recorded answer, parsed.
pub fn fixture(name: &str) -> Value {
    serde_json::from_str(recorded(name)).unwrap()
}
