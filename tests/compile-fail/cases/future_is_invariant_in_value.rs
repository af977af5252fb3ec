// A future shares its slot with a promise of exactly this type.
use settled::ThreadFuture;

fn shorten<'short>(
    long: ThreadFuture<&'static str, ()>,
    _: &'short str,
) -> ThreadFuture<&'short str, ()> {
    long
}

fn main() {
    let _ = shorten;
}
