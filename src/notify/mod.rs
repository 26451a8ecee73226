//! Mails and Discord messages: how they look and how they are sent. What is owed is the outbox's business.
//!
//! An [`Event`] becomes a [`Summary`] for the admin and for Discord, or a letter of its own for the person.
//! [`compose`] turns it into a mail with the help of [`Templates`], [`Smtp`] and [`Discord`] bring it out.

mod discord;
mod discord_error;
mod email;
#[cfg(test)]
mod email_tests;
mod event;
mod proof;
#[cfg(test)]
mod samples;
mod send_error;
mod smtp;
mod smtp_error;
#[cfg(test)]
mod smtp_tests;
mod summary;
mod templates;
mod wording;

pub use discord::Discord;
pub use discord_error::DiscordError;
pub use email::{ComposeError, Composed, compose, compose_for_admin, tells_person};
pub use event::{Channel, Event, TautulliStep, Who};
pub use proof::proofs;
pub use send_error::{SendError, Step};
pub use smtp::Smtp;
pub use smtp_error::SmtpError;
pub use summary::{Fact, Summary};
pub use templates::{TemplateError, Templates};
