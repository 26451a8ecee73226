//! Shows in under a minute what plex-prune does: `cargo run --example demo`.
//!
//! Stand-ins for plex.tv, Tautulli, a mail server and Discord run on loopback, with somebody in every situation. The real
//! program runs against them: this example starts itself again as plex-prune, through the program's own entry point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{env, fs, path::Path, process::ExitCode};

use plex_prune_standins::{Sandbox, days, hours};

fn main() -> ExitCode {
    if env::var_os("PLEX_PRUNE_DEMO").is_some() {
        return plex_prune::main();
    }
    let sandbox = Sandbox::new(env::current_exe().expect("this program has a path"));
    sandbox.set_env("PLEX_PRUNE_DEMO", "1").set_env("VIP_NAMES", "mom, Uncle Bob");
    println!("A made-up household on stand-ins for plex.tv, Tautulli, a mail server and Discord. Its clock says");
    let now = sandbox.now();
    println!("{} {:02}:{:02} UTC; nothing leaves this machine.\n", now.date(), now.hour(), now.minute());
    sandbox.somebody_in_every_situation();

    step(&sandbox, "Is everything set up as it should be?", &["verify"]);
    step(&sandbox, "Who is there, and what would happen to them?", &["status"]);
    step(&sandbox, "A sweep. DRY_RUN is on unless it is set to false, so it only talks:", &["sweep"]);
    sandbox.live();
    step(&sandbox, "From here on DRY_RUN=false. The first welcome records everybody without a mail:", &["welcome"]);
    step(&sandbox, "The same sweep, live:", &["sweep"]);

    sandbox.joins(1020, "newt");
    sandbox.advance(hours(1));
    step(&sandbox, "An hour later newt has accepted an invitation:", &["welcome"]);

    sandbox.watches(1004);
    sandbox.advance(days(3));
    step(&sandbox, "Three days later. dora watched an episode after her warning, walt did not:", &["sweep"]);
    step(
        &sandbox,
        "zoe is travelling, and is to be spared:",
        &["whitelist", "add", "zoe", "--until", "2026-12-31", "--note", "on a trip"],
    );
    step(&sandbox, "Who is never removed, and why:", &["whitelist", "list"]);
    step(&sandbox, "How everybody stands now:", &["status"]);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo");
    let mails = keep(&sandbox, &folder);
    println!(
        "{mails} mails and {} Discord messages went out. Look at them in {}.",
        sandbox.posts().len(),
        folder.display()
    );
    let violations = sandbox.violations();
    assert!(violations.is_empty(), "the program did what it must not: {violations:?}");
    ExitCode::SUCCESS
}

fn step(sandbox: &Sandbox, why: &str, command: &[&str]) {
    println!("{why}\n");
    let quoted = |word: &&str| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() };
    println!("$ plex-prune {}", command.iter().map(quoted).collect::<Vec<_>>().join(" "));
    let run = sandbox.run(command);
    print!("{}{}", run.stdout, run.stderr);
    println!("(exit {})\n", run.status);
    run.exits(0);
}

/// Writes the mails down, to be opened in a mail program (.eml) or a browser (.html); returns how many.
fn keep(sandbox: &Sandbox, folder: &Path) -> usize {
    // What an earlier demo left; the first one finds nothing to take away.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let mails = sandbox.mails();
    for (index, mail) in mails.iter().enumerate() {
        let subject: String = mail.subject().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let name = format!("{:02}-{}", index + 1, subject.trim_matches('-'));
        fs::write(folder.join(format!("{name}.eml")), &mail.raw).unwrap();
        fs::write(folder.join(format!("{name}.html")), mail.html()).unwrap();
    }
    mails.len()
}
