"""Runs a tree of tasks on asyncio, under a clock that jumps to the next timer.

A program is `[node, cancels, after]`; a node is `[name, delay, turns, op, argument, children]`. Each node is a task,
which waits for a delay and some turns, and then does one thing. The answer tells the ends of the tasks, in order,
and then in which order their bodies were left.
"""

import asyncio
import functools
import json


class WorkError(Exception):
    pass


class Select:
    """Nothing ever happens but that time goes by."""

    def __init__(self, loop):
        self.loop = loop

    def select(self, timeout):
        if timeout is None:
            self.loop.stop()
        else:
            self.loop.now += int(timeout)
        return []


class Loop(asyncio.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._selector = Select(self)
        self._clock_resolution = 0.5
        self.now = 0
        self.made = 0

    def time(self):
        return self.now

    def call_at(self, when, *args, **kwargs):
        # Timers for one moment would come in the order of a heap. They are told apart by less than a moment.
        self.made += 1
        return super().call_at(when + self.made * 1e-6, *args, **kwargs)

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class Task(asyncio.Task):
    """A set of tasks, as a group has one, is in the order of their addresses. These are in that of their making."""

    def __init__(self, coroutine, **kwargs):
        LOOP.made += 1
        self.number = LOOP.made
        super().__init__(coroutine, **kwargs)

    def __hash__(self):
        return self.number


LOOP = Loop()
LOOP.set_task_factory(lambda loop, coroutine, **kwargs: Task(coroutine, loop=loop, **kwargs))
LOOP.set_exception_handler(lambda *_: None)

WHEN = [asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED]


def failure(error):
    match error:
        case WorkError():
            return "x{}".format(*error.args)
        case TimeoutError():
            return "t"
        case BaseExceptionGroup():
            return "g({})".format(",".join(map(failure, error.exceptions)))
        case asyncio.CancelledError():
            return "c"
    return repr(error)


def outcome(task):
    if task.cancelled():
        return "c"
    error = task.exception()
    return task.result() if error is None else failure(error)


class World:
    def __init__(self, after):
        self.after = after
        self.tasks = {}
        self.ends = []
        self.left = []

    def cancel(self, turns, name):
        if turns:
            LOOP.call_soon(self.cancel, turns - 1, name)
        elif name in self.tasks:
            self.tasks[name].cancel()

    def ended(self, name, task):
        self.ends.append(f"{name}@{LOOP.now}={outcome(task)}")
        for cause, turns, target in self.after:
            if cause == name:
                self.cancel(turns, target)

    def make(self, node, create=LOOP.create_task):
        task = create(self.body(*node))
        self.tasks[node[0]] = task
        task.add_done_callback(functools.partial(self.ended, node[0]))
        return task

    async def body(self, name, delay, turns, op, argument, children):
        try:
            if delay:
                await asyncio.sleep(delay)
            for _ in range(turns):
                await asyncio.sleep(0)
            return await getattr(self, op)(name, argument, children)
        finally:
            self.left.append(f"{name}@{LOOP.now}")

    async def give(self, name, _, children):
        return f"v{name}"

    async def fail(self, name, _, children):
        raise WorkError(name)

    async def forever(self, *_):
        await LOOP.create_future()

    async def wait_one(self, _name, _, children):
        return await self.make(children[0])

    async def series(self, _name, _, children):
        return "+".join([await self.make(child) for child in children])

    async def gather(self, _name, _, children):
        return "+".join(await asyncio.gather(*map(self.make, children)))

    async def gather_all(self, _name, _, children):
        all = await asyncio.gather(*map(self.make, children), return_exceptions=True)
        return "+".join(one if isinstance(one, str) else failure(one) for one in all)

    async def shield(self, _name, _, children):
        return await asyncio.shield(self.make(children[0]))

    async def wait(self, _name, argument, children):
        when, timeout = divmod(argument, 1000)
        tasks = [self.make(child) for child in children]
        done, _ = await asyncio.wait(tasks, timeout=timeout or None, return_when=WHEN[when])
        return "d" + "".join(str(place) for place, task in enumerate(tasks) if task in done)

    async def as_completed(self, _name, timeout, children):
        tasks = [self.make(child) for child in children]
        return ">".join([await one for one in asyncio.as_completed(tasks, timeout=timeout or None)])

    async def wait_for(self, _name, timeout, children):
        return await asyncio.wait_for(self.make(children[0]), timeout)

    async def timeout(self, _name, timeout, children):
        async with asyncio.timeout(timeout):
            return await self.make(children[0])

    async def group(self, _name, delay, children):
        async with asyncio.TaskGroup() as group:
            for child in children:
                self.make(child, group.create_task)
            if delay:
                await asyncio.sleep(delay)
        return "g"

    async def group_fails(self, name, delay, children):
        async with asyncio.TaskGroup() as group:
            for child in children:
                self.make(child, group.create_task)
            if delay:
                await asyncio.sleep(delay)
            raise WorkError(name)


def answer(program):
    tree, cancels, after = json.loads(program)
    LOOP.now = LOOP.made = 0
    world = World(after)
    world.make(tree)
    for delay, turns, name in cancels:
        if delay:
            LOOP.call_later(delay, world.cancel, turns, name)
        else:
            LOOP.call_soon(world.cancel, turns, name)
    LOOP.run_forever()
    told = " ".join(world.ends) + "|" + " ".join(world.left)
    # Nothing is left in the loop for the next program.
    for task in world.tasks.values():
        task.cancel()
    LOOP.run_forever()
    return told
