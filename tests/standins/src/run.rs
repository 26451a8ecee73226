//! Runs the program, and says what should have come of it: `sandbox.run(&["sweep"]).exits(0).stdout("");`

use std::fmt::{self, Display};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sandbox::Sandbox;

/// No run may take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Run {
    pub command: String,
    /// The exit status; the negative number of the signal, if one ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// A run that is going on. Dropped, it is killed.
pub struct Running {
    command: String,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    started: Instant,
}

impl Sandbox {
    /// Runs the program to its end, with nothing but the sandbox's environment.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.spawn(arguments).wait()
    }

    /// Starts the program: for kills, and for two passes at once.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        let leading = self.leading.lock().unwrap().clone();
        let mut command = Command::new(&self.program);
        command
            .args(leading)
            .args(arguments)
            .env_clear()
            .envs(self.env())
            .current_dir(self.dir().join("cwd"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Coverage tools find the counts of the program by this.
        if let Some(profile) = std::env::var_os("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", profile);
        }
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{} cannot be started: {error}", self.program.display()));
        Running {
            command: format!("plex-prune {}", arguments.join(" ")),
            stdout: collect(child.stdout.take().unwrap()),
            stderr: collect(child.stderr.take().unwrap()),
            child,
            started: Instant::now(),
        }
    }

    pub fn state_path(&self) -> PathBuf {
        self.state_dir().join("state.json")
    }

    pub fn backup(&self) -> PathBuf {
        self.state_dir().join("state.json.bak")
    }

    pub fn state_text(&self) -> String {
        let path = self.state_path();
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
    }

    /// The state as it is on disk.
    pub fn state(&self) -> Value {
        let text = self.state_text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("the state is no JSON: {error}\n{text}"))
    }

    /// Puts a state there, with the modes that the program uses.
    pub fn write_state(&self, text: &str) -> &Self {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(self.state_dir()).unwrap();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.state_path()).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        self
    }
}

/// Reads a pipe to its end, on a thread, so that the program never waits for us.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.read_to_end(&mut all);
        let _ = sender.send(all);
    });
    receiver
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, as a crash would.
    pub fn kill(mut self) -> Run {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Asks it to end: SIGTERM, as systemd and Kubernetes do.
    pub fn terminate(self) -> Run {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success(), "SIGTERM could not be sent");
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Run {
        let stdout = self.output(true);
        let stderr = self.output(false);
        let status = self.child.wait().unwrap();
        Run {
            command: self.command.clone(),
            status: status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)),
            stdout,
            stderr,
            took: self.started.elapsed(),
        }
    }

    fn output(&mut self, stdout: bool) -> String {
        let left = LIMIT.saturating_sub(self.started.elapsed());
        let pipe = if stdout { &self.stdout } else { &self.stderr };
        match pipe.recv_timeout(left) {
            Ok(bytes) => String::from_utf8(bytes).expect("the program writes UTF-8"),
            Err(_) => {
                let _ = self.child.kill();
                let seconds = LIMIT.as_secs();
                let log = self.stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                let log = String::from_utf8_lossy(&log).into_owned();
                panic!("`{}` was not over after {seconds} s and was killed\n{log}", self.command);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `wait` there is nothing to kill any more, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    #[track_caller]
    pub fn exits(&self, status: i32) -> &Self {
        assert!(self.status == status, "it should have exited with {status}\n{self}");
        self
    }

    /// Exactly this on stdout.
    #[track_caller]
    pub fn stdout(&self, text: &str) -> &Self {
        assert!(self.stdout == text, "stdout should have been:\n{text}\n{self}");
        self
    }

    /// Exactly this on stderr.
    #[track_caller]
    pub fn stderr(&self, text: &str) -> &Self {
        assert!(self.stderr == text, "stderr should have been:\n{text}\n{self}");
        self
    }

    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "stdout lacks: {text}\n{self}");
        self
    }

    #[track_caller]
    pub fn stdout_lacks(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text), "stdout has: {text}\n{self}");
        self
    }

    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "stderr lacks: {text}\n{self}");
        self
    }

    #[track_caller]
    pub fn stderr_lacks(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "stderr has: {text}\n{self}");
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("stdout is no JSON: {error}\n{self}"))
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, stdout, stderr, .. } = self;
        write!(f, "--- {command}: exit {status}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}
