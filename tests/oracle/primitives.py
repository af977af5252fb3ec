"""Runs programs of calls on Python's events, semaphores, locks, conditions and barriers.

A program is a kind, a number and calls, each a letter. The kinds are `s`, `b`, `e`, `l`, `c`, `m`: semaphore, bounded
semaphore, event, lock, condition and barrier of `threading`; in capitals those of `asyncio`. The number is that of the
permits, or of the parties. Each answer is what the call is told, and who has come from a wait since the last one:
`token:0,c1,b2`, where 1 was cancelled, and 2 was of another loop. Of a barrier it is also whether it is broken, and what
each who has come is told.
"""

import _thread
import asyncio
import contextlib
import sys
import threading
import time

import trees

# A thread that was woken goes on when the one that woke it waits, and not before.
sys.setswitchinterval(1000)

# What is left of a task whose loop was closed cannot give its lock back as it goes.
sys.unraisablehook = lambda _: None

# How long something is waited for that cannot come.
MOMENT = 1e-4
CLIENTS = 3


def truth(value):
    return "T" if value else "F"


def notify_without_lock(condition):
    try:
        condition.notify()
    except RuntimeError:
        return "E"
    return "o"


def number(wait):
    """What a wait at a barrier answers."""
    try:
        return str(wait())
    except (threading.BrokenBarrierError, asyncio.BrokenBarrierError):
        return "B"


class Seen:
    """A lock that counts how often it is released."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acquire = self.lock.acquire
        self.released = 0

    def release(self):
        self.released += 1
        self.lock.release()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


class Client:
    """A thread that waits when it is told to."""

    def __init__(self):
        self.go = _thread.allocate_lock()
        self.go.acquire()
        self.job = None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.go.acquire()
            self.job()

    def start(self, job):
        self.job = job
        self.go.release()


POOL = [Client() for _ in range(CLIENTS)]


class Threads:
    def __init__(self, kind, number):
        self.kind = kind
        match kind:
            case "s":
                self.it = threading.Semaphore(number)
            case "b":
                self.it = threading.BoundedSemaphore(number)
            case "e":
                self.it = threading.Event()
            case "l":
                self.it = threading.Lock()
            case "c":
                self.it = threading.Condition(Seen())
            case "m":
                self.it = threading.Barrier(number)
        self.wait = self.it.acquire if kind in "sbl" else self.it.wait
        # Who was notified, and waits for the lock, which is held.
        self.notified = 0
        self.free = list(POOL)
        self.names = 0
        self.busy = 0
        self.begun = 0
        self.held = 0
        self.came = []

    def take(self):
        came, self.came = sorted(self.came), []
        return ",".join(map(str, came))

    def is_quiet(self):
        """Whether each client that has not come is asleep."""
        if self.begun < self.names:
            return False
        if self.kind == "l":
            return self.busy == 0 or self.held > 0
        if self.kind == "c":
            return len(self.it._waiters) + self.notified == self.busy
        return len(self.it._cond._waiters) == self.busy

    def settle(self):
        while not self.is_quiet():
            time.sleep(0)

    def client(self):
        name, client = self.names, self.free.pop(0)
        self.names += 1
        self.busy += 1

        def job():
            self.begun += 1
            told = self.comes()
            self.busy -= 1
            self.came.append(f"{name}{told}")
            self.free.append(client)

        client.start(job)
        return "o"

    def comes(self):
        """Waits, and says what it is told besides."""
        match self.kind:
            case "m":
                return "=" + number(self.wait)
            case "c":
                with self.it:
                    self.wait()
            case _:
                self.wait()
                self.held += 1
        return ""

    def got(self, value):
        self.held += bool(value)
        return truth(value)

    def call(self, letter):
        try:
            token = self.act(letter)
        except ValueError:
            token = "V"
        self.settle()
        return token + truth(self.it.broken) if self.kind == "m" else token

    def act(self, letter):
        it = self.it
        if self.kind == "c":
            return self.act_on_condition(letter)
        if self.kind == "m":
            return self.act_on_barrier(letter)
        match letter:
            case "w":
                if not self.free or self.kind == "l" and self.busy:
                    return "n"
                return self.client()
            case "t":
                return self.got(it.acquire(blocking=False))
            case "z":
                return self.got(self.wait(timeout=0))
            case "r" | "q" if self.kind != "e":
                if not self.held:
                    return "n"
                self.held -= 1
                it.release()
            case "R":
                it.release()
            case "g":
                if not self.held:
                    return "n"
                self.held -= 1
                it.release()
                return self.got(it.acquire(blocking=False))
            case "b":

                async def waits():
                    return self.wait(timeout=MOMENT)

                return self.got(run(waits()))
            case "?":
                try:
                    return truth(it.is_set() if self.kind == "e" else it.locked())
                except AttributeError:
                    return "A"
            case "s" | "q":
                it.set()
            case "u":
                it.clear()
            case "x":
                it.set()
                it.clear()
        return "o"

    def act_on_condition(self, letter):
        it = self.it
        locked = contextlib.nullcontext() if self.held else it
        match letter:
            case "w":
                return "n" if not self.free or self.held else self.client()
            case "t":
                return self.got(it.acquire(blocking=False))
            case "r":
                if not self.held:
                    return "n"
                self.held = self.notified = 0
                it.release()
            case "a" | "i":
                with locked:
                    before = len(it._waiters)
                    it.notify_all() if letter == "a" else it.notify()
                    self.notified += (before - len(it._waiters)) * self.held
            case "o":
                return "n" if self.held else notify_without_lock(it)
            case "z" | "b":
                # Who has the lock first is nobody's to say if others wait for it.
                if self.notified:
                    return "n"
                with locked:
                    before = it._lock.released
                    if letter == "z":
                        told = truth(it.wait(0)) + str(it._lock.released - before)
                    else:

                        async def waits():
                            return it.wait(MOMENT)

                        told = truth(run(waits()))
                return told
        return "o"

    def act_on_barrier(self, letter):
        it = self.it
        told = "o"
        match letter:
            case "w":
                return self.client() if self.free else "n"
            case "z" | "A" | "Z":
                told = number(lambda: it.wait(0))
            case "i":
                return str(it.n_waiting)
        match letter:
            case "a" | "A":
                it.abort()
            case "u" | "Z":
                it.reset()
        return told

    def end(self):
        """Nobody is left in a wait for the next program."""
        if self.kind == "b":
            self.it._initial_value = sys.maxsize
        if self.kind == "c" and self.held:
            self.act("r")
        while self.busy:
            if self.kind == "e":
                self.it.set()
            elif self.kind in "cm":
                self.act("a")
            else:
                self.held -= 1
                self.it.release()
            self.settle()


def run(coroutine):
    """Runs it to its end on a loop."""
    loop = trees.Loop()
    task = loop.create_task(coroutine)
    loop.run_forever()
    return task.result()


class Loops:
    def __init__(self, kind, number):
        self.kind = kind
        match kind:
            case "S":
                self.it = asyncio.Semaphore(number)
            case "B":
                self.it = asyncio.BoundedSemaphore(number)
            case "E":
                self.it = asyncio.Event()
            case "L":
                self.it = asyncio.Lock()
            case "C":
                self.it = asyncio.Condition()
            case "M":
                self.it = asyncio.Barrier(number)
        self.wait = self.it.acquire if kind in "SBL" else self.it.wait
        self.loops = [trees.Loop(), trees.Loop()]
        self.tasks = {}
        self.names = 0
        self.held = 0
        self.came = []

    def take(self):
        came, self.came = self.came, []
        return ",".join(map(str, came))

    def settle(self):
        for _ in range(2):
            for loop in self.loops:
                if loop._ready:
                    loop.run_forever()

    async def client(self, name):
        match self.kind:
            case "M":
                try:
                    name = f"{name}={await self.wait()}"
                except asyncio.BrokenBarrierError:
                    name = f"{name}=B"
            case "C":
                async with self.it:
                    await self.wait()
            case _:
                await self.wait()
                self.held += 1
        self.came.append(name)

    def ended(self, name, task):
        del self.tasks[name]
        if task.cancelled():
            self.came.append(f"c{name}")
        elif task.exception():
            self.told = "B"
            self.came.append(f"b{name}")

    def start(self, loop):
        if len(self.tasks) == CLIENTS:
            return "n"
        name = self.names
        self.names += 1
        self.tasks[name] = task = loop.create_task(self.client(name))
        task.add_done_callback(lambda task: self.ended(name, task))
        self.told = "o"
        loop.run_forever()
        return self.told

    def attempt(self):
        """The first step of an acquire, and no other."""
        if self.it.locked():
            return "F"
        asyncio._set_running_loop(self.loops[0])
        coroutine = self.it.acquire()
        try:
            coroutine.send(None)
        except StopIteration:
            self.held += 1
            return "T"
        except RuntimeError:
            # It would wait, which tasks of the other loop may.
            pass
        finally:
            coroutine.close()
            asyncio._set_running_loop(None)
        return "F"

    def release(self):
        self.held -= 1
        self.it.release()

    def cancel(self):
        next(iter(self.tasks.values())).cancel()

    def call(self, letter):
        try:
            token = self.act(letter)
        except ValueError:
            token = "V"
        except RuntimeError:
            # A task of another loop has left it in some state.
            token = "E"
        if letter != "q":
            self.settle()
        # The end of the loops is looked at before and after.
        return token + self.look() if self.kind == "M" and letter != "k" else token

    def give(self):
        """Adds a permit, sets the event, or notifies, where the loop may be closed."""
        try:
            match self.kind:
                case "E":
                    self.it.set()
                case "C":
                    self.notify(True)
                case _:
                    self.it.release()
        except ValueError:
            return "V"
        except RuntimeError:
            return "E"
        return "o"

    def look(self):
        match self.kind:
            case "E":
                return truth(self.it.is_set())
            case "M":
                return truth(self.it.broken)
        return truth(self.it.locked())

    def notify(self, to_all):
        """Notifies, with the lock."""
        was_held = self.held
        if not was_held:
            self.attempt()
        self.it.notify_all() if to_all else self.it.notify()
        if not was_held:
            self.release()

    def now(self, coroutine):
        """What it comes to, which is without a wait."""
        asyncio._set_running_loop(self.loops[0])
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        finally:
            coroutine.close()
            asyncio._set_running_loop(None)
        raise RuntimeError("it waits")

    def act_on_condition(self, letter):
        it = self.it
        match letter:
            case "i" | "a":
                self.notify(letter == "a")
            case "o":
                return "n" if self.held else notify_without_lock(it)
            case "C" | "X":
                if not self.tasks:
                    return "n"
                steps = [lambda: self.notify(False), self.cancel]
                for step in steps if letter == "C" else reversed(steps):
                    step()
        return "o"

    def act_on_barrier(self, letter):
        it = self.it
        told = "o"
        match letter:
            case "t" | "A" | "Z":
                # The last, who has not to wait.
                if it.broken or it.n_waiting + 1 < it.parties:
                    return "n"
                told = number(lambda: self.now(it.wait()))
            case "i":
                return str(it.n_waiting)
        match letter:
            case "a" | "A":
                self.now(it.abort())
            case "u" | "Z":
                self.now(it.reset())
        return told

    def act(self, letter):
        if self.kind == "C" and letter in "iaoCX":
            return self.act_on_condition(letter)
        if self.kind == "M" and letter in "taAZui":
            return self.act_on_barrier(letter)
        return self.act_on_any(letter)

    def act_on_any(self, letter):
        it = self.it
        is_event = self.kind == "E"
        if letter in "rqgCX" and not is_event and not self.held:
            return "n"
        match letter:
            case "w":
                return self.start(self.loops[0])
            case "f":
                return self.start(self.loops[1])
            case "t":
                return self.attempt()
            case "z":
                try:
                    self.wait(timeout=0)
                except TypeError:
                    return "A"
            case "c":
                if not self.tasks:
                    return "n"
                self.cancel()
            case "C" | "X":
                if not self.tasks:
                    return "n"
                steps = [it.set if is_event else self.release, self.cancel]
                for step in steps if letter == "C" else reversed(steps):
                    step()
            case "g":
                self.release()
                return self.attempt()
            case "r" | "q" if not is_event:
                self.release()
            case "R":
                it.release()
            case "?":
                return self.look()
            case "s" | "q":
                it.set()
            case "u":
                it.clear()
            case "x":
                it.set()
                it.clear()
            case "k":
                for loop in self.loops:
                    loop.close()
                # Nobody keeps a task of a closed loop.
                self.tasks.clear()
                return self.look() + ("n" if self.kind in "LM" else self.give()) + self.look()
        return "o"

    def end(self):
        for task in list(self.tasks.values()):
            task.cancel()
        self.settle()


def answer(program):
    kind, number, calls = program[0], int(program[1]), program[2:]
    one = (Threads if kind.islower() else Loops)(kind, number)
    answers = []
    for letter in calls:
        token = one.call(letter)
        answers.append(f"{token}:{one.take()}")
    one.end()
    return " ".join(answers)
