//! What is listed, and how.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    io::Write,
    os::fd::{AsFd, OwnedFd},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{PermissionsExt, symlink},
        net::UnixListener,
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::{
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{Mode, mkdirat},
    unistd::{Uid, mkfifo},
};

use crate::support::{Account, Ended, TempDir, limited, program, run, sha256sum_of};

/// Nobody, on every system that there is.
const NOBODY: u32 = 65534;

/// Names that break naive programs, and some whose order by bytes is not the order by parts.
const NAMES: [&[u8]; 18] = [
    b"plain",
    b"two  spaces ",
    b"new\nline",
    b"back\\slash",
    b"carriage\rreturn",
    b"\\n",
    b"all\\of\nthem\r",
    b"tab\there",
    b"escape\x1b[31m",
    b"not\xffutf\xfe8",
    b"-n",
    b"--jobs",
    b"*",
    b"'quotes\"",
    b"part/file",
    b"part.file",
    b"part-file",
    b"part!/file",
];

#[test]
fn the_odd_tree_equals_sha256sum() {
    watch!();
    for (tool, package) in [("sha256sum", "coreutils"), ("find", "findutils")] {
        if Command::new(tool).arg("--version").output().is_err() {
            return skipped("the_odd_tree_equals_sha256sum", tool, package);
        }
    }
    let dir = TempDir::new();
    let tree = dir.path();
    let files = make_odd_tree(tree);

    let ended = run([tree]);
    assert_same_lines(&ended.stdout, &sha256sum(&[tree]));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let account = ended.account();
    assert_eq!((account.found, account.skipped), (files, 2), "the pipe and the socket are skipped");

    // Several directories, one inside the other, and files: a file is listed as often as it is found.
    let (part, deep) = (tree.join("part"), tree.join("deep/"));
    let (same, dash) = (tree.join("same"), tree.join("--jobs"));
    let several = [part.as_path(), tree, &same, &deep, &dash];
    assert_same_lines(&run(several).stdout, &sha256sum(&several));
}

/// Makes the tree and says how many regular files it has.
fn make_odd_tree(tree: &Path) -> usize {
    for (number, name) in NAMES.iter().enumerate() {
        let path = tree.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![b'x'; number * 10_000]).unwrap();
    }
    let deep = tree.join("deep").join("down/".repeat(200));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("same"), "same content").unwrap();
    fs::write(tree.join("same"), "same content").unwrap();
    fs::create_dir(tree.join("empty directory")).unwrap();
    symlink("plain", tree.join("link to a file")).unwrap();
    symlink("deep", tree.join("link to a directory")).unwrap();
    symlink(".", tree.join("link to itself")).unwrap();
    symlink("nothing", tree.join("dangling link")).unwrap();
    mkfifo(&tree.join("pipe"), Mode::S_IRWXU).unwrap();
    // Its name stays when it is closed.
    drop(UnixListener::bind(tree.join("socket")).unwrap());
    NAMES.len() + 2
}

/// What `sha256sum` prints for what `find` finds, sorted by bytes.
fn sha256sum(directories: &[&Path]) -> Vec<u8> {
    let found = Command::new("find").args(directories).args(["-type", "f", "-print0"]).output();
    let found = found.unwrap().stdout;
    let mut names: Vec<_> =
        found.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    let names = names.into_iter().map(|name| OsString::from_vec(name.to_vec()));
    let output = Command::new("sha256sum").arg("--").args(names).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn assert_same_lines(ours: &[u8], theirs: &[u8]) {
    let lines = |output: &[u8]| -> Vec<String> {
        output.split(|byte| *byte == b'\n').map(|line| line.escape_ascii().to_string()).collect()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

fn skipped(test: &str, tool: &str, package: &str) {
    let message = format!("SKIPPED {test}: {tool}, install with apt-get install {package}");
    assert!(std::env::var_os("SETTLED_STRICT").is_none_or(|strict| strict != "1"), "{message}");
    println!("{message}");
}

/// Deeper than the system takes a path, by a good deal.
#[test]
fn a_tree_deeper_than_any_path_is_hashed() {
    watch!();
    let dir = TempDir::new();
    let name = "x".repeat(200);
    let mut here: Option<OwnedFd> = None;
    let mut path = dir.path().to_owned();
    let mut expected = Vec::new();
    for depth in 0..60 {
        let at = here.as_ref().map_or(AT_FDCWD, |here| here.as_fd());
        let from: &Path = if depth == 0 { dir.path() } else { Path::new(&name) };
        if depth > 0 {
            mkdirat(at, from, Mode::S_IRWXU).unwrap();
            path.push(&name);
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let next = openat(at, from, flags, Mode::empty()).unwrap();
        let flags = OFlag::O_CREAT | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let file = openat(&next, "file", flags, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        File::from(file).write_all(depth.to_string().as_bytes()).unwrap();
        expected.push(sha256sum_of(depth.to_string().as_bytes(), &path.join("file")));
        here = Some(next);
    }
    assert!(path.as_os_str().len() > 10_000);
    let ended = run([dir.path()]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(stdout.lines().eq(&expected), "{stdout}");
    // The last of them by its name.
    let ended = run([path.join("file")]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert_eq!(String::from_utf8(ended.stdout).unwrap().trim_end(), expected[59]);
}

/// Each of the threads has read a part of its file when the last one opens its own, if it may.
#[test]
fn no_more_files_are_open_than_may_be() {
    watch!();
    let dir = TempDir::new();
    for name in 0..64 {
        dir.sparse(&name.to_string(), 1 << 21);
    }
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 24 && exec \"$0\" \"$@\""]).arg(program());
    let output = command.args(["-j", "64"]).arg(dir.path()).output().unwrap();
    let ended = Ended::of(output);
    assert_eq!(ended.account().finished, 64, "{ended:?}");
    assert_eq!(ended.status, Some(0));
}

#[test]
fn what_cannot_be_read_is_reported() {
    watch!();
    let dir = TempDir::new();
    let tree = dir.path().join("tree");
    fs::create_dir_all(tree.join("closed")).unwrap();
    for name in ["open", "secret", "closed/hidden"] {
        fs::write(tree.join(name), "content").unwrap();
    }
    set_mode(&tree, 0o755);
    set_mode(&tree.join("open"), 0o644);
    set_mode(&tree.join("secret"), 0);
    set_mode(&tree.join("closed"), 0);

    let ended = run_as_nobody(&dir, &tree);
    let expected =
        Account { found: 2, finished: 1, failed: 1, cancelled: 0, skipped: 0, unreadable: 1 };
    assert_eq!(ended.account(), expected, "{ended:?}");
    assert_eq!(ended.status, Some(1));
    assert!(ended.says(&["/secret\": ", "Permission denied"]), "{ended:?}");
    assert!(ended.says(&["/closed\": ", "Permission denied"]), "{ended:?}");
}

#[test]
fn an_unreadable_directory_alone_is_a_failure() {
    watch!();
    let dir = TempDir::new();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    set_mode(&closed, 0);

    let ended = run_as_nobody(&dir, &closed);
    let expected =
        Account { found: 0, finished: 0, failed: 0, cancelled: 0, skipped: 0, unreadable: 1 };
    assert_eq!(ended.account(), expected, "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

/// Runs the program on `tree`, which lies in `dir`, as somebody else if this is root, who reads
/// everything. A copy of it, since the program itself may lie where only root gets; made by another
/// process, for a program cannot be started while somebody has it open for writing, and a child that
/// another test starts at this moment would have it open.
fn run_as_nobody(dir: &TempDir, tree: &Path) -> Ended {
    let copy = dir.path().join("digest");
    assert!(Command::new("cp").arg(program()).arg(&copy).status().unwrap().success());
    set_mode(&copy, 0o755);
    set_mode(dir.path(), 0o755);
    let mut command = limited(&copy);
    if Uid::effective().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ended::of(command.arg(tree).output().unwrap())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
