//! The tests, a file per feature. They drive the real program over real sockets against the stand-ins in `support`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod standins;
mod support;
