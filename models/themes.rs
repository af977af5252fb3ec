//! Every case: under the rules that ship it holds and ends, and under the flipped one it fails.

use settled::model::{
    Program, System,
    check::{self, Failure},
    property,
};

use crate::{
    Row, Trials,
    cases::{self, Case, NEVER_ENDS},
    refuted, row,
};

pub(crate) fn add(trials: &mut Trials) {
    for case in cases::all() {
        let Case { theme, id, flip, .. } = case;
        let breaks = case.breaks;
        let name = format!("{theme}::{id}: {flip}: {breaks}");
        trials.add(name, move || shipped(&case).and_then(|row| Ok(vec![row, flipped(&case)?])));
    }
}

/// That the program is right, and that every fair run of it ends: nobody waits for ever, and every
/// accepted job is over.
fn shipped(case: &Case) -> Result<Row, String> {
    let proof = check::prove(case.program.clone()).map_err(|failure| failure.to_string())?;
    let ended = |program: &Program, state: &System| property::ended(program, state);
    check::ends(case.program.clone(), ended, &[]).map_err(|failure| failure.to_string())?;
    let agents = case.program.names().collect::<Vec<_>>().join(", ");
    row(format!("{}: {}", case.theme, case.id), agents, &proof, [case.states, case.depth])
}

fn flipped(case: &Case) -> Result<Row, String> {
    let system = format!("{}: {}: {}", case.theme, case.id, case.flip);
    if case.breaks == NEVER_ENDS {
        let Err(Failure::ForEver { path, .. }) = check::ends(case.flipped(), property::ended, &[])
        else {
            return Err(format!("{system}: every fair run ends"));
        };
        return match path.len() == case.steps {
            true => Ok(Row {
                system,
                bound: "goes round for ever".to_owned(),
                properties: 1,
                states: 0,
                fails: Some(case.steps),
            }),
            false => Err(format!("{system}: goes round after {}", path.len())),
        };
    }
    refuted(system, format!("not so: {}", case.breaks), case.flipped(), case.breaks, case.steps)
}
