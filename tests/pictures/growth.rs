//! How what one future costs grows with how many there are, of what `spec/speed.md` says was measured.

use crate::{
    read,
    svg::{At, Picture},
};

/// How many there are, and the nanoseconds of one: ours, and those of the fastest peer.
type Point = (f64, f64, f64);

/// The points of the rows that are called this, and the peers.
fn points(table: &str, row: &str) -> (Vec<Point>, Vec<String>) {
    let (mut points, mut peers) = (Vec::new(), Vec::new());
    for line in table.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, ours, peer, theirs, ..] = cells[..] else { continue };
        let Some(count) = name.strip_prefix(row).and_then(|it| it.parse().ok()) else { continue };
        points.push((count, ours.parse().unwrap(), theirs.parse().unwrap()));
        if !peers.iter().any(|it| it == peer) {
            peers.push(peer.to_owned());
        }
    }
    (points, peers)
}

const SIZE: At = (300, 220);
/// The decades that are shown: how many there are, and nanoseconds.
const COUNTS: (f64, f64) = (1.0, 6.0);
const TIMES: (f64, f64) = (0.0, 4.0);

/// Where a point is in a field whose upper left corner is there.
#[expect(clippy::cast_possible_truncation, reason = "it is a place in a picture")]
fn place((left, top): At, count: f64, time: f64) -> At {
    let share = |value: f64, (least, most): (f64, f64)| (value.log10() - least) / (most - least);
    let x = f64::from(left) + share(count, COUNTS) * f64::from(SIZE.0);
    let y = f64::from(top + SIZE.1) - share(time, TIMES) * f64::from(SIZE.1);
    (x.round() as i32, y.round() as i32)
}

/// One field: two lines, with what they are.
fn field(picture: &mut Picture, at: At, title: &str, row: &str) {
    let speed = read("spec/speed.md");
    let (table, _) = speed.split_once("<!-- /ratios -->").expect("the table ends");
    let (points, peers) = points(table, row);
    assert!(points.len() >= 3, "spec/speed.md has no rows {row}…: {points:?}");
    picture.text("big", (at.0, at.1 - 14), title);
    picture.rect("plain", at, SIZE);
    for (time, label) in
        [(1.0, "1 ns"), (10.0, "10 ns"), (100.0, "100 ns"), (1e3, "1 µs"), (1e4, "10 µs")]
    {
        let (x, y) = place(at, 10.0, time);
        picture.text("soft end", (x - 8, y + 4), label);
        if time > 1.0 && time < 1e4 {
            picture.line("ink dash", &[(x, y), (x + SIZE.0, y)]);
        }
    }
    for (count, label) in [(10.0, "10"), (1e3, "1,000"), (1e5, "100,000"), (1e6, "million")] {
        let (x, y) = place(at, count, 1.0);
        picture.text("soft mid", (x, y + 20), label);
    }
    let line = |of: fn(&Point) -> f64| -> Vec<At> {
        points.iter().map(|it| place(at, it.0, of(it))).collect()
    };
    let (ours, theirs) = (line(|it| it.1), line(|it| it.2));
    let (upper, lower) = if ours[0].1 < theirs[0].1 { (-10, 20) } else { (20, -10) };
    for (class, line, aside, label) in
        [("loop", ours, upper, "settled".to_owned()), ("stop", theirs, lower, peers.join(", "))]
    {
        picture.line(class, &line);
        for &(x, y) in &line {
            picture.rect(class, (x - 3, y - 3), (6, 6));
        }
        picture.text("", (line[0].0 + 8, line[0].1 + aside), &label);
    }
}

pub(crate) fn draw() -> String {
    let mut picture = Picture::new(
        (800, 320),
        "What one of many costs",
        "What one future costs among ten, a thousand, a hundred thousand and a million, as spec/speed.md has it in numbers.",
    );
    field(&mut picture, (70, 50), "as_completed", "as_completed_");
    field(&mut picture, (470, 50), "wait, all settled before", "wait_");
    picture.finish()
}
