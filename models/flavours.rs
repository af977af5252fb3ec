//! Small programs of threads and a loop: what ships is safe, and each rule is needed.
//!
//! The numbers of states and the depths were counted by the checker and are pinned, so that a lost
//! step shows; for the smallest programs they are easily counted by hand: two threads of one step
//! each, one of which has to wait for the other, have three states. The bounds are small on purpose.
//! Two threads are needed for a race, a third for one who waits while it goes on, a second callback
//! for an order, a third for one that is registered by another. They are examples, not all programs
//! of their size.

use crate::{
    Proof, prove, refute,
    system::{ACCEPTED, Do, ENDS, LOCKED, NESTED, NEVER_RUNS, ONCE, ORDER, Program, Rules, THREAD},
};

/// A program that is safe under the rules that ship, and the rules without which it is not.
struct Case {
    says: &'static str,
    bound: &'static str,
    program: Program,
    states: usize,
    depth: usize,
    what_ifs: Vec<WhatIf>,
}

/// One rule flipped, the property that breaks, and in how many steps at the least.
struct WhatIf {
    says: &'static str,
    flip: fn(&mut Rules),
    breaks: &'static str,
    steps: usize,
}

pub(crate) fn proofs() -> Vec<Proof> {
    let mut proofs = Vec::new();
    for case in threads().into_iter().chain(loops()) {
        let Case { says, bound, program, states, depth, what_ifs } = case;
        proofs.push(prove(says, bound, program.clone(), states, depth));
        for WhatIf { says, flip, breaks, steps } in what_ifs {
            let mut flipped = Program { only: Some(breaks), ..program.clone() };
            flip(&mut flipped.rules);
            proofs.push(refute(says, bound, flipped, steps));
        }
    }
    proofs
}

fn program(has_loop: bool, threads: &[&[Do]], callbacks: &[&[Do]]) -> Program {
    Program {
        rules: Rules::SHIPPED,
        futures: 1,
        has_loop,
        threads: threads.iter().map(|script| script.to_vec()).collect(),
        callbacks: callbacks.iter().map(|script| script.to_vec()).collect(),
        only: None,
    }
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn threads() -> Vec<Case> {
    use Do::{Abandon, Add, Cancel, Finish, Result, Start, Wait};
    vec![
        Case {
            says: "cancel, finish, and two who wait",
            bound: "4 threads, 1 callback",
            program: program(
                false,
                &[&[Start(0), Finish(0)], &[Cancel(0)], &[Result(0)], &[Wait(0), Add(0, 0)]],
                &[&[Cancel(0)]],
            ),
            states: 53,
            depth: 9,
            what_ifs: vec![WhatIf {
                says: "if start looked and then claimed (D8)",
                flip: |rules| rules.claim_in_two_steps = true,
                breaks: NEVER_RUNS,
                steps: 3,
            }],
        },
        Case {
            says: "cancel and wait",
            bound: "2 threads",
            program: program(false, &[&[Cancel(0)], &[Wait(0)]], &[]),
            states: 3,
            depth: 3,
            what_ifs: vec![WhatIf {
                says: "if a cancel had to be acknowledged (D33)",
                flip: |rules| rules.cancel_in_two_steps = true,
                breaks: ENDS,
                steps: 1,
            }],
        },
        Case {
            says: "a promise that is dropped",
            bound: "3 threads",
            program: program(false, &[&[Start(0), Abandon(0)], &[Cancel(0)], &[Wait(0)]], &[]),
            states: 13,
            depth: 5,
            what_ifs: vec![],
        },
        Case {
            says: "a callback, perhaps late",
            bound: "3 threads, 1 callback",
            program: program(false, &[&[Add(0, 0)], &[Finish(0)], &[Cancel(0)]], &[&[]]),
            states: 22,
            depth: 5,
            what_ifs: vec![WhatIf {
                says: "if adding looked and then stored (bug-c6)",
                flip: |rules| rules.register_in_two_steps = true,
                breaks: ONCE,
                steps: 4,
            }],
        },
        Case {
            says: "a callback that reads its future",
            bound: "2 threads, 1 callback",
            program: program(false, &[&[Add(0, 0), Finish(0)], &[Cancel(0)]], &[&[Result(0)]]),
            states: 19,
            depth: 6,
            what_ifs: vec![
                WhatIf {
                    says: "if it ran under the lock: deadlock",
                    flip: |rules| rules.callbacks_under_lock = true,
                    breaks: ENDS,
                    steps: 3,
                },
                WhatIf {
                    says: "if it ran under the lock: as seen (D29)",
                    flip: |rules| rules.callbacks_under_lock = true,
                    breaks: LOCKED,
                    steps: 3,
                },
            ],
        },
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn loops() -> Vec<Case> {
    use Do::{Cancel, Close, Finish, LoopAdd, LoopResult, Post, Result, Start};
    let late_inline = |rules: &mut Rules| rules.late_callbacks_inline = true;
    vec![
        Case {
            says: "a loop's callbacks",
            bound: "1 loop, 2 threads, 3 callbacks",
            program: program(
                true,
                &[&[LoopAdd(0, 0), LoopAdd(0, 1)], &[Start(0), Finish(0)], &[Cancel(0)]],
                &[&[LoopAdd(0, 2)], &[], &[]],
            ),
            states: 54,
            depth: 12,
            what_ifs: vec![WhatIf {
                says: "if they ran where it settles (D21)",
                flip: |rules| rules.loop_callbacks_inline = true,
                breaks: THREAD,
                steps: 3,
            }],
        },
        Case {
            says: "a late callback of a loop",
            bound: "1 loop, 2 callbacks",
            program: program(
                true,
                &[&[LoopAdd(0, 0), Finish(0), LoopAdd(0, 1), LoopResult(0)]],
                &[&[LoopResult(0)], &[LoopResult(0)]],
            ),
            states: 10,
            depth: 10,
            what_ifs: vec![
                WhatIf {
                    says: "if it ran at once: out of order (D23)",
                    flip: late_inline,
                    breaks: ORDER,
                    steps: 4,
                },
                WhatIf {
                    says: "if it ran at once: nested (D22)",
                    flip: late_inline,
                    breaks: NESTED,
                    steps: 4,
                },
            ],
        },
        Case {
            says: "reading on the loop",
            bound: "1 loop, 1 thread",
            program: program(true, &[&[LoopResult(0)], &[Finish(0)]], &[]),
            states: 5,
            depth: 4,
            what_ifs: vec![WhatIf {
                says: "if it blocked (D2, D4)",
                flip: |rules| rules.loop_read_blocks = true,
                breaks: ENDS,
                steps: 1,
            }],
        },
        Case {
            says: "waiting on the loop for its own job",
            bound: "1 loop",
            program: program(true, &[&[Post(0), Result(0)]], &[&[Finish(0)]]),
            states: 6,
            depth: 6,
            what_ifs: vec![WhatIf {
                says: "if it blocked (D28, bug-c9)",
                flip: |rules| rules.loop_read_blocks = true,
                breaks: ENDS,
                steps: 1,
            }],
        },
        Case {
            says: "a loop that is closed",
            bound: "1 loop, 2 threads, 2 callbacks",
            program: program(
                true,
                &[&[LoopAdd(0, 1), Close], &[Post(0)], &[Finish(0)]],
                &[&[], &[]],
            ),
            states: 36,
            depth: 9,
            what_ifs: vec![WhatIf {
                says: "if it swallowed what it is given (D53)",
                flip: |rules| rules.closed_loop_swallows = true,
                breaks: ACCEPTED,
                steps: 4,
            }],
        },
    ]
}
