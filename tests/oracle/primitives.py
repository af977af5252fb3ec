"""Runs programs of calls on Python's events, semaphores and locks.

A program is a kind, a number and calls, each a letter. The kinds are `s`, `b`, `e`, `l`: semaphore, bounded semaphore,
event and lock of `threading`; in capitals those of `asyncio`. The number is that of the permits. Each answer is what
the call is told, and who has come from a wait since the last one: `token:0,c1`, where 1 was cancelled.
"""

import _thread
import asyncio
import sys
import threading
import time

import trees

# A thread that was woken goes on when the one that woke it waits, and not before.
sys.setswitchinterval(1000)

# How long something is waited for that cannot come.
MOMENT = 1e-4
CLIENTS = 3


def truth(value):
    return "T" if value else "F"


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
        self.wait = self.it.wait if kind == "e" else self.it.acquire
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
            self.wait()
            self.held += 1
            self.busy -= 1
            self.came.append(name)
            self.free.append(client)

        client.start(job)
        return "o"

    def got(self, value):
        self.held += bool(value)
        return truth(value)

    def call(self, letter):
        try:
            token = self.act(letter)
        except ValueError:
            token = "V"
        self.settle()
        return token

    def act(self, letter):
        it = self.it
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

    def end(self):
        """Nobody is left in a wait for the next program."""
        if self.kind == "b":
            self.it._initial_value = sys.maxsize
        while self.busy:
            if self.kind == "e":
                self.it.set()
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
        self.wait = self.it.wait if kind == "E" else self.it.acquire
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
        await self.wait()
        self.held += 1
        self.came.append(name)

    def ended(self, name, task):
        del self.tasks[name]
        if task.cancelled():
            self.came.append(f"c{name}")
        elif task.exception():
            self.told = "B"

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
        if letter != "q":
            self.settle()
        return token

    def give(self):
        """Adds a permit, or sets the event, where the loop may be closed."""
        try:
            self.it.set() if self.kind == "E" else self.it.release()
        except ValueError:
            return "V"
        except RuntimeError:
            return "E"
        return "o"

    def look(self):
        return truth(self.it.is_set() if self.kind == "E" else self.it.locked())

    def act(self, letter):
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
                return self.look() + ("n" if self.kind == "L" else self.give()) + self.look()
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
