//! A mail server: plain, STARTTLS or implicit TLS, with a login. The talk itself is in `smtp_session.rs`.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;

use super::faults::{Gate, GatePost, Rule, Rules, gate};
use super::journal::Journal;
use super::listener::Listener;
use super::smtp_session::Session;
use super::tls::SmtpTls;

pub const USERNAME: &str = "sandbox-mailer";
pub const PASSWORD: &str = "sandbox-mail-password";

/// Where in the talk something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS.
    Tls,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, before the mail.
    Data,
    /// The mail is over.
    Body,
}

/// What goes wrong.
#[derive(Debug)]
pub enum SmtpFault {
    /// This answer; 421 closes the connection as well.
    Reply(u16, String),
    /// The connection is closed without an answer.
    HangUp,
    /// At [`Stage::Body`]: the mail is taken, then the connection is closed without an answer.
    AnswerLost,
    /// No answer, until the client gives up or the server is dropped.
    Hang,
    /// At [`Stage::Body`]: waits for the test, then takes the mail.
    GateBefore(GatePost),
    /// At [`Stage::Body`]: the mail is taken, and the answer waits for the test.
    GateAfter(GatePost),
}

impl SmtpFault {
    pub fn reply(code: u16, text: &str) -> Self {
        Self::Reply(code, text.to_owned())
    }
}

/// The stand-in. Dropping it ends its connections and threads.
pub struct Smtp {
    listener: Listener,
    shared: Arc<Shared>,
}

pub struct Shared {
    pub faults: Rules<(Stage, Option<String>), SmtpFault>,
    pub journal: Arc<Journal>,
    pub settings: Mutex<Settings>,
}

#[derive(Clone)]
pub struct Settings {
    pub tls: SmtpTls,
    pub config: Option<Arc<ServerConfig>>,
    pub login_required: bool,
}

impl Smtp {
    pub fn start(journal: &Arc<Journal>) -> Self {
        let shared = Arc::new(Shared {
            faults: Rules::default(),
            journal: Arc::clone(journal),
            settings: Mutex::new(Settings { tls: SmtpTls::None, config: None, login_required: true }),
        });
        let serving = Arc::clone(&shared);
        let listener = Listener::start(move |socket, number| {
            Session::new(&serving, socket, number).run();
        });
        Self { listener, shared }
    }

    pub fn port(&self) -> u16 {
        self.listener.address().port()
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.listener.connections()
    }

    pub fn use_tls(&self, tls: SmtpTls, config: Arc<ServerConfig>) {
        let mut settings = self.shared.settings.lock().unwrap();
        settings.tls = tls;
        settings.config = Some(config);
    }

    /// Takes mail from anybody, and does not offer a login.
    pub fn without_login(&self) {
        self.shared.settings.lock().unwrap().login_required = false;
    }

    /// Something goes wrong at a stage, whoever the mail is for.
    pub fn fail(&self, stage: Stage, fault: SmtpFault) -> Rule {
        self.shared.faults.add((stage, None), fault)
    }

    /// Something goes wrong with one recipient.
    pub fn fail_for(&self, recipient: &str, fault: SmtpFault) -> Rule {
        let when = (Stage::Recipient, Some(recipient.to_lowercase()));
        self.shared.faults.add(when, fault)
    }

    /// Refuses a recipient for good.
    pub fn refuse(&self, recipient: &str) -> Rule {
        self.fail_for(recipient, SmtpFault::reply(550, "5.1.1 No such user here"))
    }

    /// Puts a recipient off, as greylisting does.
    pub fn defer(&self, recipient: &str) -> Rule {
        self.fail_for(recipient, SmtpFault::reply(450, "4.7.1 Greylisted, try again later"))
    }

    /// Refuses the sender for good.
    pub fn refuse_sender(&self) -> Rule {
        self.fail(Stage::Sender, SmtpFault::reply(553, "5.7.1 Sender address rejected"))
    }

    /// Is too busy to talk.
    pub fn busy(&self) -> Rule {
        self.fail(Stage::Greeting, SmtpFault::reply(421, "4.3.2 Too busy, try again later"))
    }

    /// Refuses the login.
    pub fn refuse_login(&self) -> Rule {
        self.fail(Stage::Login, SmtpFault::reply(535, "5.7.8 Authentication credentials invalid"))
    }

    /// Refuses mails for what is in them.
    pub fn refuse_content(&self) -> Rule {
        self.fail(Stage::Body, SmtpFault::reply(554, "5.7.1 Message refused as spam"))
    }

    /// Takes a mail, and hangs up without saying so.
    pub fn lose_answer(&self) -> Rule {
        self.fail(Stage::Body, SmtpFault::AnswerLost)
    }

    /// Hangs up after a mail, without taking it.
    pub fn lose_mail(&self) -> Rule {
        self.fail(Stage::Body, SmtpFault::HangUp)
    }

    /// Takes a mail only when the test opens the gate.
    pub fn gate_before(&self) -> (Rule, Gate) {
        let (post, gate) = gate();
        (self.fail(Stage::Body, SmtpFault::GateBefore(post)), gate)
    }

    /// Takes a mail, and says so only when the test opens the gate.
    pub fn gate_after(&self) -> (Rule, Gate) {
        let (post, gate) = gate();
        (self.fail(Stage::Body, SmtpFault::GateAfter(post)), gate)
    }

    /// Says nothing more at a stage, until the client gives up.
    pub fn hang(&self, stage: Stage) -> Rule {
        self.fail(stage, SmtpFault::Hang)
    }

    /// Ends all faults.
    pub fn mend(&self) {
        self.shared.faults.clear();
    }

    /// Nobody listens any more: connections are refused.
    pub fn stop(&self) {
        self.listener.stop();
    }
}

impl Shared {
    /// What goes wrong now, if anything. `address` is the recipient, where there is one.
    pub fn fault(&self, stage: Stage, address: Option<&str>) -> Option<Arc<SmtpFault>> {
        let address = address.map(str::to_lowercase);
        self.faults.take(|(meant, recipient)| *meant == stage && (recipient.is_none() || *recipient == address))
    }
}
