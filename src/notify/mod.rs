//! Mails and Discord messages: how they look and how they are sent. What is owed is the outbox's business.
//!
//! An [`Event`] becomes a [`Summary`] for the admin and for Discord, or a letter of its own for the person.
//! [`compose`] turns it into a mail with the help of [`Templates`], [`Smtp`] and [`Discord`] bring it out.

mod delivery;
mod discord;
mod discord_error;
mod email;
#[cfg(test)]
mod email_tests;
mod event;
mod outbox;
mod proof;
mod review;
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

pub use delivery::{Delivery, Tally, label};
pub use discord::Discord;
pub use discord_error::DiscordError;
pub use email::{ComposeError, Composed, compose, compose_for_admin, tells_person};
pub use event::{Channel, Event, PassKind, TautulliStep, Who};
pub use outbox::{Notice, Outbox};
pub use proof::proofs;
pub use review::{Access, Review, not_due, review};
pub use send_error::{SendError, Step};
pub use smtp::Smtp;
pub use smtp_error::SmtpError;
pub use summary::Summary;
pub use templates::{TemplateError, Templates};
