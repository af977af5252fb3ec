//! Broken twins: a protocol that is wrong in one place, the run that shows it, and the lemma that no longer holds.

use crate::system::{Step, System, Twin, add, guard, twin, unguard};

/// Does so in each step that settles.
fn settling(system: &mut System, change: fn(&mut Step)) {
    for name in ["finish", "stop", "cancel", "abandon"] {
        change(system.step(name));
    }
}

pub(crate) const TWINS: &[Twin] = &[
    twin(
        "a settlement that writes no outcome",
        "settled is that the slot is written",
        "cancel",
        |it| it.step("cancel").keep("slot"),
    ),
    twin(
        "a settlement that does not ask the table",
        "the slot is written once",
        "cancel finish",
        |it| unguard(it.step("finish"), "((_ is To) (on state Finish))"),
    ),
    twin(
        "a finish that moves a cancelled future",
        "a settled future stays as it was settled",
        "cancel finish-anyway",
        |it| {
            add(it, "finish", "finish-anyway", "(settled state)", &[]);
            it.step("finish-anyway").set("state", "Finished");
        },
    ),
    twin(
        "a clear that leaves them in the list",
        "a callback that was dropped is never called",
        "register-callback clear",
        |it| it.step("clear").keep("queued"),
    ),
    twin(
        "a thread that awaits as a task does",
        "threads and tasks each keep to their own steps",
        "poll",
        |it| unguard(it.step("poll"), "(task w)"),
    ),
    twin(
        "an await that is dropped and takes all others with it",
        "who waits for what is not so yet is listed, or was told",
        "register poll move give-up register drop",
        |it| it.step("drop").set("listed", "false"),
    ),
    twin(
        "a wait that expires and leaves its place behind",
        "who does not wait is not listed",
        "register expire clock look deregister",
        |it| it.step("deregister").keep("listed"),
    ),
    twin("told before it is settled", "nobody is told early", "register tell-early", |it| {
        add(it, "tell", "tell-early", "(listed w)", &[("told", "true"), ("token", "true")]);
    }),
    twin(
        "a token that others may give",
        "nobody has a token that was not told",
        "register unpark",
        |it| add(it, "tell", "unpark", "(listed w)", &[("token", "true")]),
    ),
    twin(
        "a list that is kept after it was taken",
        "nobody is listed who waits for nothing more",
        "register finish",
        |it| settling(it, |step| step.keep("listed")),
    ),
    twin(
        "a late waiter that is listed",
        "nobody is listed who waits for nothing more",
        "finish register-late",
        |it| it.step("register-late").put("listed", "true"),
    ),
    twin(
        "a registration in two steps",
        "no wake-up is lost",
        "poll move give-up find-unsettled finish register",
        |it| {
            it.phases += "(Found)";
            let begins = it.step("register").guard.clone();
            add(it, "register", "find-unsettled", &begins, &[("phase", "Found")]);
            it.step("register").guard = "(= (phase w) Found)".to_owned();
        },
    ),
    twin(
        "only one waiter told",
        "no wake-up is lost",
        "register clock look sleep register clock look sleep finish tell",
        |it| it.step("tell").set("owed", "false"),
    ),
    twin(
        "a token without a ring",
        "no wake-up is lost",
        "register clock look sleep finish tell",
        |it| it.step("tell").keep("ring"),
    ),
    twin(
        "a sleeper with a token that nobody wakes",
        "a thread that sleeps with a token is to be woken",
        "register clock look sleep finish tell",
        |it| it.step("tell").keep("ring"),
    ),
    twin(
        "a ring before its token",
        "no wake-up is lost",
        "register clock look sleep finish tell",
        |it| it.step("tell").keep("token"),
    ),
    twin(
        "a thread that throws its token away before it sleeps",
        "no wake-up is lost",
        "register clock look finish tell sleep",
        |it| {
            unguard(it.step("sleep"), "(not (token w))");
            it.step("sleep").put("token", "false");
        },
    ),
    twin(
        "a task that keeps its place without looking whether it has one",
        "no wake-up is lost",
        "poll move give-up register finish tell poll stay",
        |it| unguard(it.step("stay"), "(listed w)"),
    ),
    twin(
        "told without a token",
        "who parks for what is so is owed its token or has it",
        "register clock look finish tell",
        |it| it.step("tell").keep("token"),
    ),
    twin(
        "a spurious wake-up that returns true",
        "who returns true found it so",
        "register clock look sleep spurious",
        |it| it.step("spurious").put("phase", "Settled"),
    ),
    twin(
        "a token that is lost on expiry",
        "who returns false found it not so",
        "register clock look finish tell expire take",
        |it| {
            it.step("take").put("phase", "(ite (over x) Expired Looking)");
            it.step("take").put("lied", "(or (lied x) (and (over x) (settled state)))");
        },
    ),
    twin(
        "a wait that leaves without looking",
        "who returns false found it not so",
        "register expire clock look finish deregister",
        |it| {
            it.step("deregister").put("phase", "Expired");
            it.step("deregister").put("lied", "(or (lied x) (settled state))");
        },
    ),
    twin(
        "a wait that gives up before its time",
        "who gives up has met its deadline",
        "register clock look",
        |it| it.step("look").put("phase", "(ite (settled state) Settled Leaving)"),
    ),
    twin(
        "a wait without a deadline that expires",
        "a deadline passes only if there is one",
        "expire",
        |it| unguard(it.step("expire"), "(timed w)"),
    ),
    twin(
        "one who is told and stays owed",
        "who is owed was not told",
        "register finish tell",
        |it| {
            it.step("tell").keep("owed");
        },
    ),
    twin(
        "one who is told again",
        "nobody is told twice",
        "register finish tell tell-again",
        |it| add(it, "tell", "tell-again", "(told w)", &[("twice", "true")]),
    ),
    twin(
        "a waiter without a place in the order",
        "the waiters of a list are in one order",
        "register register",
        |it| it.step("register").keep("ahead"),
    ),
    twin(
        "the last one is told first",
        "waiters are told in order",
        "register register finish tell",
        |it| {
            let tell = it.step("tell");
            tell.guard = tell.guard.replace("(ahead u w)", "(ahead w u)");
        },
    ),
    twin(
        "a callback that is called early",
        "no callback runs early",
        "register-callback call-early",
        |it| {
            add(it, "call", "call-early", "(queued c)", &[("queued", "false"), ("called", "true")]);
        },
    ),
    twin(
        "a late callback that is stored",
        "no callback is left in the cell",
        "finish register-callback-late",
        |it| {
            it.step("register-callback-late").keep("late");
            it.step("register-callback-late").put("queued", "true");
        },
    ),
    twin(
        "callbacks that are copied and not taken",
        "no callback is left in the cell",
        "register-callback finish",
        |it| settling(it, |step| step.keep("queued")),
    ),
    twin(
        "callbacks that are dropped and not taken",
        "no callback is lost",
        "register-callback finish",
        |it| settling(it, |step| step.keep("due")),
    ),
    twin(
        "a callback that is called and stays due",
        "a callback is in one place",
        "register-callback finish call",
        |it| it.step("call").keep("due"),
    ),
    twin(
        "a callback that is called again",
        "no callback runs twice",
        "register-callback finish call call-again",
        |it| add(it, "call", "call-again", "(called c)", &[("again", "true")]),
    ),
    twin(
        "a callback without a place in the order",
        "the callbacks of a list are in one order",
        "register-callback register-callback",
        |it| it.step("register-callback").keep("before"),
    ),
    twin(
        "a callback before its turn",
        "callbacks run in order",
        "register-callback register-callback finish call",
        |it| unguard(it.step("call"), "(not (before u c))"),
    ),
    twin(
        "a callback that begins while another runs",
        "callbacks run one at a time",
        "register-callback register-callback finish call call",
        |it| unguard(it.step("call"), "(not (exists ((u C)) (running u)))"),
    ),
    twin(
        "callbacks before those who wait",
        "callbacks run when all who wait were told",
        "register register-callback finish call",
        |it| unguard(it.step("call"), "(not (exists ((u W)) (owed u)))"),
    ),
    twin(
        "callbacks before those who wait, and the other way round",
        "while somebody is owed, somebody can be told",
        "register register-callback finish",
        |it| guard(it.step("tell"), "(not (exists ((u C)) (due u)))"),
    ),
    twin(
        "one who sleeps is not told",
        "nobody sleeps for ever over a settled future",
        "register clock look sleep finish",
        |it| guard(it.step("tell"), "(distinct (phase w) Asleep)"),
    ),
    twin(
        "callbacks that wait until nobody sleeps",
        "while a callback is due, one can be called or one runs, or somebody can be told",
        "register clock look sleep register-callback finish tell",
        |it| guard(it.step("call"), "(not (exists ((u W)) (= (phase u) Asleep)))"),
    ),
    twin(
        "a future that is lent before it is settled",
        "what is lent is settled",
        "lend-early",
        |it| {
            add(it, "start", "lend-early", "true", &[]);
            it.step("lend-early").set("lent", "true");
        },
    ),
    twin(
        "callbacks that are lent nothing",
        "a value is lent as long as a callback has to return",
        "register-callback finish",
        |it| settling(it, |step| step.keep("lending")),
    ),
    twin(
        "an outcome that is given back while a callback runs",
        "a value is lent as long as a callback has to return",
        "register-callback finish call give-back",
        |it| {
            let give_back = it.step("give-back");
            give_back.guard = "lending".to_owned();
        },
    ),
    twin(
        "takers who are told with the others",
        "nobody is told early",
        "register register-callback finish",
        |it| it.step("finish").set("owed", "(or (owed x) (listed x))"),
    ),
    twin(
        "takers of whom nobody knows when it is given back",
        "no wake-up is lost",
        "register clock look sleep register-callback finish call return give-back",
        |it| it.step("give-back").keep("owed"),
    ),
    twin(
        "takers who are left in the list",
        "nobody is listed who waits for nothing more",
        "register register-callback finish call return give-back",
        |it| it.step("give-back").keep("listed"),
    ),
    // A callback that came late lends anew before who was told has looked.
    twin(
        "a taker that parks again without a place",
        "who waits for what is not so yet is listed, or was told",
        "register-callback register clock look finish call return give-back tell \
         register-callback-late lend-late take",
        |it| it.step("take").put("phase", "Looking"),
    ),
    twin(
        "a taker that gives its place up and keeps no other",
        "who waits for what is not so yet is listed, or was told",
        "register-callback register clock look finish call return give-back tell \
         register-callback-late lend-late take leave",
        |it| it.step("leave").put("phase", "Looking"),
    ),
    twin(
        "the end of a lending that nobody notes",
        "what is free is settled, and what is settled and not lent is free",
        "register-callback finish call return give-back",
        |it| it.step("give-back").keep("free"),
    ),
    twin(
        "a lending that ends with the first of two",
        "it is lent as long as one lends",
        "register-callback finish register-callback-late lend-late call-late return-late",
        |it| it.step("return-late").set("lent", "false"),
    ),
    twin(
        "a late callback that is lent a handle and forgotten",
        "what is lent late has been or will be called",
        "finish register-callback-late lend-late",
        |it| it.step("lend-late").put("late", "false"),
    ),
    twin(
        "an outcome that is never given back",
        "what is lent is given back when nobody can be told and no callback called or running",
        "register-callback finish call return",
        |it| guard(it.step("give-back"), "false"),
    ),
];
