//! The machine, as its table has it.

use settled::machine::{Event, State, Step};

use crate::svg::{At, Picture};

const BOX: At = (150, 62);

/// Where a state is, by its middle.
const fn place(state: State) -> At {
    match state {
        State::Pending => (115, 180),
        State::Running => (380, 60),
        State::Cancelled => (380, 295),
        State::Finished => (645, 180),
    }
}

/// The events by which this state answers so.
fn events(from: State, is: impl Fn(Step) -> bool) -> String {
    let answered = Event::ALL.into_iter().filter(|event| is(from.on(*event)));
    answered.map(|event| event.to_string()).collect::<Vec<_>>().join(", ")
}

/// Where the straight line to another box leaves this one.
fn edge(from: At, to: At) -> At {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let half = (BOX.0 / 2 + 3, BOX.1 / 2 + 3);
    if dx.abs() * half.1 > dy.abs() * half.0 {
        (from.0 + dx.signum() * half.0, from.1 + dy * half.0 / dx.abs())
    } else {
        (from.0 + dx * half.1 / dy.abs(), from.1 + dy.signum() * half.1)
    }
}

pub(crate) fn draw() -> String {
    let mut told = Vec::new();
    for from in State::ALL {
        for to in State::ALL {
            let by = events(from, |step| step == Step::To(to));
            if !by.is_empty() {
                told.push(format!("{from} becomes {to} by {by}."));
            }
        }
    }
    let mut picture = Picture::new((760, 380), "The machine", &told.join(" "));
    for from in State::ALL {
        let middle = place(from);
        for to in State::ALL {
            let by = events(from, |step| step == Step::To(to));
            if by.is_empty() {
                continue;
            }
            let (begin, end) = (edge(middle, place(to)), edge(place(to), middle));
            picture.arrow("ink", &[begin, end]);
            let (x, y) = (i32::midpoint(begin.0, end.0), i32::midpoint(begin.1, end.1));
            // Beside the line, on its outer side.
            let (class, beside) = match (end.1 - begin.1, y < place(State::Pending).1) {
                (0, _) => ("code mid", (x, y - 8)),
                (..0, _) => ("code end", (x - 8, y - 8)),
                (_, true) => ("code", (x + 8, y - 8)),
                (_, false) => ("code end", (x - 8, y + 18)),
            };
            picture.text(class, beside, &by);
        }
        let class = if from.is_settled() { "loop" } else { "cell" };
        let corner = (middle.0 - BOX.0 / 2, middle.1 - BOX.1 / 2);
        let name = from.to_string();
        let is = if from.is_settled() { "settled, for ever" } else { "not settled" };
        picture.card(class, corner, BOX, &[&name, is]);
        let refused = events(from, |step| step == Step::Refused);
        let already = events(from, |step| step == Step::Already);
        let mut below = middle.1 + BOX.1 / 2 + 18;
        for (word, which) in [("refuses", refused), ("is so already at", already)] {
            if !which.is_empty() {
                picture.text("soft mid", (middle.0, below), &format!("{word}: {which}"));
                below += 17;
            }
        }
    }
    picture.finish()
}
