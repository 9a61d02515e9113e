/**
 * Processes or threads for execution environments? Both with the same trivial handler, two of each, 32 callers,
 * the message hop alone. Run: node bench/environments.ts
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { median } from './statistics.ts';

const ENVIRONMENTS = 2;
const CALLERS = 32;
const CALLS = 20_000;
const ROUNDS = 5;
const CRASH = 'crash';

const [asked, kindName, givenDirectory] = process.argv.slice(2);
const directory = givenDirectory ?? mkdtempSync(join(tmpdir(), 'environments-'));
const echo = join(directory, 'echo.mjs');
writeFileSync(
  echo,
  `import { parentPort } from 'node:worker_threads';
   import { setFlagsFromString } from 'node:v8';
   import { runInThisContext } from 'node:vm';
   const port = parentPort ?? process;
   const send = parentPort ? (m) => parentPort.postMessage(m) : (m) => process.send(m);
   port.on('message', ({ payload }) => {
     // V8's own abort: process.abort() is no crash in a thread, where Node refuses it.
     if (payload === 'abort') {
       setFlagsFromString('--allow-natives-syntax');
       runInThisContext("%AbortJS('crash')");
     }
     send({ payload: JSON.stringify({ echo: JSON.parse(payload) }) });
   });
   process.on('disconnect', () => process.exit());`,
);

interface Kind {
  readonly name: string;
  start(): Promise<Hop>;
}

interface Hop {
  readonly pid: number | undefined;
  readonly ended: Promise<unknown>;
  call(payload: string): Promise<void>;
  end(): Promise<void>;
}

const payload = JSON.stringify({
  model: 'tenant-7/churn.tar.gz',
  body: JSON.stringify([Array(10).fill(0.0123)]),
});

const processes: Kind = {
  name: 'process',
  start: async () => {
    const child: ChildProcess = fork(echo, [], { serialization: 'advanced' });
    const hop: Hop = {
      pid: child.pid,
      ended: once(child, 'exit'),
      call: async (text) => {
        child.send({ payload: text });
        await once(child, 'message');
      },
      end: async () => {
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
    await hop.call(payload);
    return hop;
  },
};

const threads: Kind = {
  name: 'thread',
  start: async () => {
    const worker = new Worker(echo);
    const hop: Hop = {
      pid: undefined,
      ended: once(worker, 'exit'),
      call: async (text) => {
        worker.postMessage({ payload: text });
        await once(worker, 'message');
      },
      end: async () => {
        await worker.terminate();
      },
    };
    await hop.call(payload);
    return hop;
  },
};

/** One event at a time each, as environments do: a caller takes whichever is free. */
const callsPerSecond = async (kind: Kind): Promise<number> => {
  const free = await Promise.all(Array.from({ length: ENVIRONMENTS }, () => kind.start()));
  const all = [...free];
  const waiting: ((hop: Hop) => void)[] = [];
  const take = async (): Promise<Hop> => free.pop() ?? new Promise((resolve) => waiting.push(resolve));
  const release = (hop: Hop): void => {
    const next = waiting.shift();
    if (next) next(hop);
    else free.push(hop);
  };

  let left = CALLS;
  const startedMs = performance.now();
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const hop = await take();
      await hop.call(payload);
      release(hop);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(all.map((hop) => hop.end()));
  return CALLS / seconds;
};

const startMs = async (kind: Kind): Promise<number> => {
  const startedMs = performance.now();
  const hop = await kind.start();
  const elapsedMs = performance.now() - startedMs;
  await hop.end();
  return elapsedMs;
};

/** What ten more of a kind add to the resident memory of all processes, each; Linux only. */
const memoryMb = async (kind: Kind): Promise<number> => {
  const count = 10;
  const before = resident(process.pid);
  const hops = await Promise.all(Array.from({ length: count }, () => kind.start()));
  const after =
    resident(process.pid) - before + hops.reduce((sum, { pid }) => sum + (pid ? proportional(pid) : 0), 0);
  await Promise.all(hops.map((hop) => hop.end()));
  return after / count / 1024;
};

const resident = (pid: number): number => rollup(pid, 'Rss');
/** Shared pages of Node's binary count once over all processes. */
const proportional = (pid: number): number => rollup(pid, 'Pss');
const rollup = (pid: number, key: string): number => {
  if (process.platform !== 'linux') return Number.NaN;
  return Number(
    new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1],
  );
};

/** In a process of its own, as it may be its last: one of two environments crashes in native code. */
const afterCrash = async (kind: Kind): Promise<string> => {
  const child = fork(import.meta.filename, [CRASH, kind.name, directory], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const answered = once(child, 'message').then(() => 'the other one answers');
  const ended = once(child, 'exit').then(([, signal]) => `everything ends (${signal})`);
  return Promise.race([answered, ended]).finally(() => child.kill('SIGKILL'));
};

/** The `afterCrash` side: tells its parent when the second environment answers after the first has crashed. */
const crash = async (kind: Kind): Promise<void> => {
  const [first, second] = [await kind.start(), await kind.start()];
  const crashed = first.ended;
  void first.call('abort');
  await crashed;
  await second.call(payload);
  process.send?.('alive');
};

const kinds = [processes, threads];

const measure = async (): Promise<void> => {
  const figures = new Map(
    kinds.map((kind) => [kind, { rate: [] as number[], start: [] as number[], memory: [] as number[] }]),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, { rate, start, memory }] of figures) {
      rate.push(await callsPerSecond(kind));
      start.push(await startMs(kind));
      memory.push(await memoryMb(kind));
    }
  }

  line(
    `${ENVIRONMENTS} environments, ${CALLERS} callers, ${ROUNDS} interleaved rounds, medians; Node ${process.version}, ${cpus().length} cores`,
  );
  line('| environment | calls/s | start to first answer, ms | memory each, MB | after a native crash |');
  line('|---|---|---|---|---|');
  for (const [kind, { rate, start, memory }] of figures) {
    const cells = [Math.round(median(rate)), median(start).toFixed(0), median(memory).toFixed(0)];
    line(`| ${[kind.name, ...cells, await afterCrash(kind)].join(' | ')} |`);
  }
};

const line = (text: string): boolean => process.stdout.write(`${text}\n`);

const crashing = asked === CRASH ? kinds.find(({ name }) => name === kindName) : undefined;
if (crashing === undefined) {
  await measure().finally(() => rmSync(directory, { recursive: true }));
} else {
  await crash(crashing);
}
