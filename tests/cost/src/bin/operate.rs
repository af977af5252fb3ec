//! Does an operation so many times, for a tool that counts what that takes.

fn main() {
    let (operation, times) = settled_cost::chosen();
    operation(times);
}
