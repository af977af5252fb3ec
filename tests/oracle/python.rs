//! Python, in a process of its own that is asked over a pipe.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

pub(crate) struct Python {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    pub(crate) version: String,
}

impl Python {
    /// Starts it, or says what is missing.
    pub(crate) fn start() -> Result<Self, String> {
        let script =
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/oracle/oracle.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("python3: {e}"))?;
        let input = child.stdin.take().map(BufWriter::new);
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut version = String::new();
        output.read_line(&mut version).map_err(|e| format!("python3: {e}"))?;
        let mut this = Self { child, input, output, version: version.trim().to_owned() };
        if this.minor() < 11 {
            this.input = None;
            return Err(format!("python3 is {version:?}"));
        }
        Ok(this)
    }

    /// The minor version of Python 3.
    pub(crate) fn minor(&self) -> u32 {
        let minor = self.version.strip_prefix("3.").and_then(|rest| rest.split('.').next());
        minor.and_then(|minor| minor.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn ask(&mut self, class: char, program: &str) -> String {
        let input = self.input.as_mut().expect("it was started");
        writeln!(input, "{class} {program}").and_then(|()| send(input)).expect("Python reads");
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("Python answers");
        assert!(read > 0, "Python ended");
        line.trim_end().to_owned()
    }

    /// Asks about many, while the answers are looked at.
    pub(crate) fn ask_all(
        &mut self,
        class: char,
        programs: &[String],
        mut each: impl FnMut(&str, &str),
    ) {
        let mut input = self.input.take().expect("it was started");
        let input = thread::scope(|scope| {
            let writes = scope.spawn(move || {
                for program in programs {
                    writeln!(input, "{class} {program}").expect("Python reads");
                }
                send(&mut input).expect("Python reads");
                input
            });
            for program in programs {
                let answers = self.answer();
                each(program, &answers);
            }
            writes.join().expect("it writes")
        });
        self.input = Some(input);
    }
}

/// Sends what was asked, and after it the empty line that is for the answers to be sent.
fn send(input: &mut impl Write) -> io::Result<()> {
    writeln!(input)?;
    input.flush()
}

impl Drop for Python {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.input = None;
        let _ = self.child.wait();
    }
}
