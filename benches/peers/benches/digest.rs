//! The example `digest` beside rayon, walkdir and sha2: many small files, and a few large ones.
//!
//! `cargo bench -p settled-bench --bench digest -- --full` has 50,000 and 20 of 50 MB; without it there are fewer. Both
//! sides are programs, which run in turns; what they are run on is made in the system's temporary directory and removed.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;

/// A directory of files, until this is dropped.
struct Files(PathBuf);

impl Files {
    /// So many, of so many bytes each, a hundred in a directory.
    fn make(name: &str, count: usize, size: usize) -> Result<Self> {
        let files =
            Self(env::temp_dir().join(format!("settled-digest-{name}-{}", std::process::id())));
        let mut content: Vec<u8> =
            (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for number in 0..count {
            let directory = files.0.join(format!("{:03}", number / 100));
            if number % 100 == 0 {
                fs::create_dir_all(&directory)?;
            }
            content[..8].copy_from_slice(&number.to_le_bytes());
            fs::write(directory.join(format!("{number:05}")), &content)?;
        }
        Ok(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

/// How many seconds a program takes for a directory.
fn time(program: &Path, files: &Files) -> Result<f64> {
    let mut command = Command::new(program);
    command.arg(&files.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status()?;
    let elapsed = begin.elapsed().as_secs_f64();
    if status.success() { Ok(elapsed) } else { Err(format!("{program:?}: {status}").into()) }
}

fn printed(program: &Path, files: &Files) -> Result<Vec<u8>> {
    Ok(Command::new(program).arg(&files.0).output()?.stdout)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn row(name: &str, aim: f64, files: &Files, ours: &Path, theirs: &Path) -> Result<()> {
    // Which also has the files in the system's memory.
    let lines = printed(ours, files)?;
    if lines.is_empty() || lines != printed(theirs, files)? {
        return Err(format!("{name}: the two do not print the same").into());
    }
    let (mut times, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    for round in 0..ROUNDS {
        let mut both = [0.0; 2];
        for side in [round % 2, 1 - round % 2] {
            both[side] = time([ours, theirs][side], files)?;
            times[side].push(both[side]);
        }
        ratios.push(both[0] / both[1]);
    }
    let (least, most) = (
        ratios.iter().copied().fold(f64::MAX, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
    );
    let ([ours, theirs], ratio) = (times.map(median), median(ratios));
    let met = if ratio <= aim { "met" } else { "missed" };
    println!(
        "ratio {name} {ratio:.2} [{least:.2}-{most:.2}] (aim {aim}: {met}); digest {ours:.3} s, rayon+walkdir+sha2 \
         {theirs:.3} s"
    );
    Ok(())
}

fn main() -> Result<()> {
    let full = env::args().any(|argument| argument == "--full");
    let theirs = Path::new(env!("CARGO_BIN_EXE_sums"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let built = build.current_dir(root).args([
        "build",
        "--quiet",
        "--profile",
        "bench",
        "--example",
        "digest",
    ]);
    if !built.status()?.success() {
        return Err("the example digest does not build".into());
    }
    let ours = theirs.parent().ok_or("a program is in a directory")?.join("examples/digest");
    let (small, large) = if full { (50_000, 20) } else { (5_000, 4) };
    row("digest_small", 1.1, &Files::make("small", small, 2_000)?, &ours, theirs)?;
    row("digest_large", 1.0, &Files::make("large", large, 50_000_000)?, &ours, theirs)
}
