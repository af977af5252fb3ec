//! What the progress bar says, in a line that fits.

use std::time::Duration;

/// How far the program is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) found: u64,
    /// Whether all files have been found.
    pub(crate) is_complete: bool,
    pub(crate) ended: u64,
    pub(crate) hashed_bytes: u64,
    /// Of the files that have been opened.
    pub(crate) opened: u64,
    pub(crate) opened_bytes: u64,
    pub(crate) elapsed: Duration,
}

/// The longest bar that is drawn, and the shortest.
const BAR: (usize, usize) = (30, 10);

impl Progress {
    /// The line for a terminal of so many columns; it fits from 20 on.
    pub(crate) fn line(&self, columns: usize) -> String {
        let Self { found, ended, .. } = self;
        let more = if self.is_complete { "" } else { "+" };
        let (bytes, rate) = (size(self.hashed_bytes as f64), self.rate().map(size));
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate}/s"));
        let left = self.left().map(time);
        let long_left = left.as_ref().map_or_else(String::new, |left| format!(", {left} left"));
        let left = left.map_or_else(String::new, |left| format!(", {left}"));
        let lines = [
            format!("{ended}/{found}{more} files, {bytes}{rate}{long_left}"),
            format!("{ended}/{found}{more}, {bytes}{rate}{left}"),
            format!("{ended}/{found}{more}{rate}{left}"),
            format!("{bytes}{rate}{left}"),
        ];
        let fits = |line: &&String| line.len() <= columns;
        let Some(line) = lines.iter().find(fits) else {
            return rate.trim_start_matches(", ").to_owned() + &left;
        };
        let room = columns.saturating_sub(line.len() + 3).min(BAR.0);
        if line == &lines[0] && room >= BAR.1 && self.is_complete {
            return format!("[{}] {line}", self.bar(room));
        }
        line.clone()
    }

    fn bar(&self, width: usize) -> String {
        let done = self.ended as f64 / self.found.max(1) as f64 * width as f64;
        let done = (done as usize).min(width);
        let head = usize::from(done < width);
        format!("{}{}{}", "=".repeat(done), ">".repeat(head), " ".repeat(width - done - head))
    }

    /// Bytes a second, as soon as that can be said.
    fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (self.hashed_bytes > 0 && seconds > 0.0).then(|| self.hashed_bytes as f64 / seconds)
    }

    /// How long the rest takes, if the files that have not been opened are like those that have.
    fn left(&self) -> Option<Duration> {
        if !self.is_complete {
            return None;
        }
        let (done, all) = if self.opened_bytes > 0 {
            let all = self.opened_bytes as f64 / self.opened as f64 * self.found as f64;
            (self.hashed_bytes as f64, all)
        } else {
            // All are empty so far, or it is other processes that open them.
            (self.ended as f64, self.found as f64)
        };
        let seconds = self.elapsed.as_secs_f64() * (all - done).max(0.0) / done;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// At most eight columns.
fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes;
    let mut unit = 0;
    // Not 1024, so that none is rounded to five places.
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let places = usize::from(unit > 0 && value < 9.95);
    format!("{value:.places$} {}", units[unit])
}

/// At most six columns.
fn time(left: Duration) -> String {
    let seconds = left.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds / 60),
        6000..360_000 => format!("{} h", seconds / 3600),
        360_000..864_000_000 => format!("{} d", seconds / 86400),
        _ => "years".to_owned(),
    }
}
