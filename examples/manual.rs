//! Makes the man pages, and the completions for bash, zsh and fish, from the definition of the command line.
//!
//! Into the `share` folder of a prefix: `cargo run --example manual -- ~/.local/share`, or `/usr/local/share` as root.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::Write,
    path::Path,
};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};
use plex_prune::Cli;

const README: &str = include_str!("../README.md");

/// What plex-prune reads and writes, apart from what settings name.
const FILES: [(&str, &str); 4] = [
    (
        "/etc/plex-prune/plex-prune.env",
        "the settings, where the Debian package, the systemd units and cron.d have them",
    ),
    ("STATE_DIR/state.json", "who is on record, who was warned and removed, the whitelist, and what is still to do"),
    ("STATE_DIR/state.json.bak", "the version before, which is used if state.json can't be read"),
    ("STATE_DIR/state.json.corrupt-TIME", "a state.json that could not be read, kept for you to look at"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(share) = env::args_os().nth(1).filter(|share| !share.as_encoded_bytes().starts_with(b"-")) else {
        return Err("name the folder, such as ~/.local/share or /usr/local/share".into());
    };
    let share = Path::new(&share);

    for (shell, path) in [
        (Shell::Bash, "bash-completion/completions/plex-prune"),
        (Shell::Zsh, "zsh/site-functions/_plex-prune"),
        (Shell::Fish, "fish/vendor_completions.d/plex-prune.fish"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "plex-prune", &mut script);
        // For bash, a program with a hyphen gets two different names inside the script, and nothing is completed after
        // a subcommand: https://github.com/clap-rs/clap/issues/6421
        let script = String::from_utf8(script)?.replace("plex__subcmd__prune", "plex__prune");
        create(&share.join(path))?.write_all(script.as_bytes())?;
    }

    // `whitelist help add` and the like would each get a page.
    let mut program = Cli::command().disable_help_subcommand(true);
    // Names the subcommands' pages, and hands the options that every command takes down to them.
    program.build();
    pages(&program, &share.join("man/man1"))
}

fn create(path: &Path) -> Result<File, String> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| File::create(path)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes the page of a command and those of its subcommands.
fn pages(command: &Command, folder: &Path) -> Result<(), Box<dyn Error>> {
    let usage = command.clone().render_usage().to_string();
    let page = command
        .clone()
        .override_usage(usage.trim_start_matches("Usage: ").to_owned())
        .subcommand_help_heading("COMMANDS");
    // Two quotes keep the place of the date, which is left out: a page is the same whenever it is made.
    let source = concat!("plex-prune ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(page).date("\"\"").source(source).manual("plex-prune");

    let mut file = create(&folder.join(man.get_filename()))?;
    man.render_title(&mut file)?;
    // Addresses stay in one piece.
    Roff::new().control("nh", []).control("ad", ["l"]).to_writer(&mut file)?;
    man.render_name_section(&mut file)?;
    man.render_synopsis_section(&mut file)?;
    if command.get_long_about().is_some() {
        man.render_description_section(&mut file)?;
    }
    man.render_options_section(&mut file)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut file)?;
    }
    let mut roff = Roff::new();
    if let Some(text) = command.get_after_help() {
        exit_status(&mut roff, &text.to_string());
        environment(&mut roff)?;
        files(&mut roff);
    } else {
        roff.control("SH", ["SEE ALSO"]).text([bold("plex-prune"), roman("(1)")]);
    }
    roff.to_writer(&mut file)?;

    command.get_subcommands().try_for_each(|command| pages(command, folder))
}

/// `  75  another pass is under way` in the help's table is an entry here.
fn exit_status(roff: &mut Roff, table: &str) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in table.lines().filter_map(|line| line.trim().split_once("  ")) {
        entry(roff, [bold(code)], [roman(meaning)]);
    }
}

/// The README's table of settings, so that there is only one.
fn environment(roff: &mut Roff) -> Result<(), &'static str> {
    let section = README.split("\n## ").find_map(|section| section.strip_prefix("Settings\n"));
    let section = section.ok_or("the README has no section \"Settings\"")?;
    roff.control("SH", ["ENVIRONMENT"]);
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let [_, names, default, what, _] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err("a line of the README's table of settings doesn't have three columns");
        };
        let head = match default {
            "" => names.to_owned(),
            "required" => format!("{names} [required]"),
            _ => format!("{names} [default: {default}]"),
        };
        entry(roff, inlines(&head), inlines(what));
    }
    Ok(())
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (path, what) in FILES {
        entry(roff, [bold(path)], [roman(what)]);
    }
}

fn entry(roff: &mut Roff, head: impl Into<Vec<Inline>>, body: impl Into<Vec<Inline>>) {
    roff.control("TP", []).text(head).text(body);
}

/// Markdown's code is bold; a link is its text, and its address unless that is a file of the repository.
fn inlines(markdown: &str) -> Vec<Inline> {
    let inline = |(index, part)| if index % 2 == 1 { bold(part) } else { roman(links(part)) };
    markdown.split('`').enumerate().map(inline).collect()
}

fn links(markdown: &str) -> String {
    let parts = markdown.split_once('[').and_then(|(before, rest)| {
        let (words, rest) = rest.split_once("](")?;
        let (address, after) = rest.split_once(')')?;
        Some((before, words, address, after))
    });
    match parts {
        None => markdown.to_owned(),
        Some((before, words, address, after)) if address.starts_with("http") => {
            format!("{before}{words} <{address}>{}", links(after))
        }
        Some((before, words, _, after)) => format!("{before}{words}{}", links(after)),
    }
}
