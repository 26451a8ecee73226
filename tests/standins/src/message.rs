//! HTTP requests and answers, as bytes and as what they mean.

use std::io::Read;
use std::time::Instant;

use serde_json::Value;

use super::stream::Stream;

/// A request as it came, and how it ended.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which stand-in it came to: `plex`, `tautulli` or `discord`.
    pub service: &'static str,
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub started: Instant,
    /// None: not over yet.
    pub finished: Option<Instant>,
    /// None: not over yet, or the connection was cut instead.
    pub status: Option<u16>,
}

impl Request {
    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as `application/x-www-form-urlencoded`, decoded; empty if it is something else.
    pub fn form(&self) -> Vec<(String, String)> {
        let form =
            self.header("Content-Type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if form { decode(&String::from_utf8_lossy(&self.body)) } else { Vec::new() }
    }

    /// A parameter, from the form or from the query.
    pub fn param(&self, name: &str) -> Option<String> {
        let mut params = self.form();
        params.extend(self.query.iter().cloned());
        params.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is no JSON")
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body: body.into() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub fn html(status: u16, body: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Everything before the body.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Sandbox\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// The next request on a connection; none when there is none, or nothing that could be understood.
pub fn read_request(service: &'static str, stream: &mut Stream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(start) = parsed.parse(buffer).ok()? {
            let (path, query) = parsed.path?.split_once('?').unwrap_or((parsed.path?, ""));
            let mut request = Request {
                service,
                method: parsed.method?.to_owned(),
                path: path.to_owned(),
                query: decode(query),
                headers: parsed
                    .headers
                    .iter()
                    .map(|header| {
                        let value = String::from_utf8_lossy(header.value).into_owned();
                        (header.name.to_owned(), value)
                    })
                    .collect(),
                body: Vec::new(),
                started: Instant::now(),
                finished: None,
                status: None,
            };
            let length = request.header("Content-Length").map_or(Ok(0), str::parse);
            let end = start + length.ok()?;
            while buffer.len() < end {
                fill(stream, buffer)?;
            }
            request.body = buffer[start..end].to_vec();
            buffer.drain(..end);
            return Some(request);
        }
        fill(stream, buffer)?;
    }
}

fn fill(stream: &mut Stream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 8192];
    let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
    buffer.extend_from_slice(&chunk[..read]);
    Some(())
}

/// `application/x-www-form-urlencoded`, decoded.
fn decode(encoded: &str) -> Vec<(String, String)> {
    encoded
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_one(name), decode_one(value))
        })
        .collect()
}

fn decode_one(encoded: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                decoded.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
