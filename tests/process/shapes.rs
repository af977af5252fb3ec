//! Types of one name that have not the same in them, as two builds of a program have them.

use std::env;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use settled::{
    UnsentKind,
    process::{Function, ProcessPool},
};

use crate::{
    Test,
    jobs::{Ending, pool},
};

pub(crate) const TESTS: &[Test] = &[(
    "shapes::what_is_in_the_types_of_a_function_is_compared",
    what_is_in_the_types_of_a_function_is_compared,
)];

pub(crate) const SHAPED: Function<Shaped, ()> = Function::new("shaped", |Shaped| ());

/// What an order is, in a build of this number.
pub(crate) struct Shaped;

/// Types of one name, and whether the process is of the build that has them.
macro_rules! builds {
    ($($number:literal $name:ident { $($item:item)* })*) => {
        $(mod $name {
            use serde::{Deserialize, Serialize};

            $(#[derive(Default, Serialize, Deserialize)] $item)*
        })*

        const BUILDS: &[(usize, &str)] = &[$(($number, stringify!($name))),*];

        impl<'a> Deserialize<'a> for Shaped {
            fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
                let build = env::var("SETTLED_BUILD").ok().and_then(|it| it.parse().ok());
                match build.unwrap_or(0) {
                    $($number => $name::Order::deserialize(from).map(|_| Self),)*
                    other => panic!("{other}"),
                }
            }
        }
    };
}

impl Serialize for Shaped {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        first::Order::default().serialize(to)
    }
}

builds! {
    0 first {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    1 fields_are_swapped {
        pub(super) struct Order { price: u32, pieces: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    2 a_number_is_longer {
        pub(super) struct Order { pieces: u32, price: u64, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    3 an_element_has_a_sign {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(i8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    4 variants_are_swapped {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { Part(u8), #[default] Whole, Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    5 a_variant_has_another_number {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(i8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    6 the_last_variant_has_another_number {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: i8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    7 nothing_may_be_missing {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Kind, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    8 a_list_is_a_pair {
        pub(super) struct Order { pieces: u32, price: u32, lines: (Line, Line), kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
    9 a_variant_behind_a_variant_has_another_number {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8, u8);
        pub(super) struct Spot(u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(i32), Other }
    }
    10 elements_are_grouped_otherwise {
        pub(super) struct Order { pieces: u32, price: u32, lines: Vec<Line>, kind: Option<Kind>, reply: Reply, place: Place }
        pub(super) struct Line(u8, Kind);
        pub(super) struct Place(Spot, u8);
        pub(super) struct Spot(u8, u8, u8);
        pub(super) enum Kind { #[default] Whole, Part(u8), Parts { of: u8 } }
        pub(super) enum Reply { #[default] Fine, Fault(Fault) }
        pub(super) struct Fault { kind: Cause }
        pub(super) enum Cause { #[default] Nothing, Io(u32), Parse(u32), Other }
    }
}

fn what_is_in_the_types_of_a_function_is_compared() {
    pool(1).submit(&SHAPED, &Shaped).unwrap().join().unwrap();
    for (build, what) in BUILDS {
        let pool = ProcessPool::builder().env("SETTLED_BUILD", build.to_string());
        let pool = Ending(pool.build().unwrap());
        let job = pool.submit(&SHAPED, &Shaped).unwrap();
        match job.join() {
            Ok(()) => assert_eq!(*build, 0, "{what}"),
            Err(error) => {
                let failure = error.into_failure().unwrap();
                let unsent = failure.unsent().unwrap_or_else(|| panic!("{what}: {failure}"));
                assert_eq!(unsent.kind(), UnsentKind::OtherVersion, "{what}");
                assert_ne!(*build, 0);
            }
        }
    }
}
