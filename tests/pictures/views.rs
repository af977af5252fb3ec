//! The two views over one cell. That each has the calls that are drawn is seen by the compiler.

use settled::{LoopFuture, LoopRef, Promise, ThreadFuture, bridge, phase::Pending};

use crate::svg::Picture;

/// The calls, as they are written, if they are there.
macro_rules! calls {
    ($it:ident: $of:ty; $($name:literal is $call:expr;)*) => {{
        $( let _ = |$it: $of| see($call); )*
        [$($name),*]
    }};
}

/// Takes whatever a call answers.
fn see<T>(_: T) {}

type Thread = ThreadFuture<u8, u8>;
type Loop = LoopFuture<u8, u8>;

/// One of the two views, with its calls.
fn view(picture: &mut Picture, class: &str, x: i32, head: [&str; 2], calls: &[&str]) {
    picture.rect(class, (x, 180), (200, 172));
    picture.text("big mid", (x + 100, 206), head[0]);
    picture.text("mid soft", (x + 100, 226), head[1]);
    picture.lines("code", (x + 20, 254), calls);
}

/// How the views and the cell know each other, and how one view is made of the other.
fn ways(picture: &mut Picture, across: &str, back: &str) {
    picture.arrow("thread", &[(222, 250), (298, 250)]);
    picture.text("soft mid", (260, 242), "looks");
    picture.arrow("thread", &[(298, 284), (222, 284)]);
    picture.text("soft mid", (260, 300), "wakes");
    picture.arrow("loop", &[(578, 250), (502, 250)]);
    picture.text("soft mid", (540, 242), "cancels");

    // What a loop is told comes through its queue.
    picture.arrow("loop", &[(400, 318), (400, 388), (508, 388)]);
    picture.text("soft end", (392, 360), "tells its hook");
    for place in 0..4 {
        picture.rect("loop", (512 + place * 26, 374), (24, 28));
    }
    picture.text("soft mid", (563, 420), "the loop's queue");
    picture.arrow("loop", &[(618, 388), (660, 388), (660, 354)]);
    picture.text("soft", (652, 406), "in a later turn");

    picture.arrow("ink dash", &[(680, 178), (680, 36), (120, 36), (120, 178)]);
    picture.text("code mid", (400, 28), back);
    picture.arrow("ink dash", &[(120, 354), (120, 456), (766, 456), (766, 354)]);
    picture.text("code mid", (400, 474), across);
}

pub(crate) fn draw() -> String {
    let waits = calls! { it: Thread;
        "wait(), result()" is (it.wait().is_ok(), it.result().is_ok());
        "wait_timeout(…)" is it.wait_timeout(std::time::Duration::ZERO).is_ok();
        "join()" is it.join();
        "add_done_callback(f)" is it.add_done_callback(|_| ());
        "cancel(), done()" is (it.cancel(), it.done());
    };
    let asks = calls! { it: Loop;
        "result()" is it.result().is_ok();
        "it.await" is async { it.await.cancelled() };
        "add_done_callback(f)" is it.add_done_callback(|_| ());
        "cancel(), done()" is (it.cancel(), it.done());
    };
    let settles = calls! { it: Promise<u8, u8, Pending>;
        "start()" is it.start().is_ok();
        "finish(value)" is it.finish(0).is_ok();
        "fail(error)" is it.fail(0).is_ok();
    };
    let [across, back] = calls! { it: (&Thread, &Loop, &LoopRef);
        "bridge::wrap_future" is bridge::wrap_future(it.0, it.2);
        "bridge::thread_future" is bridge::thread_future(it.1);
    };

    let mut picture = Picture::new(
        (800, 490),
        "Two views over one cell",
        "One promise settles the cell. A ThreadFuture waits for the cell itself; a LoopFuture is told by way of its loop's \
         queue. Both are handles on the same cell.",
    );
    picture.card(
        "plain",
        (260, 64),
        (280, 74),
        &["Promise", &settles.join(", "), "settles it, once"],
    );
    picture.arrow("ink", &[(400, 140), (400, 204)]);
    picture.card(
        "cell",
        (300, 208),
        (200, 108),
        &["the cell", "state of the machine", "outcome", "who waits"],
    );

    view(&mut picture, "thread", 20, ["ThreadFuture", "may block; any thread"], &waits);
    view(&mut picture, "loop", 580, ["LoopFuture", "never blocks; its loop's thread"], &asks);

    ways(&mut picture, across, back);
    picture.finish()
}
