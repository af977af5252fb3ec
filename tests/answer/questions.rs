//! Each question leads to where it was asked, and its answer to the clauses and the checks that say so.

use std::collections::BTreeSet;

use crate::{
    checks::{is_case, is_test, rows},
    kinds, read,
};

pub(crate) fn each_is_answered_by_what_there_is() -> Result<String, String> {
    let (text, clauses) = (read("spec/questions.md"), read("spec/clauses.md"));
    let mut questions = rows(&text, "|");
    questions.retain(|row| row[0] != "question" && !row[0].starts_with("---"));
    let mut asked = BTreeSet::new();
    for row in &questions {
        let [question, answer, ids, checks] = row[..] else { panic!("four cells: {row:?}") };
        let (_, link) = question
            .strip_suffix(')')
            .and_then(|linked| linked.split_once("](https://"))
            .unwrap_or_else(|| panic!("{question}: no link to where it was asked"));
        assert!(asked.insert(link), "{question}: {link} is asked already");
        assert!(answer.ends_with('.'), "{question}: no answer");
        for id in ids.split(' ') {
            assert!(clauses.contains(&format!("\n- **{id}** ")), "{question}: no clause {id:?}");
        }
        for check in checks.split("; ") {
            assert!(is_test(check) || is_case(check), "{question}: no check {check:?}");
        }
    }
    assert!(questions.len() >= 60, "only {} questions are answered", questions.len());
    Ok(format!("answered: {} questions, {}", questions.len(), kinds::counts()))
}
