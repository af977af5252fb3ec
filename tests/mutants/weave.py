"""All changes in one tree: each is a branch of its function, and the environment says which is taken.

A function of which there are changes becomes

    fn f() {
        if crate::woven::is_made(7) { <the body with change 7> }
        else if crate::woven::is_made(8) { <the body with change 8> }
        else { <the body> }
    }

so that all of them cost one build. What does not build that way is taken out, by the places of the compiler's errors.
Each branch has a variable that nobody uses: the compiler's warning of it says that the branch is compiled at all.
"""

import collections
import json
import os
import re
import subprocess

SWITCH = '''
// Which of the changes in this build is made, and which were reached.
use std::{env, ffi::{c_char, c_int}, fs, process, sync::atomic::{AtomicBool, AtomicI32, Ordering}};

unsafe extern "C" {
    // Allocate nothing, because tests count what is allocated.
    fn getenv(name: *const c_char) -> *const c_char;
    fn atoi(text: *const c_char) -> c_int;
    fn atexit(function: extern "C" fn()) -> c_int;
}

const UNKNOWN: i32 = -1;
static MADE: AtomicI32 = AtomicI32::new(UNKNOWN);
static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

pub(crate) fn is_made(number: i32) -> bool {
    REACHED[number as usize].store(true, Ordering::Relaxed);
    let made = MADE.load(Ordering::Relaxed);
    (if made == UNKNOWN { look() } else { made }) == number
}

fn look() -> i32 {
    let given = unsafe { getenv(c"SETTLED_MUTANT".as_ptr()) };
    let made = if given.is_null() { 0 } else { unsafe { atoi(given) } };
    if MADE.swap(made, Ordering::Relaxed) == UNKNOWN && !unsafe { getenv(c"SETTLED_REACHED".as_ptr()) }.is_null() {
        unsafe { atexit(tell) };
    }
    made
}

extern "C" fn tell() {
    let reached = (0..COUNT).filter(|&it| REACHED[it].load(Ordering::Relaxed)).map(|it| format!("{it}\\n"));
    let directory = env::var("SETTLED_REACHED").expect("it is why this is called");
    let _ = fs::write(format!("{directory}/{}", process::id()), reached.collect::<String>());
}
'''


def place(text, at):
    """Where in the text a line and column are."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: at["line"] - 1])) + at["column"] - 1


def changed(text, mutant):
    """The text with the mutant's change."""
    start, end = (place(text, mutant["span"][side]) for side in ("start", "end"))
    return text[:start] + mutant["replacement"] + text[end:]


def body_of(text, function):
    """Where the body of a function begins and ends, between its braces."""
    start, end = (place(text, function["span"][side]) for side in ("start", "end"))
    skipped = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\{', re.DOTALL)
    brace = next(it for it in skipped.finditer(text, start, end) if it.group() == "{")
    return brace.end(), end - 1


def woven(text, mutants):
    """The file with all of its mutants, which are pairs of a number and what cargo-mutants says, and the lines of each."""
    functions = collections.defaultdict(list)
    for number, mutant in mutants:
        functions[body_of(text, mutant["function"])].append((number, mutant))
    # A function inside another one is changed in the body of the outer one.
    outer = collections.defaultdict(list)
    for body, some in functions.items():
        outer[min(it for it in functions if it[0] <= body[0] and body[1] <= it[1])] += some
    out, lines, done = "", {}, 0
    for (start, end), some in sorted(outer.items()):
        out += text[done:start]
        for number, mutant in some:
            first, last = (place(text, mutant["span"][side]) for side in ("start", "end"))
            out += f"\nif crate::woven::is_made({number}) {{\n"
            begin = out.count("\n") + 1
            out += f"let woven_{number} = ();\n" + text[start:first] + mutant["replacement"] + text[last:end]
            lines[number] = (begin, out.count("\n") + 1)
            out += "\n} else"
        out += " {" + text[start:end] + "}\n"
        done = end
    return out + text[done:], lines


def weave(tree, mutants, apart):
    """Makes all changes in the tree that build together, but for those of the files apart. Returns the files that differ
    then, the numbers of those changes, of those that need a build of their own, and of those that do not build; what is
    in none of them is not compiled."""
    texts = {file: (tree / file).read_text() for file in {it["file"] for it in mutants}}
    files = {
        "src/lib.rs": (tree / "src/lib.rs").read_text() + "\n#[allow(unsafe_code, missing_docs)]\nmod woven;\n",
        "src/woven.rs": f"const COUNT: usize = {len(mutants) + 1};\n{SWITCH}",
    }
    together = {number for number, it in enumerate(mutants, 1) if it["function"] and it["file"] not in apart}
    alone, unbuilt = set(range(1, len(mutants) + 1)) - together, set()
    while True:
        lines = {}
        for file, text in texts.items():
            some = [(number, it) for number, it in enumerate(mutants, 1) if it["file"] == file and number in together]
            files[file], lines[file] = woven(text, some)
        for file, text in files.items():
            (tree / file).write_text(text)
        _, compiled, errors = check(tree)
        if not errors:
            return {file: text.encode() for file, text in files.items()}, together & compiled, alone, unbuilt
        wrong, doubtful = map(set().union, *(culprits(lines, error) for error in errors))
        if not wrong | doubtful:
            raise SystemExit(f"mutants: the tree with all changes does not build: {errors}")
        together -= wrong | doubtful
        alone |= doubtful
        unbuilt |= wrong - doubtful


def target_of(tree):
    """Where cargo builds a tree. It gives what it builds of two trees the same names, and takes the one for the other."""
    return "--target-dir", f"{tree}-target"


def check(tree):
    """What the compiler says of the library: whether it builds, the numbers of the compiled branches, and its errors."""
    ran = subprocess.run(
        ["cargo", "check", "--lib", "--all-features", "--message-format=json", *target_of(tree)], cwd=tree, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    compiled, errors = set(), []
    for line in ran.stdout.splitlines():
        message = json.loads(line).get("message") or {}
        compiled |= {int(it) for it in re.findall(r"unused variable: `woven_(\d+)`", message.get("message", ""))}
        if message.get("level") == "error" and message["spans"]:
            errors.append(message)
    if ran.returncode != 0 and not errors:
        raise SystemExit("mutants: the compiler fails, and does not say where")
    return ran.returncode == 0, compiled, errors


def compiles(tree):
    """Whether the library does."""
    return check(tree)[0]


def culprits(lines, error):
    """The change that an error is in, which would not build by itself either; or those that it touches, if it is about
    the branches and not about what is in one."""
    inside, touched = set(), set()
    for span in error["spans"]:
        while span["expansion"]:
            span = span["expansion"]["span"]
        file = os.path.normpath(span["file_name"])
        for number, (first, last) in lines.get(file, {}).items():
            if first <= span["line_start"] and span["line_end"] <= last:
                inside.add(number)
            if first - 1 <= span["line_end"] and span["line_start"] <= last + 1:
                touched.add(number)
    is_about_branches = "`if` and `else`" in error["message"]
    return (inside, set()) if inside and not is_about_branches else (set(), touched)
