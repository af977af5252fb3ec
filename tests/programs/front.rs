//! The front door: what it finds, each with its chart, and the same program mended.

use settled::model::{Do, Finding, Is, Plan, Program, Rules, Wrong, check, property};

/// The chart of what is wrong with a plan, which is this.
fn wrong(plan: &Plan, is: &Wrong) -> String {
    let finding = plan.check().expect_err("it is found right");
    let run = finding.run().unwrap_or_else(|| panic!("{finding}"));
    assert_eq!(run.wrong(), is, "{finding}");
    finding.to_string()
}

fn deadlock(plan: &Plan) -> String {
    let chart = wrong(plan, &Wrong::Deadlock);
    assert!(chart.starts_with("a deadlock: "), "{chart}");
    chart
}

/// Two services that take two locks.
fn locks(in_order: bool) -> Plan {
    let mut plan = Plan::new();
    let (stock, ledger) = (plan.lock("stock"), plan.lock("ledger"));
    let (first, second) = if in_order { (stock, ledger) } else { (ledger, stock) };
    plan.thread("orders", |it| it.lock(stock, |it| it.lock(ledger, |_| ())));
    plan.thread("billing", |it| it.lock(first, |it| it.lock(second, |_| ())));
    plan
}

#[test]
fn two_locks_in_opposite_order() {
    watch!();
    let chart = deadlock(&locks(false));
    assert!(chart.contains("orders waits in lock(ledger), which billing has"), "{chart}");
    assert!(chart.contains("billing waits in lock(stock), which orders has"), "{chart}");
    let report = locks(true).check().unwrap();
    assert!(report.unreached.is_empty() && !report.needs_expiry, "{report}");
    // The proof of the crate's own programs excuses what the program wrote.
    check::prove(locks(false).build().unwrap()).unwrap();
}

/// A thread that waits for a future, and one that settles it under a lock.
fn held_over_result(held: bool) -> Plan {
    let mut plan = Plan::new();
    let (order, stock) = (plan.future("order"), plan.lock("stock"));
    plan.thread("orders", |it| {
        it.lock(stock, |it| {
            if held {
                it.result(order);
            }
        });
        it.result(order);
    });
    plan.thread("billing", |it| {
        it.lock(stock, |_| ());
        it.finish(order);
    });
    plan
}

#[test]
fn a_lock_held_over_result() {
    watch!();
    let chart = deadlock(&held_over_result(true));
    assert!(chart.contains("orders waits in result(order)"), "{chart}");
    assert!(chart.contains("billing waits in lock(stock), which orders has"), "{chart}");
    held_over_result(false).check().unwrap();
    let guide = include_str!("../../src/guide/schedules.md");
    assert!(guide.contains(&chart), "the guide shows another:\n{chart}");
}

/// Each waits for the other's future, unless the cancel of it wins; mended if who loses the cancel goes on.
fn cancel_must_win(mended: bool) -> Plan {
    let mut plan = Plan::new();
    let (order, bill) = (plan.future("order"), plan.future("bill"));
    plan.thread("orders", |it| {
        it.start(order);
        it.result(bill);
        it.finish(order);
    });
    plan.thread("billing", |it| {
        let cancel = it.cancel(order);
        if mended {
            cancel.when(Is::Now, |it| {
                it.result(order);
            });
        } else {
            it.result(order);
        }
        it.finish(bill);
    });
    plan
}

#[test]
fn a_deadlock_only_if_a_cancel_loses() {
    watch!();
    let chart = deadlock(&cancel_must_win(false));
    assert!(chart.contains("orders waits in result(bill)"), "{chart}");
    assert!(chart.contains("billing waits in result(order)"), "{chart}");
    cancel_must_win(true).check().unwrap();
}

/// A counter that two threads raise.
fn counter(locked: bool) -> Plan {
    let mut plan = Plan::new();
    let (sold, guard) = (plan.variable("sold", 0), plan.lock("guard"));
    for name in ["orders", "returns"] {
        plan.thread(name, |it| {
            let raise = |it: &mut settled::model::plan::Script<'_>| {
                it.load(sold);
                it.store_loaded(sold, 1);
            };
            if locked { it.lock(guard, raise) } else { raise(it) }
        });
    }
    plan.finally(sold, Is::Equal(2));
    plan
}

#[test]
fn a_lost_update() {
    watch!();
    let says = Wrong::Assertion("at the end sold = 2, and it is 1".to_owned());
    let chart = wrong(&counter(false), &says);
    assert_eq!(chart.matches("load(sold): 0").count(), 2, "{chart}");
    counter(true).check().unwrap();
}

#[test]
fn an_assertion_that_fails() {
    watch!();
    let plan = |sells: i16| {
        let mut plan = Plan::new();
        let (stock, left) = (plan.variable("stock", 1), plan.future("left"));
        plan.thread("orders", |it| {
            it.load(stock).when(Is::Above(0), |it| {
                it.add(stock, -sells);
                it.assert(stock, Is::Above(-1));
            });
            it.finish(left);
        });
        plan.thread("reports", |it| {
            it.result(left).when(Is::Value, |it| it.assert(stock, Is::Equal(0)));
        });
        plan
    };
    let chart = wrong(&plan(2), &Wrong::Assertion("orders: assert(stock > -1)".to_owned()));
    assert!(chart.contains("load(stock): 1"), "{chart}");
    plan(1).check().unwrap();
}

/// A producer and a consumer, who is never told the end, or is.
fn channel(closes: bool) -> Plan {
    let mut plan = Plan::new();
    let (jobs, sum) = (plan.channel("jobs", 1), plan.variable("sum", 0));
    plan.thread("producer", |it| {
        it.repeat(3, |it| {
            it.send(jobs, 7);
        });
        if closes {
            it.close(jobs);
        }
    });
    plan.thread("consumer", |it| {
        it.repeat(4, |it| {
            it.recv(jobs).when(Is::No, |it| it.returns()).when(Is::Equal(7), |it| {
                it.add(sum, 7);
            });
        });
        it.assert(sum, Is::Equal(-1));
    });
    plan.finally(sum, Is::Equal(21));
    plan
}

#[test]
fn a_channel_that_nobody_closes() {
    watch!();
    let chart = deadlock(&channel(false));
    assert!(chart.contains("consumer waits in recv(jobs)"), "{chart}");
    let report = channel(true).check().unwrap();
    // The consumer returns before: what it would say there was never judged.
    assert_eq!(report.unreached, ["assert(sum = -1) of consumer"]);
}

#[test]
fn work_that_waits_until_nobody_is_left() {
    watch!();
    let server = |drops: bool| {
        let mut plan = Plan::new();
        let (page, cached) = (plan.future("page"), plan.variable("cached", 0));
        plan.thread("server", |it| {
            it.on_closed(page, "close the socket", |_| ());
            it.closed(page);
            it.is_closed(page).when(Is::No, |it| it.panics());
            it.finish_or_return(page).when(Is::No, |it| it.store(cached, 1));
        });
        plan.thread("client", |it| {
            it.done(page);
            if drops {
                it.drop(page);
            }
        });
        plan.thread("cache", |it| drop(it.upgrade(page)));
        plan.finally(cached, Is::Equal(1));
        plan.check()
    };
    server(true).unwrap();
    let told = server(false).unwrap_err().to_string();
    assert!(told.contains("server waits in closed(page)"), "{told}");
}

#[test]
fn what_ends_by_the_clock_alone_is_told() {
    watch!();
    let plan = |timed: bool| {
        let mut plan = Plan::new();
        let never = plan.future("never");
        plan.thread("user", |it| {
            if timed {
                it.wait_timeout(never).when(Is::Expired, |it| it.returns());
            } else {
                it.result(never);
            }
        });
        plan
    };
    deadlock(&plan(false));
    assert!(plan(true).check().unwrap().needs_expiry);
}

#[test]
fn a_run_that_never_ends() {
    watch!();
    let mut plan = Plan::new();
    let never = plan.future("never");
    plan.thread("user", |it| {
        it.until_done(never);
    });
    let chart = wrong(&plan, &Wrong::ForEver);
    assert!(chart.contains("until done(never) asks") && chart.contains("for ever"), "{chart}");
}

#[test]
fn loops_pools_and_tasks_have_names() {
    watch!();
    let plan = |blocks: bool| {
        let mut plan = Plan::new();
        let (report, page) = (plan.future("report"), plan.future("page"));
        let (ui, workers) = (plan.event_loop("ui"), plan.pool("workers", 1));
        plan.first(ui, |it| {
            it.submit(workers, report, "make report", |_| ());
            it.spawn(ui, page, "show page", |it| {
                it.awaits(report);
                it.view_add_done_callback(report, "count", |_| ());
            });
        });
        plan.thread("main", |it| {
            it.result(page);
            if blocks {
                it.shutdown(workers);
            }
        });
        plan
    };
    let chart = deadlock(&plan(true));
    for says in
        ["submit(make report)", "show page begins", "await report", "main waits in pool.shutdown()"]
    {
        assert!(chart.contains(says), "{says}: {chart}");
    }
    plan(false).check().unwrap();
}

#[test]
fn a_promise_of_the_library_is_judged_too() {
    watch!();
    let program = Program::new()
        .thread("owner", &[Do::Start(0), Do::Finish(0)])
        .thread("user", &[Do::Cancel(0)]);
    program.check().unwrap();
    let rules = Rules { claim_in_two_steps: true, ..Rules::default() };
    let finding = program.under(rules).check().unwrap_err();
    let run = finding.run().expect("a run");
    assert_eq!(run.wrong(), &Wrong::Property(property::NEVER_RUNS), "{finding}");
    assert_eq!(run.steps().len(), 3);
    assert!(run.mermaid().starts_with("sequenceDiagram\n"), "{}", run.mermaid());
    assert!(format!("{finding:?}").contains("cancel(f0)"), "what `unwrap` prints is the chart");
}

#[test]
fn what_is_too_large_is_not_said_to_be_right() {
    watch!();
    let plan = locks(true);
    let states = plan.check().unwrap().states;
    let program = plan.build().unwrap();
    assert_eq!(program.check_up_to(states).unwrap().states, states);
    let finding = program.check_up_to(states - 1).unwrap_err();
    assert!(matches!(finding, Finding::TooLarge { .. }), "{finding}");
}

#[test]
fn one_case_of_an_answer_is_taken() {
    watch!();
    let sum = |otherwise: bool| {
        let mut plan = Plan::new();
        let sum = plan.variable("sum", 0);
        plan.thread("main", |it| {
            let cases = it.load(sum).when(Is::Equal(0), |it| {
                it.add(sum, 1);
            });
            let cases = cases.when(Is::Below(5), |it| {
                it.add(sum, 10);
            });
            if otherwise {
                cases.otherwise(|it| {
                    it.add(sum, 100);
                });
            }
        });
        plan.finally(sum, Is::Equal(1));
        plan
    };
    sum(false).check().unwrap();
    sum(true).check().unwrap();
}

#[test]
fn a_case_that_is_never_taken_is_told() {
    watch!();
    let mut plan = Plan::new();
    let (jobs, sum) = (plan.channel("jobs", 1), plan.variable("sum", 0));
    plan.thread("producer", |it| {
        it.send(jobs, 5);
    });
    plan.thread("consumer", |it| {
        it.recv(jobs).when(Is::Equal(6), |it| it.assert(sum, Is::Equal(9)));
    });
    let told = plan.check().unwrap().to_string();
    assert!(told.contains("\nno run comes to assert(sum = 9) of consumer"), "{told}");
}
