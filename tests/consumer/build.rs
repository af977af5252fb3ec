//! Builds the C library of the program `callbacks`.

fn main() {
    println!("cargo::rerun-if-changed=programs/lookup.c");
    cc::Build::new().file("programs/lookup.c").warnings_into_errors(true).compile("lookup");
}
