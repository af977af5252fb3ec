//! Counts what each operation costs, and compares it with the table: `compare <directory of the programs> <table>`.
//!
//! Instructions and locked operations are counted by callgrind, which executes every one of them; allocations and bytes
//! by the allocator of the program `allocate`. Locked is an instruction of the program (not of the C library) with
//! the prefix `lock`, or an exchange with memory.

use std::{
    collections::HashSet,
    env,
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use settled_cost::{GROWING, OF_MANY, OF_TWO_THREADS, OPERATIONS, PEERS, SEEDED, of_peer};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What is done more often the second time is what is counted.
const TIMES: [usize; 2] = [2_000, 6_000];

/// The same again of operations of many: so many more times, each may cost so many times as many instructions.
const FARTHER: [usize; 2] = [20_000, 60_000];
const GROWTH: f64 = 1.5;

/// By how many percent instructions may differ, since hashes are seeded at random and the C library varies, and locked
/// operations, since a thread waits for another once more or less: below 25 of them one more is told all the same.
const TOLERANCES: [f64; 4] = [2.0, 4.0, 0.0, 0.0];

/// What one operation costs. Locked operations are exact to one digit, since a thread may have to wait for another once
/// more; allocations to two; bytes to whole ones, since a queue doubles.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    instructions: f64,
    locked: f64,
    allocations: f64,
    bytes: f64,
}

impl Cost {
    const NAMES: [&str; 4] = ["instructions", "locked operations", "allocations", "bytes"];

    fn numbers(self) -> [f64; 4] {
        [self.instructions, self.locked, self.allocations, self.bytes]
    }

    fn of([instructions, locked, allocations, bytes]: [f64; 4]) -> Self {
        Self { instructions, locked, allocations, bytes }
    }

    fn parse(cells: &[&str]) -> Result<Self> {
        let numbers: Vec<f64> =
            cells.iter().map(|cell| cell.trim().parse()).collect::<Result<_, _>>()?;
        Ok(Self::of(numbers.try_into().map_err(|it| format!("not four numbers: {it:?}"))?))
    }

    /// The lesser of each number.
    fn least(self, other: Self) -> Self {
        let (ours, theirs) = (self.numbers(), other.numbers());
        Self::of(std::array::from_fn(|at| ours[at].min(theirs[at])))
    }

    /// What is more here than there, beyond the tolerance.
    fn dearer_than(self, other: Self) -> Vec<String> {
        let (ours, theirs) = (self.numbers(), other.numbers());
        let more = |at: &usize| {
            let slack = theirs[*at] * TOLERANCES[*at] / 100.0;
            ours[*at] > theirs[*at] + slack
        };
        let say = |at| format!("{} {} instead of {}", ours[at], Self::NAMES[at], theirs[at]);
        (0..4).filter(more).map(say).collect()
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instructions, locked, allocations, bytes } = self;
        write!(f, "{instructions} | {locked} | {allocations} | {bytes}")
    }
}

/// What the table says of an operation.
#[derive(Clone, Debug)]
struct Row {
    now: Cost,
    /// The least that each number has been.
    least: Cost,
    /// Why it is more now.
    reason: String,
}

impl Row {
    fn parse(line: &str) -> Result<(String, Self)> {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, instructions, locked, allocations, bytes, least, reason] = cells[..] else {
            return Err(format!("not seven cells: {line}").into());
        };
        let now = Cost::parse(&[instructions, locked, allocations, bytes])?;
        let row = Self {
            now,
            least: Cost::parse(&least.split(',').collect::<Vec<_>>())?,
            reason: reason.to_owned(),
        };
        Ok((name.to_owned(), row))
    }

    fn line(&self, name: &str) -> String {
        let least = self.least.to_string().replace(" |", ",");
        format!("| {name} | {} | {least} | {} |\n", self.now, self.reason).replace("|  |", "| |")
    }

    /// What is wrong with what was counted, beside this row.
    fn faults(&self, counted: Cost) -> Vec<String> {
        let mut faults = counted.dearer_than(self.now);
        let cheaper = self.now.dearer_than(counted);
        faults.extend(cheaper.into_iter().map(|it| format!("cheaper, to be blessed: was {it}")));
        let risen = self.now.dearer_than(self.least);
        if self.reason.is_empty() && !risen.is_empty() {
            faults.push(format!("dearer than it has been, without a reason: {}", risen.join(", ")));
        }
        faults
    }
}

/// Runs a program; its output.
fn run(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{said}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a disassembled instruction locks the bus.
fn is_locked(instruction: &str) -> bool {
    instruction.starts_with("lock ")
        || instruction.starts_with("xchg ") && instruction.contains('(')
}

struct Counter {
    directory: PathBuf,
    /// The addresses of the program's locked instructions.
    locked: HashSet<u64>,
}

impl Counter {
    fn new(directory: PathBuf) -> Result<Self> {
        let program = directory.join("operate");
        let text = run(Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(&program))?;
        let locked = text.lines().filter_map(|line| {
            let (address, instruction) = line.split_once(':')?;
            let address = u64::from_str_radix(address.trim(), 16).ok()?;
            is_locked(instruction.trim()).then_some(address)
        });
        Ok(Self { directory, locked: locked.collect() })
    }

    /// The instructions of a run, those of the program alone, and the locked ones among these.
    fn executed(&self, name: &str, times: usize) -> Result<[u64; 3]> {
        let program = self.directory.join("operate");
        let profile = self.directory.join(format!("callgrind.{:?}", thread::current().id()));
        let mut callgrind = Command::new("valgrind");
        callgrind.args(["--quiet", "--tool=callgrind", "--dump-instr=yes"]);
        callgrind.args(["--compress-pos=no", "--compress-strings=no"]);
        callgrind.arg(format!("--callgrind-out-file={}", profile.display()));
        run(callgrind.arg(&program).arg(name).arg(times.to_string()))?;
        let text = fs::read_to_string(&profile)?;
        fs::remove_file(&profile)?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let [ours, locked] = self.of_the_program(&text, &program)?;
        Ok([total.ok_or("a profile without totals")?.trim().parse()?, ours, locked])
    }

    /// How many instructions of the program a profile says that it executed, and how many locked ones.
    fn of_the_program(&self, profile: &str, program: &Path) -> Result<[u64; 2]> {
        let (mut ours, mut is_call, mut all, mut locked) = (false, false, 0, 0);
        for line in profile.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                ours = Path::new(object) == program;
            } else if line.starts_with("calls=") {
                // The next line is the cost of what was called, which has its own lines.
                is_call = true;
            } else if let Some(line) = line.strip_prefix("0x")
                && !std::mem::take(&mut is_call)
                && ours
            {
                let mut words = line.split(' ');
                let address = u64::from_str_radix(words.next().unwrap_or_default(), 16)?;
                let count = words.nth(1).ok_or("a cost without a number")?.parse::<u64>()?;
                all += count;
                if self.locked.contains(&address) {
                    locked += count;
                }
            }
        }
        Ok([all, locked])
    }

    /// The allocations of a run, and their bytes.
    fn allocated(&self, name: &str, times: usize) -> Result<[u64; 2]> {
        let program = self.directory.join("allocate");
        let told = run(Command::new(program).arg(name).arg(times.to_string()))?;
        let (allocations, bytes) = told.trim().split_once(' ').ok_or("not two numbers")?;
        Ok([allocations.parse()?, bytes.parse()?])
    }

    /// What is wrong with an operation of many, each of which costs so many instructions among few.
    fn growth(&self, name: &str, few: f64) -> Result<Option<String>> {
        let [less, more] = FARTHER.map(|times| self.executed(name, times));
        let at = usize::from(name.starts_with(OF_TWO_THREADS));
        let many = (more?[at] as f64 - less?[at] as f64) / (FARTHER[1] - FARTHER[0]) as f64;
        println!("{name}: {many:.0} instructions among many, {:.2} times as many", many / few);
        let [few_of, many_of] = [TIMES, FARTHER].map(|[less, more]| format!("{less} to {more}"));
        let said =
            || format!("{many:.0} instructions among {many_of} instead of {few} among {few_of}");
        Ok((many > GROWTH * few).then(said))
    }

    fn count(&self, name: &str) -> Result<Cost> {
        let [few, many] = TIMES;
        let each = |few: u64, many: u64, digits: i32| {
            let factor = 10_f64.powi(digits);
            ((many as f64 - few as f64) / (TIMES[1] - TIMES[0]) as f64 * factor).round() / factor
        };
        let (less, more) = (self.executed(name, few)?, self.executed(name, many)?);
        let (fewer, greater) = (self.allocated(name, few)?, self.allocated(name, many)?);
        let instructions = usize::from(name.starts_with(OF_TWO_THREADS));
        Ok(Cost {
            instructions: each(less[instructions], more[instructions], 0),
            locked: each(less[2], more[2], 1),
            allocations: each(fewer[0], greater[0], 2),
            bytes: each(fewer[1], greater[1], 0),
        })
    }
}

/// Does something with each of some items, as many at a time as there are processors: valgrind keeps one of them busy.
/// What comes of it is in their order.
fn in_lanes<T: Sync, R: Send>(
    items: &[T],
    each: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let lane = || {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(at)
        {
            done.push((at, each(item).map_err(|error| error.to_string())));
        }
        done
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let lanes = thread::available_parallelism().map_or(1, usize::from);
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().flat_map(|it| it.join().expect("a lane does not panic")).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, it)| Ok(it?)).collect()
}

/// Where the table of the peers begins.
const BESIDE: &str = "## Beside peers";

/// The text up to that of the peers, and from there on.
fn parts(text: &str) -> Result<(&str, &str)> {
    let at = text.find(BESIDE).ok_or("the text does not speak of peers")?;
    Ok(text.split_at(at))
}

/// The rows of the table, by operation.
fn rows(text: &str) -> Result<Vec<(String, Row)>> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| operation");
    parts(text)?.0.lines().filter(is_row).map(Row::parse).collect()
}

/// A text that ends with a table, with other rows. What it says besides stays.
fn with_rows(text: &str, columns: &str, rows: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<_> = text.lines().take_while(|line| !line.starts_with("|---")).collect();
    lines.push(columns);
    lines.join("\n") + "\n" + &rows.collect::<String>()
}

/// What the peers cost, beside what the same costs here. It is written and shown, and compared with nothing: it is theirs.
fn peers(counter: &Counter, rows: &[(&str, Row)]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let counts = in_lanes(&PEERS, |(name, peer, _)| counter.count(&of_peer(name, peer)))?;
    for ((name, peer, _), counted) in PEERS.into_iter().zip(counts) {
        let (_, row) = rows.iter().find(|(row, _)| *row == name).ok_or("a peer of nothing")?;
        println!("{name}, {peer}: {}", counted.to_string().replace(" |", ","));
        lines.push(format!("| {name} | {} | {peer} | {counted} |\n", row.now));
    }
    Ok(lines)
}

/// An operation that was made dearer on purpose must be found to be.
fn seeded(counter: &Counter, rows: &[(String, Row)]) -> Result<()> {
    for ((name, _), dearer) in SEEDED.iter().zip(["locked operations", "allocations"]) {
        let (_, row) = &rows[0];
        let faults = row.faults(counter.count(name)?).join("; ");
        if !faults.contains(dearer) {
            return Err(format!("it does not see that this is dearer: {name}: {faults:?}").into());
        }
        println!("seen: {name}: {faults}");
    }
    let (name, _) = GROWING;
    let few = counter.count(name)?.instructions;
    let grows = counter.growth(name, few)?.ok_or("it does not see that an operation grows")?;
    println!("seen: {name}: {grows}");
    Ok(())
}

fn compare() -> Result<bool> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().ok_or("where are the programs?")?.canonicalize()?;
    let table = arguments.next().ok_or("where is the table?")?;
    let text = fs::read_to_string(&table)?;
    let (mut known, counter) = (rows(&text)?, Counter::new(directory)?);
    let blesses = env::var_os("SETTLED_BLESS").is_some();
    let (mut fresh, mut failed) = (Vec::new(), false);
    let counts = in_lanes(&OPERATIONS, |(name, _)| {
        let counted = counter.count(name)?;
        let is_of_many = OF_MANY.contains(name);
        let grows = is_of_many.then(|| counter.growth(name, counted.instructions)).transpose()?;
        Ok((counted, grows.flatten()))
    })?;
    for ((name, _), (counted, grows)) in OPERATIONS.into_iter().zip(counts) {
        let row = known.iter().find(|(known, _)| known == name).map(|(_, row)| row.clone());
        let row = match row {
            None if blesses => Row { now: counted, least: counted, reason: String::new() },
            None => return Err(format!("the table does not have {name}: {counted}").into()),
            Some(row) if blesses => Row { now: counted, least: row.least.least(counted), ..row },
            Some(row) => row,
        };
        println!("{name}: {}", counted.to_string().replace(" |", ","));
        let mut faults = row.faults(counted);
        faults.extend(grows);
        for fault in faults {
            println!("FAILED: {name}: {fault}");
            failed = true;
        }
        fresh.push((name, row));
    }
    let beside = peers(&counter, &fresh)?;
    if blesses {
        let (table_of_ours, table_of_peers) = parts(&text)?;
        let columns = "|---|---:|---:|---:|---:|---|---|";
        let ours = with_rows(table_of_ours, columns, fresh.iter().map(|(it, row)| row.line(it)));
        let columns = "|---|---:|---:|---:|---:|---|---:|---:|---:|---:|";
        let text = ours + "\n" + &with_rows(table_of_peers, columns, beside.into_iter());
        fs::write(&table, &text)?;
        known = rows(&text)?;
    }
    if known.len() != OPERATIONS.len() {
        return Err("the table has rows that no operation is for".into());
    }
    seeded(&counter, &known)?;
    Ok(!failed)
}

fn main() -> ExitCode {
    match compare() {
        Ok(true) => println!("cost: {} operations, none dearer", OPERATIONS.len()),
        Ok(false) => return ExitCode::FAILURE,
        Err(error) => {
            println!("FAILED: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
