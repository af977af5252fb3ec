//! The places in the code that the steps stand for.
//!
//! Every function of the cell, of the parker, of the inbox and of those who wait or call callbacks is here that takes a
//! lock, looks at the clock, tells, calls or goes on to such a function, with what it does of that, in the order of the text. Something
//! new, renamed, left out or moved is seen; what the text between means is not.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use crate::{cell::CELL, group::GROUP, system::Protocol};

/// What a function does with what others may see.
const ACTS: &[&str] = &[
    "lock(",
    "try_lock(",
    ".on(",
    "slot.write(",
    "inner.state = ",
    "take(&mut inner.waiters)",
    "waiters.extract_if(",
    "inner.lent -= ",
    "self.lent = ",
    "give_up(",
    ".lend()",
    "take(&mut inner.callbacks)",
    "drop(inner)",
    "waiters.push(",
    "waiters.remove(",
    "callbacks.push(",
    "is_settled()",
    "is_over(",
    ".apply(",
    ".settle(",
    ".register(",
    ".register_until(",
    ".register_callback(",
    ".deregister(",
    ".leave(",
    "is_current(",
    ".park(",
    "wait_until(",
    "*token = false",
    ".token) = true",
    "notify_one()",
    ".notify()",
    ".unpark()",
    ".wake()",
    ".tell(",
    "hook.run()",
    "into_callbacks()",
    ".settled.push(",
    ".settled.len()",
    "told.wanted = ",
    "drop(told)",
    "mem::swap(",
    ".inbox.take(",
    ".inbox.count()",
    ".inbox.sleep(",
    ".hear(",
    "group.sleep(",
    "group.part(",
    ".call(",
    "defer(",
    "deferred::run(",
];

/// A function, what it does, and the steps that it is a part of.
type Site = (&'static str, &'static str, &'static str);

/// A file, what of it is meant, and its functions in order.
type File = (&'static str, [&'static str; 2], &'static [Site]);

/// What `super::cell` stands for.
const CELL_SITES: &[File] = &[
    (
        "cell/own.rs",
        ["", ""],
        &[
            // Who listens for the producer is in no step: it is told of a request, and that nobody is left.
            ("tell", ".notify()", ""),
            ("hang_up", "drop(inner)", ""),
            ("wake", ".notify()", "tell"),
            ("listeners", "waiters.extract_if(", ""),
            ("lend", "self.lent =", "finish stop abandon"),
            ("give_up", ".lend() waiters.extract_if(", "finish stop abandon"),
            ("lock", "lock(", ""),
            ("state", "lock(", ""),
            ("is_settled", "is_settled()", "look"),
            ("is_unread", "lock( is_settled()", ""),
            ("is_only", "lock(", ""),
            ("start", "lock( .on( inner.state =", "start"),
            ("cancel_reason", "lock(", ""),
            (
                "apply",
                ".on( slot.write( inner.state = take(&mut inner.waiters) take(&mut inner.callbacks)",
                "finish cancel abandon",
            ),
            ("settle", "lock( .apply( drop(inner) give_up( drop(inner)", "finish stop"),
            ("abandon", "lock( .apply( give_up( drop(inner)", "abandon"),
            // What it tells is the owner, who is asked.
            (
                "cancel",
                "lock( is_settled() .on( drop(inner) .notify() .apply( drop(inner)",
                "cancel",
            ),
            ("debug", "try_lock(", ""),
            ("clone", "lock( drop(inner)", ""),
            ("drop", "lock( is_over( drop(inner)", ""),
        ],
    ),
    ("cell/producer.rs", ["", ""], &[("settle", ".settle(", "finish stop")]),
    (
        "cell/lend.rs",
        ["", ""],
        &[
            (
                "drop",
                "lock( inner.lent -= take(&mut inner.waiters) drop(inner) .notify()",
                "give-back return-late tell",
            ),
            ("lend", "lock( .lend()", "lend-late"),
            ("take", "lock( drop(inner)", ""),
            ("take_or_leave", "lock( drop(inner) drop(inner)", ""),
        ],
    ),
    ("output.rs", ["", ""], &[("poll", ".leave(", ""), ("drop", ".leave(", "drop")]),
    (
        "cell/wait.rs",
        ["", ""],
        &[
            ("is_over", "is_settled() is_settled()", "register register-late look"),
            ("register", ".register_until(", "register register-late"),
            ("register_until", "lock( is_over( waiters.push(", "register register-late"),
            ("is_awaited_on", "lock(", ""),
            ("deregister", "lock( waiters.remove(", "deregister give-up drop"),
            (
                "register_callback",
                "lock( is_settled() callbacks.push(",
                "register-callback register-callback-late",
            ),
            ("is_over", "is_over( lock(", "look"),
            (
                "park_until",
                ".register_until( is_over( is_over( .deregister( is_over( .park( .deregister(",
                "register register-late clock look deregister check leave",
            ),
            ("poll", "is_current( .leave( .register_until(", "poll give-up register register-late"),
            ("is_current", "lock(", "stay move"),
            ("leave", ".deregister(", "give-up drop"),
        ],
    ),
    (
        "sync.rs",
        ["impl Parker {", "mod timer {"],
        &[
            ("park", "lock( is_over( wait_until( *token = false", "sleep take time-out"),
            ("unpark", ".wake()", "tell ring"),
            // Also whoever interrupts, which is no step: for the protocol it is a deadline that passes.
            ("wake", "lock( .token) = true notify_one()", "tell ring"),
        ],
    ),
    (
        "waiter.rs",
        ["impl Waiter {", "impl Job {"],
        &[("notify", ".unpark() .wake() .tell( hook.run()", "tell")],
    ),
    (
        "settled.rs",
        ["", ""],
        &[
            ("pay", ".wake() deferred::run( into_callbacks()", "tell call"),
            ("pay", ".wake() deferred::run( into_callbacks()", "tell call"),
        ],
    ),
    ("deferred.rs", ["", ""], &[("run", "defer( .call(", "call return call-late")]),
    (
        "thread/future.rs",
        ["/// Calls `callback` once", "/// Another handle"],
        &[("add_done_callback", ".register_callback( deferred::run(", "call-late")],
    ),
];

/// What `super::group` stands for.
const GROUP_SITES: &[File] = &[
    (
        "inbox.rs",
        ["", ""],
        &[
            (
                "tell",
                "lock( .settled.push( .settled.len() drop(told) notify_one()",
                "tell ring ask",
            ),
            (
                "sleep",
                "lock( .settled.len() is_over( told.wanted = wait_until( told.wanted = .settled.len() is_over(",
                "sleep return time-out",
            ),
            ("take", "mem::swap( lock(", "take"),
            ("count", "lock( .settled.len()", "count"),
            ("wake", "lock( notify_one()", ""),
        ],
    ),
    (
        "thread/wait.rs",
        ["", ""],
        &[
            (
                "wait",
                ".inbox.take( .hear( group.sleep( group.sleep( group.part(",
                "begin take go-on stop",
            ),
            ("into_left", ".leave(", "part"),
            ("next", ".hear( .inbox.take( group.sleep(", "begin take go-on"),
            ("register", ".register_until( .notify()", "ask"),
            ("lends_again", ".register_until(", "ask"),
            ("sleep", "is_over( .inbox.count() .inbox.count() .inbox.sleep(", "clock count"),
            ("leave", ".deregister(", "part"),
            ("part", ".deregister(", "part"),
            ("drop", ".leave(", "part"),
        ],
    ),
];

/// Each protocol with its sites, and with what none of their functions does: the clock, the system that wakes a sleeper
/// for no reason, and what others do.
const ALL: [(Protocol, &[File], &[&str]); 2] = [
    (CELL, CELL_SITES, &["expire", "spurious"]),
    (GROUP, GROUP_SITES, &["expire", "spurious", "settle"]),
];

/// The name of the function whose head this line is.
fn head(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "const", "unsafe"];
    let is_head = before.split_whitespace().all(|word| words.contains(&word));
    is_head.then(|| rest.split(['(', '<']).next().unwrap_or_default())
}

/// What is done of `ACTS`, in order.
fn acts(code: &str) -> String {
    let is_whole = |at: usize, act: &str| {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !(act.starts_with(joins) && code[..at].ends_with(joins))
    };
    let found = ACTS.iter().flat_map(|act| code.match_indices(act));
    let mut found: Vec<_> = found.filter(|(at, act)| is_whole(*at, act)).collect();
    found.sort_unstable();
    let found: Vec<_> = found.iter().map(|(_, act)| act.trim_end()).collect();
    found.join(" ")
}

/// The functions of a text that do something of that, in order, each with what it does.
fn scan(text: &str) -> Vec<(&str, String)> {
    let mut functions: Vec<(&str, String)> = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        if let Some(name) = head(line) {
            functions.push((name, String::new()));
        } else if let Some((_, code)) = functions.last_mut() {
            *code += line;
            *code += "\n";
        }
    }
    let functions = functions.into_iter().map(|(name, code)| (name, acts(&code)));
    functions.filter(|(_, acts)| !acts.is_empty()).collect()
}

/// Fails unless these are the sites of the text.
fn compare(file: &str, text: &str, sites: &[Site]) -> Result<(), String> {
    let found = scan(text);
    let mut wrong = String::new();
    for at in 0..found.len().max(sites.len()) {
        let site = sites.get(at).map(|(name, acts, _)| (*name, *acts));
        let code = found.get(at).map(|(name, acts)| (*name, acts.as_str()));
        if site != code {
            writeln!(wrong, "{file}: the code has {code:?}, and a step stands for {site:?}")
                .expect("a string");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn read(file: &str, [from, to]: [&str; 2]) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let text = fs::read_to_string(path).map_err(|why| format!("{file}: {why}"))?;
    let begin = text.find(from).ok_or_else(|| format!("{file} has no {from}"))?;
    let end = if to.is_empty() { text.len() } else { text.find(to).unwrap_or(text.len()) };
    Ok(text[begin..end].to_owned())
}

pub(crate) fn the_steps_are_the_sites_of_the_code() -> Result<String, String> {
    for (protocol, files, of_others) in ALL {
        let mut named: BTreeSet<_> = of_others.iter().copied().collect();
        for (file, part, sites) in files {
            compare(file, &read(file, *part)?, sites)?;
            named.extend(sites.iter().flat_map(|(_, _, steps)| steps.split_whitespace()));
        }
        let system = (protocol.shipped)();
        let steps: BTreeSet<_> = system.steps.iter().map(|it| it.name).collect();
        if named != steps {
            return Err(format!("the sites name the steps {named:?}, and there are {steps:?}"));
        }
    }
    Ok(String::new())
}

/// A site that is new, renamed, left out or moved is seen.
pub(crate) fn a_site_that_changes_is_noticed() -> Result<String, String> {
    for (file, from, to) in [
        ("cell/wait.rs", "fn deregister(", "fn let_go("),
        ("cell/wait.rs", "|| self.register_until(", "|| self.enter("),
        ("cell/lend.rs", "inner.lent -= 1;", ""),
        (
            "cell/own.rs",
            "self.waiters = settling.waiters.extract_if",
            "self.waiters = settling.waiters.retain",
        ),
        ("cell/wait.rs", "inner.next += 1;", "drop(inner);\nlet mut inner = self.lock();"),
        ("cell/wait.rs", "let expired = is_over(deadline);", ""),
        ("cell/own.rs", "fn give_up(", "fn peek(&self) {\nself.lock();\n}\nfn give_up("),
        ("cell/own.rs", "inner.state = state;", ""),
        ("sync.rs", "*token = false;", ""),
        ("settled.rs", "self.settling.wake();", ""),
        ("inbox.rs", "told.settled.push(number);", ""),
    ] {
        let mut files = CELL_SITES.iter().chain(GROUP_SITES);
        let (_, part, sites) = files.find(|it| it.0 == file).expect("one of them");
        let text = read(file, *part)?;
        let changed = text.replacen(from, to, 1);
        if changed == text {
            return Err(format!("{file} has no {from}"));
        }
        if compare(file, &changed, sites).is_ok() {
            return Err(format!("{file}: {from} becomes {to}, and nobody notices"));
        }
    }
    Ok(String::new())
}
