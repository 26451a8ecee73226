//! Notes the commit that is being built, which `--version` shows.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PLEX_PRUNE_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=PLEX_PRUNE_VERSION={version}");
}

/// `PLEX_PRUNE_COMMIT`, for a build without the repository (an image's), or else what git says; none without either.
fn commit() -> Option<String> {
    let given = env::var("PLEX_PRUNE_COMMIT").ok().filter(|commit| !commit.is_empty());
    given.or_else(|| {
        // Sources that were unpacked inside another repository are not that repository's commit.
        Path::new(".git").exists().then_some(())?;
        // Where a new commit or another branch shows; cargo would build anew each time for a file that isn't there.
        let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
        for place in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
            let path = git(&["rev-parse", "--git-path", place])?;
            if Path::new(&path).exists() {
                println!("cargo::rerun-if-changed={path}");
            }
        }
        git(&["rev-parse", "--short=10", "HEAD"])
    })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
