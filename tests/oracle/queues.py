"""Runs programs of calls on Python's queues.

A program is a kind, a number and calls, each a letter: `t` is `queue.Queue`, `a` is `asyncio.Queue`, and the number is
`maxsize`. Whoever puts puts the next number. Each answer is what the call is told, and who has come from a wait since the
last one, with what he got: `token:0,1=4,c2`, where 2 was cancelled.
"""

import asyncio
import queue
import time

import trees
from primitives import CLIENTS, POOL, truth


class Calls:
    def __init__(self):
        self.names = 0
        self.values = 0
        self.came = []

    def value(self):
        self.values += 1
        return self.values

    def put(self):
        try:
            self.it.put_nowait(self.value())
        except (queue.Full, asyncio.QueueFull):
            return "F"
        return "T"

    def get(self):
        try:
            return str(self.it.get_nowait())
        except (queue.Empty, asyncio.QueueEmpty):
            return "F"

    def done(self):
        try:
            self.it.task_done()
        except ValueError:
            return "V"
        return "o"

    def act(self, letter):
        match letter:
            case "p":
                return self.put()
            case "g":
                return self.get()
            case "d":
                return self.done()
            case "x":
                return self.done() + self.put()
            case "o":
                return self.get() + self.put()
            case "O":
                return self.put() + self.get()
            case "?":
                return f"{self.it.qsize()}{truth(self.it.empty())}{truth(self.it.full())}"
            case "P" | "G" | "J":
                return self.start(letter)
        return self.cancel(letter)


class Threads(Calls):
    def __init__(self, number):
        super().__init__()
        self.it = queue.Queue(number)
        self.free = list(POOL)
        self.busy = 0
        self.begun = 0

    def settle(self):
        it = self.it
        lines = [it.not_empty, it.not_full, it.all_tasks_done]
        while self.begun < self.names or sum(len(line._waiters) for line in lines) != self.busy:
            time.sleep(0)

    def take(self):
        came, self.came = sorted(self.came), []
        return ",".join(came)

    def start(self, letter):
        if not self.free:
            return "n"
        name, client = self.names, self.free.pop(0)
        value = self.value() if letter == "P" else None
        self.names += 1
        self.busy += 1

        def job():
            self.begun += 1
            came = str(name)
            match letter:
                case "P":
                    self.it.put(value)
                case "G":
                    came += f"={self.it.get()}"
                case "J":
                    self.it.join()
            self.busy -= 1
            self.came.append(came)
            self.free.append(client)

        client.start(job)
        return "o"

    def call(self, letter):
        token = self.act(letter)
        self.settle()
        return token

    def end(self):
        """Nobody is left in a wait for the next program."""
        while self.busy:
            if self.it.not_empty._waiters:
                self.put()
            elif self.get() == "F":
                self.done()
            self.settle()


class Loops(Calls):
    def __init__(self, number):
        super().__init__()
        self.it = asyncio.Queue(number)
        self.loop = trees.Loop()
        self.tasks = {}

    def settle(self):
        while self.loop._ready:
            self.loop.run_forever()

    def take(self):
        came, self.came = self.came, []
        return ",".join(came)

    async def client(self, letter, name, value):
        came = str(name)
        match letter:
            case "P":
                await self.it.put(value)
            case "G":
                came += f"={await self.it.get()}"
            case "J":
                await self.it.join()
        self.came.append(came)

    def ended(self, name, task):
        del self.tasks[name]
        if task.cancelled():
            self.came.append(f"c{name}")

    def start(self, letter):
        if len(self.tasks) == CLIENTS:
            return "n"
        name = self.names
        self.names += 1
        value = self.value() if letter == "P" else None
        self.tasks[name] = task = self.loop.create_task(self.client(letter, name, value))
        task.add_done_callback(lambda task: self.ended(name, task))
        return "o"

    def cancel(self, letter):
        """Cancels who waits longest, after a put or a get, or after none."""
        if not self.tasks:
            return "n"
        told = {"C": self.put, "X": self.get}.get(letter, lambda: "o")()
        next(iter(self.tasks.values())).cancel()
        return told

    def call(self, letter):
        token = self.act(letter)
        self.settle()
        return token

    def end(self):
        for task in list(self.tasks.values()):
            task.cancel()
        self.settle()


def answer(program):
    kind, number, calls = program[0], int(program[1]), program[2:]
    one = (Threads if kind == "t" else Loops)(number)
    answers = []
    for letter in calls:
        token = one.call(letter)
        answers.append(f"{token}:{one.take()}")
    one.end()
    return " ".join(answers)
