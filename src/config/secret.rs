use std::fmt;

/// A token, key or password. Prints as `***`, whatever asks for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value so that it can no longer be printed by accident.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it to its service.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A service's answer with stars in place of this secret, in case it repeats what it was sent. What is too short to
    /// be a secret could appear in any answer, and stays.
    pub fn redact(&self, answer: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8_lossy(&answer);
        if self.0.len() < 8 || !text.contains(&self.0) { answer } else { text.replace(&self.0, "***").into_bytes() }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_stars_wherever_it_stands() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!(secret.reveal(), "hush");
    }

    #[test]
    fn is_redacted_in_an_answer_and_nothing_else_is_changed() {
        let redact = |secret: &str, answer: &[u8]| Secret::new(secret).redact(answer.to_vec());
        assert_eq!(redact("hush-hush", b"no such key: hush-hush, hush-hush"), b"no such key: ***, ***");
        assert_eq!(redact("hush-hush", b"\xff no such key"), b"\xff no such key");
        assert_eq!(redact("id", b"{\"id\": 1}"), b"{\"id\": 1}");
    }
}
