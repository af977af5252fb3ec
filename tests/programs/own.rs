//! Variables, locks, channels, assertions and branches.

use settled::model::{
    Do::{self, *},
    Is, Program, Put, Variable, chart,
    check::{self, Failure},
    property::{self, ASSERTED},
};

/// Reads a variable and writes what it has read and one more.
const BUMP: [Do; 2] = [Load(0), Store(0, Put::Loaded(1))];

fn two(script: &[Do]) -> Program {
    Program::new().variable(0).thread("one", script).thread("other", script)
}

/// The chart of the shortest way to where `property` breaks.
fn refuted(program: &Program, property: &'static str) -> String {
    chart(program, &check::refute(program.clone(), property).unwrap())
}

#[test]
fn a_lost_update_is_found() {
    watch!();
    let lost = two(&BUMP).finally(0, Is::Equal(2));
    let chart = refuted(&lost, ASSERTED);
    assert_eq!(chart.matches("load(v0): 0").count(), 2, "both have read the same:\n{chart}");
    let failure = check::prove(lost).unwrap_err();
    assert!(matches!(failure, Failure::Violated { property: ASSERTED, .. }), "{failure}");
    // Each of the three ways to mend it.
    let locked = [Lock(0), BUMP[0], BUMP[1], Unlock(0)];
    check::prove(two(&locked).finally(0, Is::Equal(2))).unwrap();
    check::prove(two(&[Change(0, 1)]).finally(0, Is::Equal(2))).unwrap();
    let in_turn = Program::new()
        .variable(0)
        .thread("one", &[BUMP[0], BUMP[1], Finish(0)])
        .thread("other", &[Result(0), BUMP[0], BUMP[1]]);
    check::prove(in_turn.finally(0, Is::Equal(2))).unwrap();
}

#[test]
fn an_assertion_is_judged_where_it_stands() {
    watch!();
    let program = |is| {
        Program::new()
            .variable(3)
            .thread("one", &[Store(0, Put::Number(-7)), Store(0, Put::Number(5))])
            .thread("other", &[Assert(0, is)])
    };
    let chart = refuted(&program(Is::Above(0)), ASSERTED);
    assert!(chart.contains("store(v0, -7)") && chart.contains("assert(v0 > 0)"), "{chart}");
    for wrong in [Is::Equal(3), Is::Other(5), Is::Below(5), Is::Above(-7)] {
        check::prove(program(wrong)).unwrap_err();
    }
    for right in [Is::Above(-8), Is::Below(6), Is::Other(4)] {
        check::prove(program(right)).unwrap();
    }
    // A proof of an assertion that nobody comes to is none.
    let never =
        Program::new().variable(0).thread("one", &[Done(0), Skip(9), Assert(0, Is::Equal(0))]);
    let failure = check::prove(never).unwrap_err();
    assert_eq!(failure, Failure::Unreached { property: "an assertion is judged" });
}

#[test]
fn a_script_goes_on_as_it_is_answered() {
    watch!();
    // The variable says which branches were taken: the cancel wins, or it comes too late.
    let program = Program::new().variable(0).thread("owner", &[Start(0), Finish(0)]).thread(
        "user",
        &[
            Cancel(0),
            Unless(Is::Now, 2),
            Change(0, 1),
            Skip(1),
            Change(0, 2),
            Result(0),
            Unless(Is::Value, 1),
            Change(0, 10),
            Load(0),
            Unless(Is::Above(5), 2),
            Assert(0, Is::Equal(12)),
            Skip(u8::MAX),
            Assert(0, Is::Equal(1)),
        ],
    );
    check::prove(program.clone()).unwrap();
    check::ends(program.clone(), property::ended, &[]).unwrap();
    let chart = refuted(&program.finally(0, Is::Equal(12)), ASSERTED);
    assert!(
        chart.contains("cancel(f0): Now") && chart.contains("result(f0): Cancelled"),
        "{chart}"
    );
}

#[test]
fn what_a_task_has_loaded_stays_while_it_awaits() {
    watch!();
    let task = |it: Variable, script: [Do; 3]| {
        script.map(|what| match what {
            Load(_) => Load(it),
            Store(_, put) => Store(it, put),
            other => other,
        })
    };
    // Each has a variable of its own, and they take turns in one thread.
    let program = |other: Variable, script: [Do; 3]| {
        Program::new()
            .variable(0)
            .variable(50)
            .event_loop("loop", &[Spawn(0), Spawn(1)])
            .thread("thread", &[Finish(2)])
            .task(0, 0, &task(0, script))
            .task(1, 0, &task(other, script))
    };
    let awaits = [BUMP[0], Await(2), BUMP[1]];
    let apart = program(1, awaits).finally(0, Is::Equal(1)).finally(1, Is::Equal(51));
    check::prove(apart).unwrap();
    let chart = refuted(&program(0, awaits).finally(0, Is::Equal(2)), ASSERTED);
    assert!(chart.contains("await f2"), "{chart}");
    check::prove(program(0, [Await(2), BUMP[0], BUMP[1]]).finally(0, Is::Equal(2))).unwrap();
}

#[test]
fn a_channel_blocks_while_it_is_full_or_empty() {
    watch!();
    let program = |capacity, received: usize| {
        let receives: Vec<_> =
            (0..received).flat_map(|_| [Recv(0), Store(0, Put::Loaded(0))]).collect();
        Program::new()
            .variable(0)
            .channel(capacity)
            .thread("sender", &[Send(0, 1), Send(0, 2), Store(0, Put::Number(3))])
            .thread("receiver", &receives)
    };
    check::ends(program(1, 2), property::ended, &[]).unwrap();
    // In order: the last that was received is two, unless the sender was told later that there was room.
    let ordered =
        Program::new().variable(0).channel(2).thread("sender", &[Send(0, 1), Send(0, 2)]).thread(
            "receiver",
            &[
                Recv(0),
                Store(0, Put::Loaded(0)),
                Assert(0, Is::Equal(1)),
                Recv(0),
                Store(0, Put::Loaded(0)),
            ],
        );
    check::prove(ordered.finally(0, Is::Equal(2))).unwrap();
    for (capacity, received, who) in
        [(1, 0, "sender waits in send(c0, 2)"), (2, 3, "receiver waits in recv(c0)")]
    {
        let program = program(capacity, received);
        let ends = check::ends(program.clone(), property::ended, &[]);
        let Err(Failure::Violated { path, .. }) = ends else { panic!("it ends") };
        let chart = chart(&program, &path);
        assert!(chart.contains(who), "{chart}");
        check::refute(program, property::ENDS).unwrap();
    }
}

#[test]
fn a_closed_channel_is_told() {
    watch!();
    let program = Program::new()
        .variable(0)
        .channel(1)
        .thread("sender", &[Send(0, 5), Disconnect(0), Send(0, 6), Unless(Is::No, 1), Change(0, 1)])
        .thread("receiver", &[Recv(0), Recv(0), Unless(Is::No, 1), Change(0, 1)]);
    check::prove(program.clone().finally(0, Is::Equal(2))).unwrap();
    check::ends(program, property::ended, &[]).unwrap();
}

#[test]
fn guards_are_dropped_with_their_script() {
    watch!();
    // As the first ends it drops the guard; and so does who learns that the work was cancelled.
    for script in [&[Lock(0)][..], &[Lock(0), Start(0), Unlock(0)]] {
        let program =
            Program::new().thread("one", script).thread("other", &[Cancel(0), Lock(0), Unlock(0)]);
        check::ends(program, property::ended, &[]).unwrap();
    }
}
