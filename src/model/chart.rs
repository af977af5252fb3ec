//! A path through a program, for people: a column an agent, a row a step.

use std::fmt::Write;

use super::{
    own::Put,
    program::{Agent, Do, Program},
    property::of,
    state::{Entry, Script, System},
    step::{Does, Step},
};

/// The steps as a table in text, with who is stuck where at its end.
#[must_use]
pub fn chart(program: &Program, steps: &[Step]) -> String {
    let (rows, last) = rows(program, steps);
    let names: Vec<&str> = program.names().collect();
    let width = |agent: usize| {
        let cells = rows.iter().filter(|(of, _)| usize::from(*of) == agent);
        cells.map(|(_, text)| text.chars().count()).max().unwrap_or(0).max(names[agent].len()) + 2
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: &[&str]| {
        let mut row = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(row, "{cell:<width$}");
        }
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line(&names);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width - 2)).collect();
    line(&rule.iter().map(String::as_str).collect::<Vec<_>>());
    for (agent, what) in &rows {
        let mut cells = vec![""; names.len()];
        cells[usize::from(*agent)] = what;
        line(&cells);
    }
    for (name, what) in waiting(program, &last) {
        let _ = writeln!(text, "{name} waits in {what}");
    }
    text
}

/// The steps as a Mermaid sequence diagram.
#[must_use]
pub fn mermaid(program: &Program, steps: &[Step]) -> String {
    let (rows, last) = rows(program, steps);
    let mut text = "sequenceDiagram\n".to_owned();
    for name in program.names() {
        let _ = writeln!(text, "    participant {}", name.replace(' ', "_"));
    }
    let names: Vec<String> = program.names().map(|name| name.replace(' ', "_")).collect();
    for (agent, what) in rows {
        let _ = writeln!(text, "    Note over {}: {what}", names[usize::from(agent)]);
    }
    for (name, what) in waiting(program, &last) {
        let _ = writeln!(text, "    Note over {}: waits in {what}", name.replace(' ', "_"));
    }
    text
}

/// What each step does, and the state after all of them.
fn rows(program: &Program, steps: &[Step]) -> (Vec<(Agent, String)>, System) {
    let mut state = program.begin();
    let mut rows = Vec::new();
    for step in steps {
        let said = says(program, &state, *step);
        let asked = asks(program, &state, step.agent);
        let answer = program.act(&mut state, *step).filter(|told| asked || told.is_number());
        let answer = answer.map_or_else(String::new, |told| format!(": {told}"));
        rows.push((step.agent, said + &answer));
    }
    (rows, state)
}

/// Whether a script looks at what its next operation answers.
fn asks(program: &Program, state: &System, agent: Agent) -> bool {
    state.top(agent).is_some_and(|frame| {
        let script = program.shape.script(agent, frame.script);
        matches!(script.get(usize::from(frame.at) + 1), Some(Do::Unless(..)))
    })
}

fn says(program: &Program, state: &System, step: Step) -> String {
    match step.does {
        Does::Do(what) => {
            let told = match what.waits_for() {
                Some(_) if !returns(program, state, step.agent, what) => " is refused",
                _ => "",
            };
            format!("{}{told}", call(what))
        }
        Does::Part(what) => match what {
            Do::Poll(_) | Do::LoopRead(_) => format!("{} asks", call(what)),
            Do::ShutdownNow => format!("{} drops a job", call(what)),
            Do::AsCompleted(_) | Do::Wait(_) | Do::WaitFirst(_) | Do::WaitTimeout(_) => {
                format!("{} goes on", call(what))
            }
            Do::Add(..) if program.rules.stored_before_looked => format!("{} stores", call(what)),
            _ => format!("{} looks", call(what)),
        },
        Does::Expire(what) => format!("{} expires", call(what)),
        Does::Begin(piece) => format!("#{piece} begins"),
        Does::End => match state.top(step.agent).map(|frame| frame.script) {
            Some(Script::Piece(piece)) => format!("#{piece} ends"),
            Some(Script::Stop(piece)) => format!("#{piece} is settled"),
            _ => "ends, and drops its promise".to_owned(),
        },
        Does::Tell(whom, it) => format!("tells {} of f{it}", name(program, whom)),
        Does::Post(home, entry) => {
            let what = match entry {
                Entry::Job(piece) | Entry::Call(piece) | Entry::Step(piece) => format!("#{piece}"),
                Entry::Deliver(it) | Entry::Copy(it) => format!("f{it}"),
            };
            format!("posts {} of {what} to {}", of(entry), name(program, home))
        }
        Does::Take(entry) => match entry {
            Entry::Job(piece) | Entry::Call(piece) | Entry::Step(piece) => {
                format!("takes {} #{piece}", of(entry))
            }
            Entry::Deliver(it) | Entry::Copy(it) => format!("takes {} of f{it}", of(entry)),
        },
        Does::Run(piece) => format!("claims job #{piece}"),
        Does::Close => "is closed".to_owned(),
        Does::Sweep => "drops what waits".to_owned(),
        Does::Exit => "ends".to_owned(),
    }
}

fn name(program: &Program, agent: Agent) -> &'static str {
    program.names().nth(usize::from(agent)).unwrap_or_default()
}

fn returns(program: &Program, state: &System, agent: Agent, what: Do) -> bool {
    state.top(agent).is_some_and(|frame| program.may_return(state, agent, frame, what))
}

/// Who has begun something and cannot go on.
fn waiting(program: &Program, state: &System) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (name, agent) in program.names().zip(0..) {
        let Some(frame) = state.top(agent) else { continue };
        let next = program.shape.script(agent, frame.script).get(usize::from(frame.at));
        match (program.choice(state, agent), next) {
            (None, Some(what)) => all.push((name, call(*what))),
            (Some(Does::Expire(what)), _) => all.push((name, call(what) + ", until it expires")),
            _ => {}
        }
    }
    all
}

/// An operation as a call.
fn call(what: Do) -> String {
    let these = |name: &str, it: super::Futures| {
        let all: Vec<String> = it.iter().map(|it| format!("f{it}")).collect();
        format!("{name}({})", all.join(", "))
    };
    match what {
        Do::Start(it) => format!("start(f{it})"),
        Do::Finish(it) => format!("finish(f{it})"),
        Do::Fail(it) => format!("fail(f{it})"),
        Do::Panic(it) => format!("panicked(f{it})"),
        Do::Abandon(it) => format!("drop of the promise of f{it}"),
        Do::Cancel(it) => format!("cancel(f{it})"),
        Do::Done(it) => format!("done(f{it})"),
        Do::Read(it) => format!("try_result(f{it})"),
        Do::Result(it) => format!("result(f{it})"),
        Do::ResultTimeout(it) => format!("result_timeout(f{it})"),
        Do::Poll(it) => format!("until done(f{it})"),
        Do::Add(it, piece) => format!("add(f{it}, #{piece})"),
        Do::Wait(it) => these("wait", it),
        Do::WaitFirst(it) => these("wait_first", it),
        Do::WaitTimeout(it) => these("wait_timeout", it),
        Do::AsCompleted(it) => these("as_completed", it),
        Do::LoopDone(it) => format!("view.done(f{it})"),
        Do::LoopRead(it) => format!("view.result(f{it})"),
        Do::LoopCancel(it) => format!("view.cancel(f{it})"),
        Do::LoopAdd(it, piece) => format!("view.add(f{it}, #{piece})"),
        Do::LoopRemove(it, piece) => format!("view.remove(f{it}, #{piece})"),
        Do::Await(it) => format!("await f{it}"),
        Do::AwaitOf(_, it) => format!("await another loop's f{it}"),
        Do::Post(_, piece) => format!("post(#{piece})"),
        Do::Spawn(piece) => format!("spawn(#{piece})"),
        Do::Stop => "stop()".to_owned(),
        Do::Close => "close()".to_owned(),
        Do::Submit(piece) => format!("submit(#{piece})"),
        Do::Shutdown => "shutdown()".to_owned(),
        Do::ShutdownNow => "shutdown(cancel)".to_owned(),
        Do::Join => "join()".to_owned(),
        Do::Lock(lock) => format!("lock(m{lock})"),
        Do::Unlock(lock) => format!("unlock(m{lock})"),
        Do::Load(it) => format!("load(v{it})"),
        Do::Store(it, Put::Number(number)) => format!("store(v{it}, {number})"),
        Do::Store(it, Put::Loaded(plus)) => format!("store(v{it}, loaded{plus:+})"),
        Do::Change(it, by) => format!("change(v{it}, {by:+})"),
        Do::Assert(it, is) => format!("assert(v{it} {is})"),
        Do::Send(it, number) => format!("send(c{it}, {number})"),
        Do::Recv(it) => format!("recv(c{it})"),
        Do::Disconnect(it) => format!("close(c{it})"),
        Do::Unless(..) | Do::Skip(_) => String::new(),
        Do::Panics => "panics".to_owned(),
    }
}
