//! Notices: an [`Event`] is written into the [`Outbox`] for each [`Channel`], reviewed before it is sent, and delivered.
//!
//! It becomes a [`Summary`] for the admin and for Discord, or a letter of its own for the person. [`compose`] makes a mail
//! of it with the help of [`Templates`]; [`Smtp`] and [`Discord`] send it.

mod bookkeeping;
mod delivery;
mod discord;
mod email;
#[cfg(test)]
mod email_tests;
mod event;
mod outbox;
mod review;
mod sample_mails;
mod smtp;
mod smtp_error;
#[cfg(test)]
mod smtp_tests;
mod summary;
mod templates;
#[cfg(test)]
mod test_support;
mod undelivered;
mod wording;

pub use delivery::{Delivery, Tally};
pub use discord::Discord;
pub use email::{Composed, compose, compose_for_admin};
pub use event::{Channel, Event, Letter, PassKind, TautulliStep, Who};
pub use outbox::{Notice, Outbox};
pub use review::{Access, Review, not_due, review};
pub use sample_mails::sample_mails;
pub use smtp::Smtp;
pub use summary::Summary;
pub use templates::Templates;
pub use undelivered::{Outcome, Undelivered};
