//! A broker process on ports of its own and with a data folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const MILLRACE: &str = env!("CARGO_BIN_EXE_millrace");
/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Killed when dropped.
pub(crate) struct Broker {
    child: Child,
    pub(crate) data: TempDir,
    /// Where clients connect.
    pub(crate) listen: String,
    /// Where the admin port is.
    pub(crate) admin: String,
}

impl Broker {
    /// Starts one and waits until it listens.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--shards", "1"])
    }

    pub(crate) fn start_with(more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(MILLRACE)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(data.path())
            .args(more)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut listen, mut admin) = (None, None);
        let mut seen = Vec::new();
        while listen.is_none() || admin.is_none() {
            let Some(line) = lines.next() else { panic!("the broker ended: {seen:?}") };
            let line = line.unwrap();
            let word_behind = |mark: &str| {
                let rest = line.split_once(mark)?.1;
                rest.split([' ', ',']).next().map(str::to_owned)
            };
            listen = listen.or_else(|| word_behind("listening on "));
            admin = admin.or_else(|| word_behind("metrics and health on http://"));
            seen.push(line);
        }
        // Whoever stops reading would stop the broker at the next full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, data, listen: listen.unwrap(), admin: admin.unwrap() }
    }

    /// Sends bytes to the admin port and gives all that comes back.
    pub(crate) fn admin_exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reply = Vec::new();
        // A port that is full hangs up on whoever has just begun to ask.
        let _ = stream.write_all(request).and_then(|()| stream.read_to_end(&mut reply));
        String::from_utf8(reply).unwrap()
    }

    /// Status line and body of a GET.
    pub(crate) fn admin_get(&self, path: &str) -> (String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
        let reply = self.admin_exchange(request.as_bytes());
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    /// Runs a command against this broker.
    pub(crate) fn run(&self, words: &[&str], input: &[u8]) -> Output {
        run(&[words, &["--bootstrap", &self.listen]].concat(), input)
    }

    /// Runs a command that must succeed and gives what it wrote.
    pub(crate) fn ok(&self, words: &[&str], input: &[u8]) -> String {
        let output = self.run(words, input);
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must succeed and gives the JSON that it wrote.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[words, &["--json"]].concat(), b"")).unwrap()
    }

    /// Asks `/readyz` until it says yes.
    pub(crate) fn wait_ready(&self) {
        let begun = Instant::now();
        while self.admin_get("/readyz").0 != "HTTP/1.1 200 OK" {
            assert!(begun.elapsed() < PATIENCE, "not ready");
        }
    }

    /// The value of a metric, labels included in its name.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.admin_get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run of the program wrote, as text.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs the program to its end with `input` on its standard input.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(MILLRACE)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that refuses to start does not read its input.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}
