import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { built } from '../support/built.js';
import { until } from '../support/until.js';
import { closeAfterFile } from './closing.js';

/** An account that every worker has. */
export interface FleetAccount {
  name: string;
  store: 'postgres' | 'redis';
  apiHost: string;
  apiSecret: string;
  rotation: 'none' | 'strict' | { graceMs: number };
  transactions: string[];
  /** Callers per worker. */
  callers: number;
  timeoutMs: number;
  totalTimeoutMs: number;
  leaseMs: number;
}

/** What a worker is told at its start, as JSON. */
export interface WorkerPlan {
  id: string;
  stores: {
    postgres: { url: string; table: string } | undefined;
    redis: { url: string; prefix: string } | undefined;
  };
  encryption: { keys: Record<string, string>; current: string };
  accounts: FleetAccount[];
  /** Between two calls of a caller. */
  pauseMs: number;
}

/** What came of the calls of an account, in all workers; those of the last moments of a killed one are missing. */
export interface Outcome {
  calls: number;
  /** Access tokens that the API took. */
  used: number;
  /** How long after its deadline the latest call ended, without the time in which the process did not run. */
  latestMs: number;
  /** The least that an access token was good for when it was handed out, by the API's clock. */
  leastLeftMs: number;
  /** Access tokens that had ended when they were handed out. */
  expired: number;
  /** The same, by a process that was held up in that call. */
  expiredAfterPause: number;
  /** Access tokens that the API refused before their end. */
  refusedWhileGood: number;
  /** Access tokens that ended between their hand-out and the answer of the API. */
  refusedOnTheWay: number;
  /** By the code of the error. */
  failures: Record<string, number>;
}

interface Worker {
  readonly id: string;
  readonly process: ChildProcess;
  /** Has loaded everything; works, once it is told to. */
  isReady: boolean;
  isWorking: boolean;
  isStopped: boolean;
  /** The callers that were told to leave have done so. */
  hasLeft: boolean;
  /** Calls that had not ended when it was told to end; undefined before. */
  pending: number | undefined;
}

type Message =
  | { kind: 'ready' }
  | { kind: 'outcomes'; outcomes: Record<string, Outcome>; settled: Record<string, number> }
  | { kind: 'left' }
  | { kind: 'end'; pending: number };

/** Processes that share accounts and stores, and may end at any moment. */
export class Fleet {
  readonly outcomes = new Map<string, Outcome>();
  /** When attempts at an exchange came to their end in their workers. */
  readonly settled = new Map<string, number>();
  /** When each killed worker was. */
  readonly killed = new Map<string, number>();
  pauses = 0;
  readonly #workers = new Set<Worker>();
  #started = 0;

  constructor(private readonly plan: Omit<WorkerPlan, 'id'>) {
    closeAfterFile(async () => {
      for (const worker of this.#workers) worker.process.kill('SIGKILL');
    });
  }

  /** Those that work now. */
  get running(): readonly Worker[] {
    return [...this.#workers].filter(({ isWorking }) => isWorking);
  }

  /** Starts processes that are ready to work: to start takes longer than to kill. */
  async prepare(count: number): Promise<void> {
    built('dist/esm/index.js');
    for (let number = 0; number < count; number++) this.#start();
    await until(() => this.#spares.filter(({ isReady }) => isReady).length >= count);
  }

  /** Has one of the processes that are ready work, for the accounts that are named, or all of them. */
  begin(accounts = this.plan.accounts): void {
    const spare = this.#spares.find(({ isReady }) => isReady);
    if (spare === undefined) throw new Error('No process is ready to work.');
    spare.isWorking = true;
    spare.process.send({ begin: accounts.map(({ name }) => name) });
  }

  get #spares(): readonly Worker[] {
    return [...this.#workers].filter(({ isWorking }) => !isWorking);
  }

  #start(): void {
    const id = `w${++this.#started}`;
    const plan: WorkerPlan = { ...this.plan, id };
    const child = fork(join(import.meta.dirname, 'fleet.worker.mjs'), [JSON.stringify(plan)], {
      execArgv: [],
    });
    const worker: Worker = {
      id,
      process: child,
      isReady: false,
      isWorking: false,
      isStopped: false,
      hasLeft: false,
      pending: undefined,
    };
    this.#workers.add(worker);
    child.on('message', (message: Message) => this.#take(worker, message));
    child.once('exit', () => this.#workers.delete(worker));
  }

  kill(worker: Worker): void {
    this.killed.set(worker.id, Date.now());
    this.#workers.delete(worker);
    worker.process.kill('SIGKILL');
  }

  /** Holds a worker up for a while, unless it is. */
  pause(worker: Worker, ms: number): void {
    if (worker.isStopped) return;
    this.pauses++;
    worker.isStopped = worker.process.kill('SIGSTOP');
    setTimeout(() => {
      worker.isStopped = false;
      worker.process.kill('SIGCONT');
    }, ms);
  }

  /** Ends the callers of these accounts in the workers that run now, and waits for their last calls. */
  async leave(accounts: string[]): Promise<void> {
    const workers = this.running;
    for (const { process } of workers) process.send({ leave: accounts });
    await until(() => workers.every(({ hasLeft }) => hasLeft));
  }

  /** Ends all workers; resolves to how many calls had not ended long after their deadline. */
  async end(): Promise<number> {
    for (const { process } of this.#spares) process.kill('SIGKILL');
    await until(() => this.running.every(({ isStopped }) => !isStopped));
    const workers = this.running;
    const exits = workers.map((worker) => once(worker.process, 'exit'));
    for (const worker of workers) worker.process.send({ end: true });
    await Promise.all(exits);
    return workers.reduce((sum, { pending = NaN }) => sum + pending, 0);
  }

  #take(worker: Worker, message: Message): void {
    if (message.kind === 'ready') worker.isReady = true;
    else if (message.kind === 'left') worker.hasLeft = true;
    else if (message.kind === 'end') worker.pending = message.pending;
    else {
      for (const [account, outcome] of Object.entries(message.outcomes)) {
        this.outcomes.set(account, added(this.outcomes.get(account), outcome));
      }
      for (const [attempt, at] of Object.entries(message.settled)) this.settled.set(attempt, at);
    }
  }
}

/** JSON knows no infinity: null stands for it. */
function added(sum: Outcome | undefined, more: Outcome): Outcome {
  const failures = { ...sum?.failures };
  for (const [code, count] of Object.entries(more.failures)) {
    failures[code] = (failures[code] ?? 0) + count;
  }
  return {
    calls: (sum?.calls ?? 0) + more.calls,
    used: (sum?.used ?? 0) + more.used,
    latestMs: Math.max(sum?.latestMs ?? -Infinity, more.latestMs ?? -Infinity),
    leastLeftMs: Math.min(sum?.leastLeftMs ?? Infinity, more.leastLeftMs ?? Infinity),
    expired: (sum?.expired ?? 0) + more.expired,
    expiredAfterPause: (sum?.expiredAfterPause ?? 0) + more.expiredAfterPause,
    refusedWhileGood: (sum?.refusedWhileGood ?? 0) + more.refusedWhileGood,
    refusedOnTheWay: (sum?.refusedOnTheWay ?? 0) + more.refusedOnTheWay,
    failures,
  };
}
