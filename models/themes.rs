//! Every case: under the rules that ship it holds and ends, and under the flipped one it fails.

use crate::{
    Row, Trials,
    cases::{self, Case, NEVER_ENDS},
};

pub(crate) fn add(trials: &mut Trials) {
    for case in cases::all() {
        let Case { theme, id, flip, breaks, .. } = case;
        trials.add(format!("{theme}::{id}: {flip}: {breaks}"), move || rows(&case));
    }
}

fn rows(case: &Case) -> Result<Vec<Row>, String> {
    let proof = case.prove()?;
    case.counterexample()?;
    Ok(vec![
        Row {
            system: format!("{}: {}", case.theme, case.id),
            bound: case.program.names().collect::<Vec<_>>().join(", "),
            properties: proof.properties,
            states: proof.states,
            fails: None,
        },
        Row {
            system: format!("{}: {}: {}", case.theme, case.id, case.flip),
            bound: match case.breaks {
                NEVER_ENDS => "goes round for ever".to_owned(),
                breaks => format!("not so: {breaks}"),
            },
            properties: 1,
            states: 0,
            fails: Some(case.steps),
        },
    ])
}
