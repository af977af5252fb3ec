//! The example `explore`: what a browser is shown.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

/// Ends a process when it goes.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A port that is free now.
fn free() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// What is there, once somebody answers at the port.
fn get(explore: &mut Ends, port: u16, path: &str) -> String {
    let mut stream = loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => break stream,
            Err(_) => assert_eq!(explore.0.try_wait().unwrap(), None, "it has ended"),
        }
        thread::yield_now();
    };
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

#[test]
fn a_browser_is_shown_the_names() {
    watch!();
    let test = env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/explore");
    assert!(program.exists(), "build it first: cargo build --features model --example explore");
    let port = free();
    let mut explore = Command::new(program);
    explore.arg(port.to_string()).stdout(Stdio::null());
    let mut explore = Ends(explore.spawn().unwrap());
    assert!(get(&mut explore, port, "/.states").contains("System {"), "the first state");
    let steps = get(&mut explore, port, "/.states/0/");
    for says in ["orders: lock(stock)", "billing: cancel(order)"] {
        assert!(steps.contains(says), "{says}: {steps}");
    }
    // Both want the lock, and one has it.
    let steps = get(&mut explore, port, "/.states/0/0/");
    assert!(steps.contains("billing waits in lock(stock), which orders has"), "{steps}");
    assert!(get(&mut explore, port, "/").contains("<html"), "the page");
}
