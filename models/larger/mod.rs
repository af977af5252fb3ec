//! Systems that are larger than those of the families in one direction each: three threads and a loop,
//! two futures, three callbacks, and two operations a thread; and pools and two loops beside them.
//!
//! They are examples; `clients` has what does any operation.

mod programs;

use settled::model::{
    Program, System,
    check::{self, Failure},
    property,
};

use self::programs::{Large, all};
use crate::{Row, Trials, row};

pub(crate) fn add(trials: &mut Trials) {
    for large in all() {
        trials.add(format!("larger::{}", large.name), move || prove(large));
    }
    trials.add("blind::how a larger program ends", sees_whether_it_ends);
}

pub(crate) fn programs() -> impl Iterator<Item = Program> {
    all().into_iter().map(|large| large.program)
}

fn prove(large: Large) -> Result<Vec<Row>, String> {
    let agents = large.program.names().collect::<Vec<_>>().join(", ");
    let proof = check::prove(large.program.clone()).map_err(|failure| failure.to_string())?;
    let mut rows = vec![row(format!("larger: {}", large.name), agents, &proof, large.size)?];
    rows.extend(how_it_ends(&large, property::ended)?);
    Ok(rows)
}

/// Whether it ends, which is what a circular one need not; what that comes to is `ended`.
fn how_it_ends(large: &Large, ended: fn(&Program, &System) -> bool) -> Result<Option<Row>, String> {
    let name = large.name;
    match (large.circular, check::ends(large.program.clone(), ended, &[])) {
        (false, Ok(_)) => Ok(None),
        (true, Err(Failure::Violated { path, .. })) => Ok(Some(Row {
            system: format!("larger: {name}"),
            bound: "stuck, by a circle that it wrote".to_owned(),
            properties: 1,
            states: 0,
            fails: Some(path.len()),
        })),
        (_, Ok(_)) => Err(format!("{name}: it always ends")),
        (_, Err(failure)) => Err(failure.to_string()),
    }
}

/// If whatever has not ended counted as ended, a circle would be missed; if nothing did, each program would be stuck.
fn sees_whether_it_ends() -> Result<Vec<Row>, String> {
    for large in all() {
        let blind: fn(&Program, &System) -> bool =
            if large.circular { |_, _| true } else { |_, _| false };
        if how_it_ends(&large, blind).is_ok() {
            return Err(format!("{}: whatever \"ended\" says, it passes", large.name));
        }
    }
    Ok(Vec::new())
}
