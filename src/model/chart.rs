//! A path through a program, for people: a column an agent, a row a step.

use std::fmt::Write;

use super::{
    program::{Agent, Do, Program},
    property::of,
    state::{Entry, Script, System},
    step::{Does, Step},
};

/// Returns the steps as a table in text, with who is stuck where at its end.
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

/// Returns the steps as a Mermaid sequence diagram, in which what one sends to another is an arrow.
#[must_use]
pub fn mermaid(program: &Program, steps: &[Step]) -> String {
    let (rows, last) = rows(program, steps);
    let mut text = "sequenceDiagram\n".to_owned();
    for name in program.names() {
        let _ = writeln!(text, "    participant {}", name.replace(' ', "_"));
    }
    let names: Vec<String> = program.names().map(|name| name.replace(' ', "_")).collect();
    for ((agent, what), step) in rows.iter().zip(steps) {
        let by = &names[usize::from(*agent)];
        let _ = match step.does {
            Does::Tell(to, _) | Does::Post(to, _) => {
                writeln!(text, "    {by}->>{}: {what}", names[usize::from(to)])
            }
            _ => writeln!(text, "    Note over {by}: {what}"),
        };
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
        rows.push((step.agent, takes(program, &mut state, *step)));
    }
    (rows, state)
}

/// Takes a step; what it does, and what it answers if somebody looks at it.
fn takes(program: &Program, state: &mut System, step: Step) -> String {
    let said = says(program, Some(state), step);
    let asked = asks(program, state, step.agent);
    let answer = program.act(state, step).filter(|told| asked || told.is_number());
    said + &answer.map_or_else(String::new, |told| format!(": {told}"))
}

/// A step, and who waits after it.
pub(super) fn line(program: &Program, state: &System, step: Step) -> String {
    let mut state = state.clone();
    let mut text = format!("{}: {}", name(program, step.agent), takes(program, &mut state, step));
    for (name, what) in waiting(program, &state) {
        let _ = write!(text, "\n{name} waits in {what}");
    }
    text
}

/// A step, wherever it is taken.
pub(super) fn action(program: &Program, step: Step) -> String {
    format!("{}: {}", name(program, step.agent), says(program, None, step))
}

/// Whether a script looks at what its next operation answers.
fn asks(program: &Program, state: &System, agent: Agent) -> bool {
    state.top(agent).is_some_and(|frame| {
        let script = program.shape.script(agent, frame.script);
        matches!(script.get(usize::from(frame.at) + 1), Some(Do::Unless(..)))
    })
}

fn says(program: &Program, state: Option<&System>, step: Step) -> String {
    let names = &program.shape.names;
    match step.does {
        Does::Do(what) => {
            let told = match what.waits_for() {
                Some(_) if state.is_some_and(|it| !returns(program, it, step.agent, what)) => {
                    " is refused"
                }
                _ => "",
            };
            format!("{}{told}", names.call(what))
        }
        Does::Part(what) => match what {
            Do::Poll(_) | Do::LoopRead(_) => format!("{} asks", names.call(what)),
            Do::AsCompleted(_) | Do::Wait(_) | Do::WaitFirst(_) | Do::WaitAllTimeout(_) => {
                format!("{} goes on", names.call(what))
            }
            Do::Add(..) if program.rules.stored_before_looked => {
                format!("{} stores", names.call(what))
            }
            Do::Upgrade(_) => format!("{} has a handle", names.call(what)),
            _ => format!("{} looks", names.call(what)),
        },
        Does::Expire(what) => format!("{} expires", names.call(what)),
        Does::Interrupt(what) => format!("{} is interrupted", names.call(what)),
        Does::Begin(piece) => format!("{} begins", names.piece(piece)),
        Does::End => match state.and_then(|it| it.top(step.agent)).map(|frame| frame.script) {
            Some(Script::Piece(piece)) => format!("{} ends", names.piece(piece)),
            Some(Script::Stop(piece)) => format!("{} is settled", names.piece(piece)),
            _ => "ends, and drops its promise".to_owned(),
        },
        Does::Return(it) => format!("gives {} back", names.future(it)),
        Does::Drop(piece) => format!("drops {}", names.piece(piece)),
        Does::Withdraw(piece) => format!("takes {} out of the queue", names.piece(piece)),
        Does::Tell(whom, it) => format!("tells {} of {}", name(program, whom), names.future(it)),
        Does::Post(home, entry) => {
            let what = match entry {
                Entry::Job(piece) | Entry::Call(piece) | Entry::Step(piece) => names.piece(piece),
                Entry::Deliver(it) | Entry::Copy(it) => names.future(it),
            };
            format!("posts {} of {what} to {}", of(entry), name(program, home))
        }
        Does::Take(entry) => match entry {
            Entry::Job(piece) | Entry::Call(piece) | Entry::Step(piece) => {
                format!("takes {} {}", of(entry), names.piece(piece))
            }
            Entry::Deliver(it) | Entry::Copy(it) => {
                format!("takes {} of {}", of(entry), names.future(it))
            }
        },
        Does::Run(piece) => format!("claims job {}", names.piece(piece)),
        Does::Close => "is closed".to_owned(),
        Does::Sweep => "drops what waits".to_owned(),
        Does::Exit => "ends".to_owned(),
    }
}

fn name(program: &Program, agent: Agent) -> &str {
    program.names().nth(usize::from(agent)).unwrap_or_default()
}

fn returns(program: &Program, state: &System, agent: Agent, what: Do) -> bool {
    state.top(agent).is_some_and(|frame| program.may_return(state, agent, frame, what))
}

/// Who has begun something and cannot go on.
fn waiting(program: &Program, state: &System) -> Vec<(String, String)> {
    let names = &program.shape.names;
    let mut all = Vec::new();
    for (name, agent) in program.names().zip(0..) {
        let name = name.to_owned();
        let Some(frame) = state.top(agent) else { continue };
        let next = program.shape.script(agent, frame.script).get(usize::from(frame.at));
        match (program.choice(state, agent), next) {
            (None, Some(Do::Lock(lock))) => {
                let has = state.owner(*lock).and_then(|owner| program.names().nth(owner.into()));
                let has = has.map_or_else(String::new, |owner| format!(", which {owner} has"));
                all.push((name, names.call(Do::Lock(*lock)) + &has));
            }
            (None, Some(what)) => all.push((name, names.call(*what))),
            (Some(Does::Expire(what)), _) => {
                all.push((name, names.call(what) + ", until it expires"))
            }
            _ => {}
        }
    }
    let tasks = state.suspended().map(|(piece, at)| {
        let script = program.shape.script(0, Script::Piece(piece));
        (names.piece(piece), names.call(script[at]))
    });
    if program.shape.names.futures.is_empty() {
        all
    } else {
        all.into_iter().chain(tasks).collect()
    }
}
