//! The places in the code that the steps stand for.
//!
//! Every function of the cell, of the parker, of the inbox and of those who wait or call callbacks is here that takes a
//! lock, decides, looks at the clock, tells, calls or goes on to such a function, with what it does of that, in the order of
//! the text. Something new, renamed, left out or moved is seen; what the text between means is not.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use crate::{cell::CELL, gate, group::GROUP, line, system::Protocol};

/// Texts in the code, or the names of steps.
pub(crate) type Acts = &'static [&'static str];

/// What a function does with what others may see.
const ACTS: Acts = &[
    "lock(",
    "try_lock(",
    ".on(",
    "slot.write(",
    ".slot().write(",
    ".slot().take()",
    "compare_exchange_weak(",
    "load(",
    ".guess(",
    ".look()",
    ".look_as(",
    "look_at_word()",
    ".seems(",
    ".seemingly()",
    ".seemingly_not(",
    "tell(self.all",
    "tell(all.",
    "calls.push(",
    "Waiter::notify",
    "group.enter(",
    ".tell_first(",
    ".settled = ",
    "word().settled()",
    "word().is(",
    ".step(",
    ".try_step(",
    ".apply(",
    "decide(",
    "Word::register",
    "Word::register_callback",
    "Word::clear_callbacks",
    "Word::is_listed",
    "Word::release",
    "Word::take",
    "Word::take_or_leave",
    "Word::upgrade",
    "Word::share",
    "Word::lend",
    "Word::leave",
    "Word::give_back",
    "word.start()",
    "word.cancel_weakly(",
    "Word::cancel",
    ".cancel_by(",
    "word.register(",
    "word.settle(",
    "word.finishes(",
    ".hold()",
    "leave_and_tell(",
    "take_or_leave()",
    ".another(",
    ".one_more(",
    ".end(",
    ".free()",
    ".release()",
    ".give_up(",
    ".give_up_listed(",
    ".give_up_so(",
    ".free_with_value()",
    ".slot().take_value()",
    "settles(",
    ".settle_so(",
    ".settle_listed(",
    ".cancel_so(",
    ".cancel_listed(",
    ".taken(",
    ".count_weak()",
    ".uncount_weak()",
    "weak.fetch_add(",
    "weak.fetch_sub(",
    "Open::of(",
    "Open::try_of(",
    "list.enter(",
    ".enter_list(",
    "list.settled(",
    "list.push(",
    "list.take_waiters(",
    "list.take_callbacks()",
    "lock().remove(",
    "lock().wakes(",
    "lock().is_awaited_on(",
    ".place.0.with(",
    ".place.0.with_mut(",
    ".put(",
    ".put_list(",
    ".grown()",
    "self.take()",
    "list.split(",
    "waiters.enter(",
    "waiters.remove(",
    "waiters.take(",
    "waiters.take_all()",
    "waiters.split(",
    "waiters.wakes(",
    "self.first = ",
    "list.waiters.first = ",
    "first.take_if(",
    "first.take()",
    "others.push(",
    "others[at].1.take()",
    "others.extract_if(",
    "take(&mut self.others)",
    "lock().take()",
    "callbacks.push(",
    "replace(&mut list.callbacks",
    "drop(list)",
    "is_settled()",
    "is_over(",
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
    "wake(waker)",
    ".pay(",
    ".call(",
    "home.settled(",
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
    "defer(",
    "deferred::run(",
];

/// A function, what it does, and the steps that it is a part of.
pub(crate) type Site = (&'static str, &'static str, &'static str);

/// A file, what of it is meant, and its functions in order.
pub(crate) type File = (&'static str, [&'static str; 2], &'static [Site]);

/// What `super::cell` stands for.
const CELL_SITES: &[File] = &[
    (
        "cell/word.rs",
        ["", ""],
        &[
            ("is_over", "is_settled() is_settled()", "register register-late look"),
            ("is_unread", "is_settled()", ""),
            ("start", ".on(", "start"),
            ("finishes", ".on(", ""),
            ("settle", ".on( .leave( .hold()", "finish stop abandon"),
            ("cancel", "is_settled() .on( is_settled()", "cancel"),
            ("register", "is_over(", "register register-late"),
            ("register_callback", "is_settled()", "register-callback register-callback-late"),
            ("clear_callbacks", "is_settled()", "clear"),
            ("upgrade", "is_settled() is_over(", ""),
            ("give_back", "leave_and_tell(", "give-back"),
            ("leave", "leave_and_tell(", ""),
            ("leave_and_tell", ".hold() is_over( .hold()", "give-back"),
            ("take", "take_or_leave()", ""),
            ("take_or_leave", ".leave( .leave(", ""),
        ],
    ),
    (
        "cell/atom.rs",
        ["", ""],
        &[
            ("look", ".look_as(", "look"),
            ("look_as", "load(", "look"),
            ("settled", ".seemingly()", ""),
            ("seemingly", ".guess(", ""),
            ("seems", ".seemingly()", ""),
            ("is", ".seemingly_not(", "look"),
            ("seemingly_not", ".guess( .look_as(", "look"),
            ("try_step", "compare_exchange_weak(", "finish stop cancel abandon"),
            ("release", ".apply( Word::release", ""),
            (
                "step",
                ".guess( decide( .look_as( compare_exchange_weak( .look_as(",
                "finish stop cancel abandon",
            ),
            ("apply", ".step(", "register register-callback clear"),
            ("guess", ".guess(", ""),
        ],
    ),
    (
        "cell/slot.rs",
        ["", ""],
        &[("write", "slot.write(", "finish abandon"), ("take_value", "slot.write(", "")],
    ),
    (
        "cell/list.rs",
        ["", ""],
        &[
            ("split", "waiters.split(", "finish stop cancel abandon"),
            ("tell", "tell(self.all", "tell"),
            ("tell", "calls.push( .notify() Waiter::notify", "tell"),
            ("enter", "self.first = others.push(", "register"),
            ("remove", "first.take_if( others[at].1.take()", "deregister give-up drop"),
            ("take", "first.take_if( others.extract_if(", "finish stop abandon give-back"),
            ("take_all", "first.take() take(&mut self.others)", "tell"),
        ],
    ),
    (
        "cell/place.rs",
        ["", ""],
        &[
            ("of", "lock(", ""),
            ("try_of", "try_lock(", ""),
            ("put", ".place.0.with_mut(", ""),
            ("take", ".place.0.with( .put(", "finish stop cancel abandon"),
            ("put_list", ".put(", ""),
            ("as_list", ".place.0.with_mut(", ""),
            (
                "grown",
                "self.take() callbacks.push( list.waiters.first = .put_list(",
                "register register-callback",
            ),
            ("waker", ".place.0.with(", ""),
            ("enter", ".enter_list( .enter_list( .put(", "register"),
            ("enter_list", ".grown() waiters.enter(", "register"),
            ("remove", "waiters.remove( self.take()", "deregister give-up drop"),
            ("take_waiters", "waiters.take( self.take()", "give-back"),
            (
                "settled",
                "list.split( self.take() .put_list( self.take()",
                "finish stop cancel abandon",
            ),
            ("push", "callbacks.push( .put( .grown() callbacks.push(", "register-callback"),
            ("take_callbacks", "replace(&mut list.callbacks self.take()", "clear"),
            ("wakes", "waiters.wakes(", "stay move"),
        ],
    ),
    (
        "cell/settle.rs",
        ["", ""],
        &[
            ("wake", ".tell( .tell(", "tell"),
            ("pay", "deferred::run( .tell( deferred::run( .tell(", "tell call"),
            // Who listens for the producer is in no step: it is told of a request, and that nobody is left.
            ("tell", "wake(waker) .unpark() .tell( .tell(", "tell"),
            ("tell", "waiters.take_all() tell(all.", "tell"),
            ("settles", "word.settle( .settle(", "finish stop abandon"),
            (
                "settle",
                "word.finishes( .slot().write( word.settle( .settle( .try_step( .call( .settle_so(",
                "finish stop abandon",
            ),
            (
                "settle_so",
                ".seems( Word::is_listed .settle_listed( list.settled( drop(list) .call( .pay( .release() .end( .call( .tell( \
                 .step( settles( .end( .call( lock( lock().take() .end( .call( .tell( .slot().take()",
                "finish stop abandon",
            ),
            ("settle_listed", "lock( settles( .step(", "finish stop abandon"),
            ("cancel", ".cancel_by( Word::cancel", "cancel"),
            ("cancel_by", ".seemingly() .try_step( .cancel_so(", "cancel"),
            ("cancel_so", ".seems( .step( .cancel_listed(", "cancel"),
            (
                "cancel_listed",
                "lock( look_at_word() is_settled() .grown() .step( list.settled( list.take_waiters( drop(list) .tell(",
                "cancel",
            ),
        ],
    ),
    (
        "cell/handle.rs",
        ["", ""],
        &[
            ("look_at_word", ".look()", "look"),
            ("lock", "Open::of(", ""),
            ("state", "look_at_word()", ""),
            ("is_settled", "is_settled()", "look"),
            ("outcome", "word().settled()", ""),
            ("cancelled", "lock( .grown()", ""),
            ("look", "load(", ""),
            ("is_unread", "look_at_word() load(", ""),
            ("start", ".step( word.start()", "start"),
            ("reason", "look_at_word() lock(", ""),
            ("another", ".one_more(", ""),
            ("one_more", ".apply(", ""),
            (
                "give_up",
                ".seemingly() .try_step( word().is( .free_with_value() .give_up_so(",
                "give-back",
            ),
            ("give_up_so", ".seems( .give_up_listed( .tell( .step( .end(", "give-back"),
            (
                "give_up_listed",
                "lock( .step( list.take_waiters( drop(list) .release()",
                "give-back",
            ),
            ("end", ".slot().take() .free() .release()", ""),
            ("free_with_value", ".slot().take_value() .free()", ""),
            ("release", ".release() .free()", ""),
            ("free", ".end(", ""),
            ("count_weak", "weak.fetch_add( .apply( .hold()", ""),
            ("uncount_weak", "weak.fetch_sub( .release()", ""),
            ("debug", "look_at_word() Open::try_of(", ""),
            ("clone", ".another( Word::share", ""),
            ("drop", ".give_up( Word::leave", ""),
        ],
    ),
    (
        "cell/producer.rs",
        ["", ""],
        &[
            ("give", "word.settle( .settle( .seemingly_not( .settle(", "finish"),
            ("finish", ".settle(", "finish"),
            ("end", ".settle(", "stop abandon"),
            ("settle", ".seemingly() .settle(", "finish stop abandon"),
            ("drop", ".seemingly() .settle(", "abandon"),
        ],
    ),
    (
        "cell/lend.rs",
        ["", ""],
        &[
            ("drop", ".give_up( Word::give_back", "give-back return-late tell"),
            ("lend", ".another( Word::lend", "lend-late"),
            ("take", "word().is( .free_with_value() .taken( Word::take", ""),
            ("take_or_leave", ".taken( Word::take Word::take_or_leave", ""),
            ("taken", ".look() .step( .end(", ""),
        ],
    ),
    (
        "cell/weak.rs",
        ["", ""],
        &[
            ("of", ".count_weak()", ""),
            ("upgrade", ".one_more( Word::upgrade", ""),
            ("cancel", "word.cancel_weakly( .cancel_by( deferred::run(", "cancel"),
            ("drop", ".uncount_weak()", ""),
            ("fmt", "look_at_word()", ""),
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
                "lock( .apply( word.register( .register( list.enter(",
                "register register-late",
            ),
            ("is_awaited_on", "lock( lock().is_awaited_on(", ""),
            ("deregister", "lock( lock().remove(", "deregister give-up drop"),
            (
                "register_callback",
                "lock( .apply( Word::register Word::register_callback list.push(",
                "register-callback register-callback-late",
            ),
            (
                "clear_callbacks",
                "lock( .apply( Word::clear_callbacks list.take_callbacks()",
                "clear",
            ),
            ("is_over", "look_at_word() is_over(", "look"),
            ("is_over_already", "word().is( is_over(", "look"),
            (
                "park_until",
                ".register_until( is_over( is_over( .deregister( is_over( .park( .deregister(",
                "register register-late clock look deregister check leave",
            ),
            (
                "poll",
                "is_over( is_current( .leave( .register_until(",
                "look poll give-up register register-late",
            ),
            ("is_current", "lock( lock().wakes(", "stay move"),
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
        &[
            ("notify", ".unpark() wake(waker) .tell( home.settled(", "tell"),
            ("wake", ".wake()", "tell"),
        ],
    ),
    ("settled.rs", ["", ""], &[("result", ".look()", ""), ("give", "take_or_leave()", "")]),
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
            ("tell_first", "lock( .settled =", "ask"),
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
            ("register", "group.enter( .tell_first(", "ask"),
            ("enter", "is_over( first.take() .tell_first( .register_until( .tell(", "ask"),
            ("lends_again", "is_over( .register_until(", "ask"),
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

/// Each protocol with its sites and what is looked for in them, and with what none of their functions does: the clock, the
/// system that wakes a sleeper for no reason, and what others do.
const ALL: [(Protocol, &[File], Acts, Acts); 4] = [
    (CELL, CELL_SITES, ACTS, &["expire", "spurious"]),
    (GROUP, GROUP_SITES, ACTS, &["expire", "spurious", "settle"]),
    (line::LINE, line::SITES, line::ACTS, &["choose"]),
    (gate::GATE, gate::SITES, gate::ACTS, gate::OF_THE_LINE),
];

/// The name of the function whose head this line is.
fn head(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "const", "unsafe"];
    let is_head = before.split_whitespace().all(|word| words.contains(&word));
    is_head.then(|| rest.split(['(', '<']).next().unwrap_or_default())
}

/// What is done of these, in order.
fn acts(code: &str, of: Acts) -> String {
    let is_whole = |at: usize, act: &str| {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !(act.starts_with(joins) && code[..at].ends_with(joins))
    };
    let found = of.iter().flat_map(|act| code.match_indices(act));
    let mut found: Vec<_> = found.filter(|(at, act)| is_whole(*at, act)).collect();
    found.sort_unstable();
    let found: Vec<_> = found.iter().map(|(_, act)| act.trim_end()).collect();
    found.join(" ")
}

/// The functions of a text that do something of these, in order, each with what it does.
fn scan(text: &str, of: Acts) -> Vec<(&str, String)> {
    let mut functions: Vec<(&str, String)> = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        if let Some(name) = head(line) {
            functions.push((name, String::new()));
        } else if let Some((_, code)) = functions.last_mut() {
            *code += line;
            *code += "\n";
        }
    }
    let functions = functions.into_iter().map(|(name, code)| (name, acts(&code, of)));
    functions.filter(|(_, acts)| !acts.is_empty()).collect()
}

/// Fails unless these are the sites of the text.
fn compare(file: &str, text: &str, sites: &[Site], of: Acts) -> Result<(), String> {
    let found = scan(text, of);
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
    for (protocol, files, acts, of_others) in ALL {
        let mut named: BTreeSet<_> = of_others.iter().copied().collect();
        for (file, part, sites) in files {
            compare(file, &read(file, *part)?, sites, acts)?;
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
        ("cell/settle.rs", "list.settled(then == Then::Lend)", "list.take()"),
        ("cell/settle.rs", "        drop(list);\n", ""),
        ("cell/place.rs", "self.put_list(rest);", ""),
        ("cell/atom.rs", "self.0.compare_exchange_weak(", "self.0.store("),
        ("cell/word.rs", "self.state().on(Event::Cancel)", "Step::To(State::Cancelled)"),
        (
            "cell/wait.rs",
            "            return Err(waiter);\n        }\n",
            "return Err(waiter);\n}\ndrop(list);\nlet mut list = self.lock();\n",
        ),
        ("cell/wait.rs", "let expired = is_over(deadline);", ""),
        ("cell/handle.rs", "fn address(", "fn peek(&self) {\nself.lock();\n}\nfn address("),
        ("sync.rs", "*token = false;", ""),
        ("cell/settle.rs", "held.into_kind().tell(false);", "held;"),
        ("inbox.rs", "told.settled.push(number);", ""),
        ("primitives/waits.rs", "self.word.swap(Word::CLOSED.bits(), ", "self.word.load("),
        ("primitives/waits.rs", "        let left = machine.leave(ticket);\n", ""),
        ("primitives/permits.rs", "self.line.grant();", "None;"),
        ("primitives/line.rs", "self.waiting.pop()?", "self.waiting.take_all().last()?"),
        ("primitives/gate.rs", "self.line.grant_all()", "self.line.grant().into_iter()"),
        ("primitives/event.rs", "told.for_each(Waiter::notify);", "told.for_each(drop);"),
    ] {
        let all = ALL.iter().flat_map(|it| it.1.iter().map(|file| (file, it.2)));
        let mut files = all.filter(|it| it.0.0 == file);
        let ((_, part, sites), acts) = files.next().expect("one of them");
        let text = read(file, *part)?;
        let changed = text.replacen(from, to, 1);
        if changed == text {
            return Err(format!("{file} has no {from}"));
        }
        if compare(file, &changed, sites, acts).is_ok() {
            return Err(format!("{file}: {from} becomes {to}, and nobody notices"));
        }
    }
    Ok(String::new())
}
