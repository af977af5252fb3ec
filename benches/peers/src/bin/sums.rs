//! The sums of all files below a directory, in the order of their paths, as `sha256sum` prints them: with rayon, walkdir
//! and sha2, beside the example `digest`.

use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

/// How much is read at once.
const ROOM: usize = 128 << 10;

fn sum(path: &Path, room: &mut [u8]) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    loop {
        match file.read(room)? {
            0 => break,
            read => hasher.update(&room[..read]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).ok_or("which directory?")?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in WalkDir::new(root) {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    files.par_sort_unstable();
    let sums = files.par_iter().map_init(|| vec![0; ROOM], |room, path| sum(path, room));
    let sums: Vec<_> = sums.collect::<io::Result<_>>()?;
    let mut out = BufWriter::new(io::stdout().lock());
    for (sum, path) in sums.iter().zip(&files) {
        writeln!(out, "{sum}  {}", path.display())?;
    }
    Ok(out.flush()?)
}
