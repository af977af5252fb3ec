//! Three more programs, each broken in one place, and mended.

use settled::model::{Is, Plan, Wrong};

/// That the broken one deadlocks, with all of this in its chart, and the mended one is right.
fn judged(plan: fn(bool) -> Plan, says: &[&str]) {
    let finding = plan(true).check().expect_err("it is found right");
    let run = finding.run().unwrap_or_else(|| panic!("{finding}"));
    assert_eq!(run.wrong(), &Wrong::Deadlock, "{finding}");
    let chart = finding.to_string();
    says.iter().for_each(|it| assert!(chart.contains(it), "{it}: {chart}"));
    let report = plan(false).check().unwrap();
    assert!(report.unreached.is_empty(), "{report}");
}

/// A job needs a lock that who waits for the job has.
fn a_lock_over_the_wait_for_a_job(broken: bool) -> Plan {
    let mut plan = Plan::new();
    let (page, cache) = (plan.future("page"), plan.lock("cache"));
    let workers = plan.pool("workers", 1);
    plan.thread("server", |it| {
        it.submit(workers, page, "render", |it| it.lock(cache, |_| ()));
        it.lock(cache, |it| {
            if broken {
                it.result(page);
            }
        });
        it.result(page);
    });
    plan
}

/// A thread waits for a task that awaits what the thread settles afterwards.
fn a_task_that_awaits_its_waiter(broken: bool) -> Plan {
    let mut plan = Plan::new();
    let (shown, data) = (plan.future("shown"), plan.future("data"));
    let ui = plan.event_loop("ui");
    plan.thread("fetch", |it| {
        it.spawn(ui, shown, "show", |it| {
            it.awaits(data);
        });
        if !broken {
            it.finish(data);
        }
        it.result(shown);
        if broken {
            it.finish(data);
        }
    });
    plan
}

/// Two who send each other two numbers before they receive, through channels with room for one.
fn channels_that_are_too_small(broken: bool) -> Plan {
    let mut plan = Plan::new();
    let room = if broken { 1 } else { 2 };
    let (there, back) = (plan.channel("there", room), plan.channel("back", room));
    let sum = plan.variable("sum", 0);
    for (name, out, into) in [("left", there, back), ("right", back, there)] {
        plan.thread(name, |it| {
            it.repeat(2, |it| {
                it.send(out, 1);
            });
            it.repeat(2, |it| {
                it.recv(into).when(Is::Equal(1), |it| {
                    it.add(sum, 1);
                });
            });
        });
    }
    plan.finally(sum, Is::Equal(4));
    plan
}

#[test]
fn a_job_and_its_waiter_share_a_lock() {
    watch!();
    judged(
        a_lock_over_the_wait_for_a_job,
        &["server waits in result(page)", "workers waits in lock(cache), which server has"],
    );
}

#[test]
fn a_task_and_its_waiter_wait_for_each_other() {
    watch!();
    judged(
        a_task_that_awaits_its_waiter,
        &["fetch waits in result(shown)", "show waits in await data"],
    );
}

#[test]
fn channels_are_full_on_both_sides() {
    watch!();
    judged(
        channels_that_are_too_small,
        &["left waits in send(there, 1)", "right waits in send(back, 1)"],
    );
}
