//! Four small services, each broken in one place, and right.

use settled::model::{Finding, Is, Plan, Report, Wrong};

/// What goes wrong in a program, and its chart.
fn wrong(checked: Result<Report, Finding>) -> (Wrong, String) {
    let finding = checked.expect_err("the broken variant passed");
    let shown = finding.to_string();
    let run = finding.run().unwrap_or_else(|| panic!("not judged: {shown}"));
    (run.wrong().clone(), shown)
}

/// That a program is right, without a clock, and that some run comes to each of its calls.
fn right(checked: Result<Report, Finding>) {
    let report = checked.unwrap_or_else(|finding| panic!("{finding}"));
    assert!(report.unreached.is_empty() && !report.needs_expiry, "{report}");
}

/// A pool of two makes thumbnails: requests come through a channel, results go through a bounded one.
fn thumbnails(collects_first: bool) -> Result<Report, Finding> {
    let mut plan = Plan::new();
    let (requests, results) = (plan.channel("requests", 1), plan.channel("results", 1));
    let served = plan.variable("served", 0);
    let pool = plan.pool("pool", 2);
    let (one, two) = (plan.future("one"), plan.future("two"));
    plan.thread("main", |it| {
        for (future, name) in [(one, "resize 1"), (two, "resize 2")] {
            it.submit(pool, future, name, |it| {
                it.repeat(3, |it| {
                    it.recv(requests).when(Is::No, |it| it.returns());
                    it.add(served, 1);
                    it.send(results, 7);
                });
            });
        }
        it.send(requests, 1);
        it.send(requests, 2);
        it.close(requests);
        it.close_pool(pool);
        if collects_first {
            it.repeat(2, |it| {
                it.recv(results);
            });
            it.shutdown(pool);
        } else {
            it.shutdown(pool);
            it.repeat(2, |it| {
                it.recv(results);
            });
        }
        it.assert(served, Is::Equal(2));
    });
    plan.check()
}

#[test]
fn a_pool_whose_results_are_collected_before_its_end() {
    watch!();
    right(thumbnails(true));
}

/// A deadlock: `main` waits for the workers, and one of them for room.
#[test]
fn a_pool_that_is_joined_before_its_results_are_collected() {
    watch!();
    let (kind, chart) = wrong(thumbnails(false));
    assert_eq!(kind, Wrong::Deadlock);
    assert!(chart.contains("main waits in pool.shutdown()"), "{chart}");
    // Either of them, and it is said which.
    let who = ["pool 1", "pool 2"].map(|name| format!("{name} waits in send(results, 7)"));
    assert!(who.iter().any(|it| chart.contains(it)), "{chart}");
}

/// A window draws a download when it is done, also when it was cancelled by its button, and closes then.
fn window(button_only_closes: bool) -> Result<Report, Finding> {
    let mut plan = Plan::new();
    let download = plan.future("download");
    let drawn = plan.variable("drawn", 0);
    let window = plan.event_loop("window");
    plan.first(window, |it| {
        it.view_add_done_callback(download, "draw", |it| {
            it.view_result(download);
            it.add(drawn, 1);
            it.stop();
        });
    });
    plan.thread("net", |it| {
        it.start(download);
        it.finish(download);
    });
    plan.thread("user", |it| {
        it.post(window, "button", |it| {
            if button_only_closes {
                it.stop();
            } else {
                it.view_cancel(download);
            }
        });
    });
    plan.finally(drawn, Is::Equal(1));
    plan.check()
}

#[test]
fn a_window_that_closes_when_it_has_drawn() {
    watch!();
    right(window(false));
}

/// The assertion fails: the loop that stops drops the callback of a future that is open.
#[test]
fn a_window_whose_button_closes_it() {
    watch!();
    let (kind, chart) = wrong(window(true));
    assert!(matches!(&kind, Wrong::Assertion(what) if what.contains("drawn")), "{kind:?}");
    assert!(chart.contains("drops what waits"), "{chart}");
}

/// A loader fills a cache under its lock; two readers poll for it, and count what they read.
fn cache(polls_under_lock: bool, counts_under_lock: bool) -> Result<Report, Finding> {
    let mut plan = Plan::new();
    let entry = plan.future("entry");
    let table = plan.lock("table");
    let (filled, hits) = (plan.variable("filled", 0), plan.variable("hits", 0));
    plan.thread("loader", |it| {
        it.start(entry);
        it.lock(table, |it| it.store(filled, 1));
        it.finish(entry);
    });
    for reader in ["ann", "bob"] {
        plan.thread(reader, |it| {
            if polls_under_lock {
                it.lock(table, |it| {
                    it.until_done(entry);
                });
            } else {
                it.until_done(entry);
            }
            it.assert(filled, Is::Equal(1));
            if counts_under_lock {
                it.lock(table, |it| {
                    it.load(hits);
                    it.store_loaded(hits, 1);
                });
            } else {
                it.load(hits);
                it.store_loaded(hits, 1);
            }
        });
    }
    plan.finally(hits, Is::Equal(2));
    plan.check()
}

#[test]
fn a_cache_that_is_polled_without_its_lock() {
    watch!();
    right(cache(false, true));
}

/// A run that never ends: a reader polls and has the lock that the loader needs.
#[test]
fn a_cache_that_is_polled_under_its_lock() {
    watch!();
    let (kind, chart) = wrong(cache(true, true));
    assert_eq!(kind, Wrong::ForEver);
    assert!(chart.contains("loader waits in lock(table)"), "{chart}");
}

/// A lost update.
#[test]
fn a_cache_whose_hits_are_counted_without_its_lock() {
    watch!();
    let (kind, chart) = wrong(cache(false, false));
    assert!(matches!(&kind, Wrong::Assertion(what) if what.contains("hits")), "{kind:?}");
    assert!(chart.contains("load(hits)"), "{chart}");
}

/// A job of a pool of one worker waits for a job of the same pool, which takes a lock.
fn nested(waits_under_lock: bool) -> Result<Report, Finding> {
    let mut plan = Plan::new();
    let pool = plan.pool("pool", 1);
    let db = plan.lock("db");
    let (report, rows) = (plan.future("report"), plan.future("rows"));
    plan.thread("main", |it| {
        it.submit(pool, report, "report job", |it| {
            it.submit(pool, rows, "rows job", |it| it.lock(db, |_| ()));
            if waits_under_lock {
                it.lock(db, |it| {
                    it.result(rows);
                });
            } else {
                it.result(rows);
                it.lock(db, |_| ());
            }
        });
        it.result(report);
    });
    plan.check()
}

/// The worker helps itself.
#[test]
fn a_job_that_waits_for_its_own_and_locks_then() {
    watch!();
    right(nested(false));
}

/// A deadlock: the worker helps itself to a job that takes the lock that it has.
#[test]
fn a_job_that_waits_for_its_own_under_a_lock() {
    watch!();
    let (kind, chart) = wrong(nested(true));
    assert_eq!(kind, Wrong::Deadlock);
    assert!(chart.contains("waits in lock(db)"), "{chart}");
}
