//! The places in the code that the steps stand for.
//!
//! Every function of the cell, of the parker, of the inbox and of those who wait or call callbacks is here that takes a
//! lock, decides, looks at the clock, tells, calls or goes on to such a function, with what it does of that, in the order of
//! the text. Something new, renamed, left out or moved is seen; what the text between means is not.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use crate::{cell::CELL, group::GROUP, system::Protocol};

/// What a function does with what others may see.
const ACTS: &[&str] = &[
    "lock(",
    "try_lock(",
    ".on(",
    "slot.write(",
    ".slot().write(",
    "inner.word = ",
    "word.start()",
    "word.cancel()",
    "word.clear_callbacks()",
    "word.leave_weak()",
    "word.take()",
    "word.take_or_leave()",
    "Word::share_weak",
    "Word::upgrade",
    "Word::share",
    "Word::lend",
    "Word::leave",
    "Word::give_back",
    "step(",
    ".another(",
    ".one_more(",
    ".end(",
    ".give_up(",
    "tell_of(",
    "waiters.enter(",
    "waiters.remove(",
    "waiters.take(",
    "waiters.take_all()",
    "waiters.take_others(",
    "waiters.wakes(",
    "places.push(",
    "places.remove(",
    "places.extract_if(",
    "take(&mut self.places)",
    "replace(&mut self.places",
    "take(&mut inner.callbacks)",
    "drop(inner)",
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
        "cell/word.rs",
        ["", ""],
        &[
            ("is_over", "is_settled() is_settled()", "register register-late look"),
            ("is_unread", "is_settled()", ""),
            ("start", ".on(", "start"),
            ("settle", ".on( .leave( .leave(", "finish stop abandon"),
            ("cancel", ".on( is_settled()", "cancel"),
            ("request", ".tell(", "cancel"),
            ("register", "is_over(", "register register-late"),
            ("register_callback", "is_settled()", "register-callback register-callback-late"),
            ("upgrade", "is_settled() is_over(", ""),
            ("give_back", ".leave( is_over( .tell(", "give-back"),
            ("leave", "is_over( .tell(", ""),
            ("take", ".leave(", ""),
            ("take_or_leave", ".leave(", ""),
        ],
    ),
    ("cell/slot.rs", ["", ""], &[("write", "slot.write(", "finish stop cancel abandon")]),
    (
        "cell/list.rs",
        ["", ""],
        &[
            ("enter", "places.push(", "register"),
            ("remove", "places.remove(", "deregister give-up drop"),
            ("take", "places.extract_if(", "finish stop abandon give-back"),
            ("take_all", "take(&mut self.places)", "finish stop cancel abandon"),
            ("take_others", "replace(&mut self.places", "finish stop abandon"),
        ],
    ),
    (
        "cell/settle.rs",
        ["", ""],
        &[
            ("wake", ".notify()", "tell"),
            // Who listens for the producer is in no step: it is told of a request, and that nobody is left.
            ("tell", ".notify()", "tell"),
            ("tell_of", "waiters.take( drop(inner)", "give-back"),
            (
                "apply",
                ".slot().write( inner.word = waiters.take_others( waiters.take_all() take(&mut inner.callbacks)",
                "finish stop cancel abandon",
            ),
            (
                "settle",
                "lock( .settle( inner.word = .end( .apply( drop(inner) .end(",
                "finish stop abandon",
            ),
            // What it tells besides is the owner, who is asked.
            (
                "cancel",
                "lock( is_settled() word.cancel() .apply( inner.word = waiters.take( drop(inner) .notify()",
                "cancel",
            ),
        ],
    ),
    (
        "cell/handle.rs",
        ["", ""],
        &[
            ("lock", "lock(", ""),
            ("state", "lock(", ""),
            ("is_settled", "is_settled()", "look"),
            ("is_unread", "lock(", ""),
            ("is_only", "lock(", ""),
            ("start", "lock( inner.word = word.start()", "start"),
            ("cancel_reason", "lock(", ""),
            ("another", ".one_more(", ""),
            ("one_more", "lock( inner.word = step( drop(inner)", ""),
            ("give_up", "lock( step( inner.word = .end( tell_of(", "give-back"),
            ("end", "drop(inner)", ""),
            ("free", ".end(", ""),
            ("word_now", "try_lock(", ""),
            ("debug", "try_lock(", ""),
            ("clone", ".another( Word::share", ""),
            ("drop", ".give_up( Word::leave", ""),
        ],
    ),
    (
        "cell/producer.rs",
        ["", ""],
        &[
            ("finish", ".settle(", "finish"),
            ("end", ".settle(", "stop abandon"),
            ("drop", ".settle(", "abandon"),
        ],
    ),
    (
        "cell/lend.rs",
        ["", ""],
        &[
            ("drop", ".give_up( Word::give_back", "give-back return-late tell"),
            ("lend", ".another( Word::lend", "lend-late"),
            ("take", "lock( word.take() inner.word = .end( drop(inner) drop(inner)", ""),
            ("take_or_leave", "lock( word.take_or_leave() inner.word = .end( drop(inner)", ""),
        ],
    ),
    (
        "cell/weak.rs",
        ["", ""],
        &[
            ("of", ".another( Word::share Word::share_weak", ""),
            ("upgrade", ".one_more( Word::upgrade", ""),
            ("drop", "lock( word.leave_weak() inner.word = drop(inner)", ""),
        ],
    ),
    ("output.rs", ["", ""], &[("poll", ".leave(", ""), ("drop", ".leave(", "drop")]),
    (
        "cell/wait.rs",
        ["", ""],
        &[
            ("register", ".register_until(", "register register-late"),
            (
                "register_until",
                "lock( .register( inner.word = waiters.enter(",
                "register register-late",
            ),
            ("is_awaited_on", "lock(", ""),
            ("deregister", "lock( waiters.remove(", "deregister give-up drop"),
            (
                "register_callback",
                "lock( .register_callback( inner.word = callbacks.push(",
                "register-callback register-callback-late",
            ),
            (
                "clear_callbacks",
                "lock( inner.word = word.clear_callbacks() take(&mut inner.callbacks)",
                "clear",
            ),
            ("is_over", "lock( is_over(", "look"),
            (
                "park_until",
                ".register_until( is_over( is_over( .deregister( is_over( .park( .deregister(",
                "register register-late clock look deregister check leave",
            ),
            ("poll", "is_current( .leave( .register_until(", "poll give-up register register-late"),
            ("is_current", "lock( waiters.wakes(", "stay move"),
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
    (
        "thread/several.rs",
        ["", ""],
        &[
            ("wait_for_all", ".inbox.take( .hear( group.sleep(", "begin take go-on"),
            ("select", "group.sleep(", "begin go-on"),
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
        ("cell/lend.rs", "this.give_up(Word::give_back)", "this.give_up(Word::leave)"),
        ("cell/settle.rs", "waiters.take_others(Until::Returned)", "waiters.take_all()"),
        ("cell/word.rs", "self.state.on(Event::Cancel)", "Step::To(State::Cancelled)"),
        (
            "cell/wait.rs",
            "        inner.word = word;\n        Ok(",
            "drop(inner);\nlet mut inner = self.lock();\nOk(",
        ),
        ("cell/wait.rs", "let expired = is_over(deadline);", ""),
        ("cell/handle.rs", "fn address(", "fn peek(&self) {\nself.lock();\n}\nfn address("),
        (
            "cell/settle.rs",
            "inner.word = word;\n                if then == Then::Free",
            "if then == Then::Free",
        ),
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
