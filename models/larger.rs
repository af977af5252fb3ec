//! Systems that are larger than those of the theorem in one direction each: three threads and a loop,
//! two futures, three callbacks, and two operations a thread; and pools and two loops beside them.
//!
//! They are examples: that a third thread adds nothing is argued in `general`, and tried here.

use settled::model::{
    Program,
    check::{self, Failure},
    property,
};

use crate::{
    Row, Trials,
    large::{Large, all},
    row,
};

pub(crate) fn add(trials: &mut Trials) {
    for large in all() {
        trials.add(format!("larger::{}", large.name), move || prove(large));
    }
}

pub(crate) fn programs() -> impl Iterator<Item = Program> {
    all().into_iter().map(|large| large.program)
}

fn prove(Large { name, program, size, circular }: Large) -> Result<Vec<Row>, String> {
    let agents = program.names().collect::<Vec<_>>().join(", ");
    let proof = check::prove(program.clone()).map_err(|failure| failure.to_string())?;
    let mut rows = vec![row(format!("larger: {name}"), agents, &proof, size)?];
    match (circular, check::ends(program, property::ended, &[])) {
        (false, Ok(_)) => {}
        (true, Err(Failure::Violated { path, .. })) => rows.push(Row {
            system: format!("larger: {name}"),
            bound: "stuck, by a circle that it wrote".to_owned(),
            properties: 1,
            states: 0,
            fails: Some(path.len()),
        }),
        (_, Ok(_)) => return Err(format!("{name}: it always ends")),
        (_, Err(failure)) => return Err(failure.to_string()),
    }
    Ok(rows)
}
