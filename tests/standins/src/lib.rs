//! Stand-ins for plex.tv, Tautulli, a mail server and Discord, on loopback, with a household to put into them.
//!
//! The tests and the examples use the same ones. [`Sandbox`] is where to start: it owns one of each, a clock that
//! does not move by itself, a directory for the program's state, and the environment that points the program at them.

mod clock;
mod discord;
mod events;
mod faults;
mod fixtures;
mod http;
mod journal;
mod listener;
mod mail;
mod message;
pub mod model;
mod person;
mod plex;
mod plex_json;
mod run;
mod sandbox;
mod smtp;
mod smtp_session;
mod smtp_words;
pub mod stories;
mod stream;
mod tautulli;
mod tautulli_commands;
mod tautulli_rows;
mod tls;

pub use clock::{Ago, Clock, days, days_ago, hours, hours_ago, minutes_ago};
pub use discord::Discord;
pub use faults::{Fault, Gate, Rule, When, any, cmd, delete, get, post};
pub use fixtures::fixture;
pub use http::{Request, Response, Server};
pub use mail::Mail;
pub use person::Person;
pub use plex::{HomeAnswer, OWNER_ID, Plex};
pub use run::{Run, Running};
pub use sandbox::{ATTIC, CENTAURI, SERVER_NAME, Sandbox};
pub use smtp::{Smtp, SmtpFault, Stage};
pub use tautulli::Tautulli;
pub use tls::{Authority, SmtpTls};
