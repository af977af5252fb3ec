"""Answers programs of calls on Python's futures, one program a line, one line of answers each.

A program is a flavour and calls, each a letter: `T srcgea` on concurrent.futures.Future, `C` and `P` on
asyncio.Future, implemented in C and in Python. Each answer is `token:state:callbacks`. `L` and a tree of tasks
(trees.py) are answered by its ends, `S` and calls on an event, a semaphore or a lock as primitives.py has it. The
answers are sent when an empty line asks for them, or when there are many.
"""

import asyncio
import asyncio.futures
import concurrent.futures
import logging
import sys

import primitives
import queues
import trees

logging.disable(logging.CRITICAL)


class WorkError(Exception):
    pass


def told(call, letter):
    """What a call is told, as a letter."""
    try:
        return call(letter)
    except (concurrent.futures.InvalidStateError, asyncio.InvalidStateError):
        return "I"
    except (concurrent.futures.CancelledError, asyncio.CancelledError):
        return "C"
    except (concurrent.futures.TimeoutError, TimeoutError):
        return "-"
    except WorkError:
        return "x"


def truth(value):
    return "T" if value else "F"


def outcome(value):
    return "n" if value is None else "v" if value == 1 else "x"


class Thread:
    def __init__(self):
        self.future = concurrent.futures.Future()
        self.ran = []
        self.names = 0

    def call(self, letter):
        future = self.future
        match letter:
            case "s":
                try:
                    return truth(future.set_running_or_notify_cancel())
                except RuntimeError:
                    # What InvalidStateError says of the other calls.
                    return "I"
            case "r":
                future.set_result(1)
            case "x":
                future.set_exception(WorkError())
            case "c":
                return truth(future.cancel())
            case "g":
                return outcome(future.result(timeout=0))
            case "e":
                return outcome(future.exception(timeout=0))
            case "a":
                name = self.names
                self.names += 1
                future.add_done_callback(lambda _: self.ran.append(name))
        return "o"

    def state(self):
        future = self.future
        return f"{future.done():d}{future.cancelled():d}{future.running():d}"

    def end(self):
        pass


LOOP = asyncio.new_event_loop()


class Loop:
    def __init__(self, kind):
        self.future = kind(loop=LOOP)
        self.ran = []
        self.names = 0
        self.added = []

    def call(self, letter):
        future = self.future
        match letter:
            case "r":
                future.set_result(1)
            case "x":
                future.set_exception(WorkError())
            case "c":
                return truth(future.cancel())
            case "g":
                return outcome(future.result())
            case "e":
                return outcome(future.exception())
            case "a":
                name = self.names
                self.names += 1
                self.added.append(lambda _: self.ran.append(name))
                future.add_done_callback(self.added[-1])
            case "m":
                if not self.added:
                    return "F"
                return truth(future.remove_done_callback(self.added.pop()))
            case "t":
                turn()
        return "o"

    def state(self):
        return f"{self.future.done():d}{self.future.cancelled():d}0"

    def end(self):
        # Nothing is left in the loop for the next program; an error that nobody read is nobody's.
        if LOOP._ready:
            turn()
        if self.future.done() and not self.future.cancelled():
            self.future.exception()


def turn():
    LOOP.call_soon(LOOP.stop)
    LOOP.run_forever()


KINDS = {
    "T": Thread,
    "C": lambda: Loop(asyncio.Future),
    "P": lambda: Loop(asyncio.futures._PyFuture),
}


def answer(one, calls):
    answers = []
    for letter in calls:
        token = told(one.call, letter)
        answers.append(f"{token}:{one.state()}:{','.join(map(str, one.ran))}")
        one.ran.clear()
    one.end()
    return " ".join(answers)


OTHERS = {"L": trees.answer, "S": primitives.answer, "Q": queues.answer}


def main():
    assert asyncio.Future is not asyncio.futures._PyFuture, "asyncio has no C implementation here"
    print("{}.{}.{}".format(*sys.version_info[:3]), flush=True)
    for line in sys.stdin:
        if line == "\n":
            # Whoever asks waits for the answers.
            sys.stdout.flush()
            continue
        flavour, calls = line[0], line[2:].strip()
        all = OTHERS[flavour](calls) if flavour in OTHERS else answer(KINDS[flavour](), calls)
        sys.stdout.write(all + "\n")


main()
