//! `cargo bench -p settled-bench`: see the library.

fn main() {
    settled_bench::main(std::env::args().skip(1), env!("CARGO_BIN_EXE_sizes"));
}
