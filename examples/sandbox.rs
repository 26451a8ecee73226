//! Stand-ins to try plex-prune against by hand: `cargo run --example sandbox -- FOLDER`.
//!
//! plex.tv, Tautulli, a mail server and Discord on loopback, in real time, with somebody in every situation. It writes the
//! settings for them to `FOLDER/plex-prune.env`, with `DRY_RUN=false`, prints what the stand-ins are told to change, and keeps the mails in
//! FOLDER, until it is stopped with Ctrl-C. Nothing leaves this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::{env, fs, path::PathBuf, process::ExitCode, thread::sleep, time::Duration};

use plex_prune_standins::Sandbox;

fn main() -> ExitCode {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().as_encoded_bytes().starts_with(b"-")) else {
        eprintln!("usage: cargo run --example sandbox -- FOLDER");
        return ExitCode::from(2);
    };
    let file = folder.join("plex-prune.env");
    if file.exists() {
        eprintln!("{} is there already: name a new folder", file.display());
        return ExitCode::from(2);
    }
    let sandbox = Sandbox::new("plex-prune");
    sandbox.real_time().live().set_env("VIP_NAMES", "mom, Uncle Bob");
    // Where the state is, and which authorities this machine trusts, is not the sandbox's business.
    sandbox.unset_env("STATE_DIR").unset_env("SSL_CERT_FILE").unset_env("SSL_CERT_DIR");
    sandbox.somebody_in_every_situation();

    fs::create_dir_all(&folder).expect("FOLDER can be made");
    let settings: String = sandbox.env().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(&file, settings).expect("FOLDER can be written to");
    println!("cargo run -- --env-file {} --state-dir {} status", file.display(), folder.join("state").display());

    let (mut told, mut kept) = (0, 0);
    loop {
        let (writes, mails) = (sandbox.writes(), sandbox.mails());
        writes[told..].iter().for_each(|write| println!("{write}"));
        for (number, mail) in mails.iter().enumerate().skip(kept) {
            fs::write(folder.join(format!("{:02}.eml", number + 1)), &mail.raw).expect("FOLDER can be written to");
        }
        (told, kept) = (writes.len(), mails.len());
        sleep(Duration::from_millis(200));
    }
}
