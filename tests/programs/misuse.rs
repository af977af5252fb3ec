//! What is no program, and that it is told in every build. `.ci/run` runs this where nothing overflows with a panic, too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use settled::model::{
    Do::{self, *},
    Finding, Futures, Is, Plan, Program, Put, check,
    plan::{Channel, Future, Script},
    property,
};

/// The message with which a program is refused before it is explored.
fn refused(program: Program) -> String {
    let explore = || check::ends(program, property::ended, &[]).is_ok();
    let explored = catch_unwind(AssertUnwindSafe(explore));
    let panic = explored.expect_err("it was explored");
    panic.downcast_ref::<String>().expect("a message").clone()
}

fn thread(script: &[Do]) -> Program {
    Program::new().thread("main", script)
}

#[test]
fn a_future_is_never_taken_for_another() {
    watch!();
    // Numbered 2 it is a deadlock, and numbered 8 it was taken for the future 0, which is settled.
    for future in [8, 255] {
        let program = thread(&[Finish(0), Wait(Futures::of(&[0])), Result(future)]);
        let told = refused(program);
        assert!(told.contains("futures, and a model keeps 8"), "{told}");
    }
    check::ends(thread(&[Finish(0), Result(2)]), property::ended, &[]).unwrap_err();
    check::ends(thread(&[Finish(0), Finish(7), Result(7)]), property::ended, &[]).unwrap();
}

#[test]
fn no_more_parties_and_pieces_than_are_kept() {
    watch!();
    let parties =
        |many| (0..many).fold(Program::new(), |program, _| program.thread("one", &[Done(0)]));
    let told = refused(parties(9));
    assert!(told.contains("9 threads, loops and workers"), "{told}");
    let pieces = |many| (0..many).fold(thread(&[Finish(0)]), |program, _| program.call(&[]));
    let told = refused(pieces(17));
    assert!(told.contains("17 callbacks, posted jobs"), "{told}");
    check::ends(pieces(16), property::ended, &[]).unwrap();
    check::ends(parties(8), property::ended, &[]).unwrap();
}

#[test]
fn no_longer_script_than_is_counted() {
    watch!();
    for length in [251, 256, 300] {
        let told = refused(thread(&vec![Done(0); length]));
        assert!(told.contains(&format!("main has {length} operations")), "{told}");
    }
    check::ends(thread(&[Done(0); 250]), property::ended, &[]).unwrap();
}

#[test]
fn what_was_not_declared_is_named() {
    watch!();
    for (what, missing) in [
        (Add(0, 7), "no such piece"),
        (Spawn(1), "no such piece"),
        (Load(0), "no such variable"),
        (Store(3, Put::Number(0)), "no such variable"),
        (Assert(0, Is::Equal(0)), "no such variable"),
        (Send(0, 1), "no such channel"),
        (Recv(9), "no such channel"),
        (Post(0, 0), "takes an event loop"),
        (Shutdown, "takes a pool"),
    ] {
        let told = refused(thread(&[what]).call(&[]));
        assert!(told.contains(missing) && told.contains("main"), "{told}");
    }
    let told = refused(thread(&[Finish(0)]).finally(2, Is::Equal(0)));
    assert!(told.contains("the end says") && told.contains("no such variable"), "{told}");
    let told = refused(thread(&[Submit(0)]).job(0, 0, &[]));
    assert!(told.contains("#0 is for a worker of its pool"), "{told}");
    let told = refused(thread(&[Spawn(0)]).task(0, 0, &[]));
    assert!(told.contains("#0 is for an event loop"), "{told}");
    let told = refused(thread(&[Finish(0)]).channel(0));
    assert!(told.contains("channel 0 holds nothing"), "{told}");
}

#[test]
fn a_call_is_made_where_it_is() {
    watch!();
    let event_loop = |script: &[Do]| Program::new().event_loop("main", script).worker("worker", 0);
    for (program, needs) in [
        (thread(&[Await(0)]), "a task"),
        (event_loop(&[Await(0)]), "a task"),
        (thread(&[LoopDone(0)]), "the thread of an event loop"),
        (thread(&[Stop]), "the thread of an event loop"),
        (event_loop(&[Add(0, 0)]).job(0, 0, &[]), "a callback"),
        (event_loop(&[Submit(0)]).call(&[]), "a job of a pool"),
        (event_loop(&[Spawn(0)]).call(&[]), "a task"),
        (thread(&[Assert(0, Is::Now)]).variable(0), "a number"),
    ] {
        let told = refused(program);
        assert!(told.contains(&format!("takes {needs}")), "{told}");
    }
    let told = refused(thread(&[Unless(Is::Now, 0)]));
    assert!(told.contains("begins with a branch"), "{told}");
}

#[test]
fn what_no_types_allow_is_not_valid() {
    watch!();
    let two =
        |first: &[Do], second: &[Do]| Program::new().thread("one", first).thread("other", second);
    for (program, says) in [
        (two(&[Finish(0)], &[Start(0)]), "one and other both settle f0"),
        (two(&[Finish(0)], &[Submit(0)]).worker("worker", 0).job(0, 0, &[]), "one and #0 both"),
        (two(&[Add(0, 0)], &[Add(1, 0)]).call(&[]), "#0 is given away 2 times"),
        (two(&[Unlock(0)], &[Lock(0)]), "one gives back lock m0 without"),
        (
            two(&[Add(0, 0)], &[]).event_loop("loop", &[]).call(&[LoopDone(0)]),
            "takes the thread of an event loop",
        ),
        (two(&[Load(0)], &[]), "no such variable"),
    ] {
        let told = program.validate().unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
    let shared = two(&[Finish(0)], &[Fail(0)]);
    check::ends(shared, property::ended, &[]).unwrap();
    two(&[Lock(0), Finish(0), Unlock(0)], &[Add(0, 0), Result(0)])
        .call(&[Done(0)])
        .validate()
        .unwrap();
}

#[test]
fn a_program_that_no_types_allow_is_not_judged() {
    watch!();
    let shared = thread(&[Finish(0)]).thread("other", &[Start(0)]);
    let told = shared.check().unwrap_err();
    assert!(matches!(told, Finding::Misuse(_)), "{told}");
    assert!(told.to_string().contains("main and other both settle f0"), "{told}");
}

/// What a plan is told.
fn told(plan: impl FnOnce(&mut Plan)) -> String {
    let mut it = Plan::new();
    plan(&mut it);
    it.check().expect_err("it is a program").to_string()
}

#[test]
fn a_plan_gives_each_part_one_name() {
    watch!();
    let other = Plan::new().future("other");
    for (told, says) in [
        (told(|it| it.thread("main", |it| it.wait(&[other]))), "`other` was given by another plan"),
        (
            told(|it| {
                it.lock("one");
                it.lock("one");
            }),
            "two parts are called `one`",
        ),
        (
            told(|it| {
                it.thread("one", |_| ());
                it.event_loop("one");
            }),
            "two parts are called `one`",
        ),
        (
            told(|it| {
                it.thread("one 2", |_| ());
                it.pool("one", 2);
            }),
            "two parts are called `one 2`",
        ),
    ] {
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn a_plan_is_told_what_is_no_program() {
    watch!();
    for (told, says) in [
        (
            told(|it| {
                let order = it.future("order");
                it.thread("one", |it| {
                    it.finish(order);
                });
                it.thread("two", |it| {
                    it.fail(order);
                });
            }),
            "one and two both settle order",
        ),
        (
            told(|it| {
                let order = it.future("order");
                it.thread("one", |it| it.wait(&[order; 5]));
            }),
            "5 futures in one call",
        ),
        (
            told(|it| {
                it.pool("first", 1);
                let second = it.pool("second", 1);
                it.thread("one", |it| it.shutdown(second));
            }),
            "`second` is shut down or joined",
        ),
        (
            told(|it| {
                let order = it.future("order");
                it.thread("one", |it| {
                    it.awaits(order);
                });
            }),
            "one says `await order`, which takes a task",
        ),
    ] {
        assert!(told.contains(says), "{told}");
    }
}

/// What a plan is told in which a thread takes a case of what a call answers.
fn case(of: impl Fn(&mut Script<'_>, Future, Channel)) -> String {
    told(|it| {
        let (order, jobs) = (it.future("order"), it.channel("jobs", 1));
        it.thread("one", |it| of(it, order, jobs));
    })
}

#[test]
fn a_case_that_no_call_answers_is_refused() {
    watch!();
    for (told, says) in [
        (
            case(|it, _, jobs| drop(it.recv(jobs).when(Is::Yes, |_| ()))),
            "`recv(jobs)` never answers `Is::Yes`",
        ),
        (
            case(|it, order, _| drop(it.finish(order).when(Is::Now, |_| ()))),
            "`finish(order)` never answers `Is::Now`",
        ),
        (
            case(|it, order, _| drop(it.wait_timeout(order).when(Is::Equal(0), |_| ()))),
            "`wait_timeout(order)` never answers `Is::Equal(0)`",
        ),
        (
            case(|it, order, _| {
                let cases = it.cancel(order).when(Is::Now, |_| ());
                cases.when(Is::Cancelled, |_| ()).otherwise(|_| ());
            }),
            "`cancel(order)` never answers `Is::Cancelled`",
        ),
    ] {
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn what_was_dropped_is_not_used() {
    watch!();
    for after in [Done(0), WaitFirst(Futures::of(&[1, 0])), Drop(0)] {
        let told = thread(&[Drop(0), Cancel(1), after]).validate().unwrap_err().to_string();
        assert!(told.contains("after it has dropped its handle of f0"), "{told}");
    }
    // The promise is another part, and the other case another way.
    let other = [Done(0), Unless(Is::Yes, 2), Drop(0), Skip(1), Cancel(0)];
    for script in [&[Drop(0), Finish(0), Upgrade(0), Done(1)][..], &other] {
        thread(script).validate().unwrap();
    }
    let told = thread(&[Done(0), Unless(Is::Yes, 1), Drop(0), Cancel(0)]).validate();
    assert!(told.unwrap_err().to_string().contains("`cancel(f0)` after"));
    let told = Program::new().event_loop("loop", &[Closed(0)]).validate().unwrap_err();
    assert!(told.to_string().contains("takes a thread"), "{told}");
}

#[test]
fn a_program_in_which_nobody_calls_is_refused() {
    watch!();
    let pool = |it: &mut Plan| {
        it.pool("workers", 2);
    };
    for told in [told(|_| ()), told(|it| it.thread("main", |_| ())), told(pool)] {
        assert!(told.contains("nobody in the program makes a call"), "{told}");
    }
}

#[test]
fn a_plan_is_told_what_is_too_much() {
    watch!();
    for (told, says) in [
        (
            told(|it| {
                let it = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|name| it.future(name));
                assert_eq!(it.len(), 9);
            }),
            "9 futures",
        ),
        (
            told(|it| {
                let ui = it.event_loop("ui");
                it.first(ui, |it| it.stop());
                it.first(ui, |it| it.stop());
            }),
            "`ui` has two first jobs",
        ),
        (
            told(|it| {
                let order = it.future("order");
                it.thread("one", |it| it.repeat(251, |it| it.add_done_callback(order, "", |_| ())));
            }),
            "pool jobs and tasks",
        ),
    ] {
        assert!(told.contains(says), "{told}");
    }
}
