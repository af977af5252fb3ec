//! How a loop is told: a run of the model, with the states beside it.

use std::collections::{HashMap, VecDeque};

use settled::{
    machine::State,
    model::{Does, Plan, Program, Step, System, property},
};
use stateright::Model as _;

use crate::svg::Picture;

/// The loop, by its number, and the future.
const HOME: u8 = 0;
const F0: u8 = 0;

/// A worker settles a future of whose view a loop has a callback.
fn program() -> Program {
    let mut plan = Plan::new();
    let f0 = plan.future("f0");
    let event_loop = plan.event_loop("loop");
    plan.first(event_loop, |it| {
        it.view_add_done_callback(f0, "callback", |_| ());
    });
    plan.thread("worker", |it| {
        it.start(f0);
        it.finish(f0);
    });
    plan.build().expect("it is a program")
}

/// The first of the shortest runs to the end, in the order of who takes part.
fn run(program: &Program) -> Vec<(Step, System)> {
    let begin = program.init_states().remove(0);
    let mut from: HashMap<System, Option<(Step, System)>> = HashMap::from([(begin.clone(), None)]);
    let mut next = VecDeque::from([begin]);
    while let Some(state) = next.pop_front() {
        if property::ended(program, &state) {
            let mut run = Vec::new();
            let mut at = state;
            while let Some((step, before)) = from[&at].clone() {
                run.push((step, at));
                at = before;
            }
            run.reverse();
            return run;
        }
        let mut steps = Vec::new();
        program.actions(&state, &mut steps);
        for step in steps {
            let after = program.next_state(&state, step).expect("it can be taken");
            if !from.contains_key(&after) {
                from.insert(after.clone(), Some((step, state.clone())));
                next.push_back(after);
            }
        }
    }
    panic!("the program does not end");
}

/// Where the columns have their middle.
const WORKER: i32 = 120;
const CELL: i32 = 300;
const QUEUE: i32 = 420;
const VIEW: i32 = 540;
const LOOP: i32 = 710;

/// How high a row is, and where the first begins.
const ROW: i32 = 46;
const TOP: i32 = 84;

/// Draws what something is, from row to row, as one bar as long as it is the same.
fn bar(picture: &mut Picture, middle: i32, states: &[State]) {
    let mut first = 0;
    for part in states.chunk_by(|one, next| one == next) {
        let rows = i32::try_from(part.len()).unwrap();
        let (y, height) = (TOP + first * ROW, rows * ROW - 4);
        let class = if part[0].is_settled() { "loop" } else { "cell" };
        picture.rect(class, (middle - 44, y), (88, height));
        picture.text("mid", (middle, y + height / 2 + 5), &part[0].to_string());
        first += rows;
    }
}

pub(crate) fn draw() -> String {
    let program = program();
    let run = run(&program);
    let (names, said): (Vec<_>, Vec<_>) = run
        .iter()
        .map(|(step, _)| {
            let text = program.format_action(step);
            let (name, said) = text.split_once(": ").expect("somebody takes it");
            (name.to_owned(), said.to_owned())
        })
        .unzip();
    let rows = i32::try_from(run.len()).unwrap();
    let told: Vec<_> =
        names.iter().zip(&said).map(|(who, what)| format!("{who}: {what}.")).collect();
    let mut picture =
        Picture::new((840, TOP + rows * ROW + 20), "How a loop is told", &told.join(" "));
    let heads = [
        (WORKER, "worker", "a thread"),
        (CELL, "the future", "in the cell"),
        (QUEUE, "queue", "of the loop"),
        (VIEW, "its view", "what the loop sees"),
        (LOOP, "loop", "one turn after another"),
    ];
    for (middle, name, what) in heads {
        picture.text("big mid", (middle, 34), name);
        picture.text("soft mid", (middle, 54), what);
    }
    let cell: Vec<_> = run.iter().map(|(_, state)| state.future(F0).state()).collect();
    // A view is shown the end as it is, or nothing yet.
    let shown = |(state, end): (&System, &State)| {
        if program.shows(state, HOME, F0) { *end } else { State::Pending }
    };
    let view: Vec<_> = run.iter().map(|(_, state)| state).zip(&cell).map(shown).collect();
    bar(&mut picture, CELL, &cell);
    bar(&mut picture, VIEW, &view);
    for (((step, state), (name, said)), row) in run.iter().zip(names.iter().zip(&said)).zip(0..) {
        let y = TOP + row * ROW;
        let of_loop = name == "loop";
        let (class, middle, half) =
            if of_loop { ("loop", LOOP, 100) } else { ("thread", WORKER, 100) };
        picture.rect(class, (middle - half, y), (2 * half, ROW - 4));
        let mut said = said.replace(" to loop", "");
        if let Some((head, _)) = said.split_once(" of f0") {
            said = head.to_owned();
        }
        picture.text("code mid", (middle, y + ROW / 2 + 2), &said);
        for place in 0..i32::try_from(state.queued(HOME)).unwrap() {
            picture.rect("plain", (QUEUE - 12 + place * 28, y + 7), (24, 28));
        }
        let across = y + ROW / 2 - 2;
        match step.does {
            Does::Post(..) => {
                picture.arrow("thread", &[(WORKER + half + 2, across), (QUEUE - 14, across)])
            }
            Does::Take(_) => {
                picture.arrow("loop", &[(QUEUE, y - 8), (QUEUE, across), (LOOP - half - 2, across)])
            }
            _ => {}
        }
    }
    picture.finish()
}
