import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { built } from '../../support/programs.js';
import { closeAfterFile } from '../../support/closing.js';
import { until } from '../../support/until.js';

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

/** The argument of a worker, as JSON. */
export interface WorkerPlan {
  id: string;
  stores: {
    postgres: { url: string; table: string } | undefined;
    redis: { url: string; prefix: string } | undefined;
  };
  encryption: { keys: Record<string, string>; current: string };
  accounts: FleetAccount[];
  /** Milliseconds between two calls of a caller. */
  pauseMs: number;
}

/** The results of the calls of an account in all workers, without those just before a kill. */
export interface Outcome {
  calls: number;
  /** Access tokens that the API accepted. */
  used: number;
  /** How long after its deadline the latest call ended, without the time in which the process was paused. */
  latestMs: number;
  /** The shortest time left of an access token when it was handed out, by the API's clock. */
  leastLeftMs: number;
  /** Access tokens that had expired when they were handed out. */
  expired: number;
  /** The same, if the process was paused in that call. */
  expiredAfterPause: number;
  /** Access tokens that the API refused before they expired. */
  refusedWhileValid: number;
  /** Access tokens that expired between their hand-out and the answer of the API. */
  refusedOnTheWay: number;
  /** The number of errors by their code. */
  failures: Record<string, number>;
}

interface Worker {
  readonly id: string;
  readonly process: ChildProcess;
  /** It has loaded everything, and works when it gets the message. */
  isReady: boolean;
  isWorking: boolean;
  isStopped: boolean;
  /** The callers that were to leave have left. */
  hasLeft: boolean;
  /** Calls that had not ended when the worker was to end; undefined before. */
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
  /** When attempts at an exchange ended in their workers. */
  readonly settled = new Map<string, number>();
  /** When each killed worker was killed. */
  readonly killed = new Map<string, number>();
  pauses = 0;
  readonly #workers = new Set<Worker>();
  #started = 0;

  constructor(private readonly plan: Omit<WorkerPlan, 'id'>) {
    closeAfterFile(async () => {
      for (const worker of this.#workers) worker.process.kill('SIGKILL');
    });
  }

  /** The workers that work now. */
  get running(): readonly Worker[] {
    return [...this.#workers].filter(({ isWorking }) => isWorking);
  }

  /** Starts processes that are ready to work, since a start takes longer than a kill. */
  async prepare(count: number): Promise<void> {
    built('dist/esm/index.js');
    for (let number = 0; number < count; number++) this.#start();
    await until(() => this.#spares.filter(({ isReady }) => isReady).length >= count);
  }

  /** Makes one of the ready processes work for these accounts, or for all. */
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

  /** Pauses a worker for a while, unless it is paused. */
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

/** JSON has no infinity: null stands for it. */
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
    refusedWhileValid: (sum?.refusedWhileValid ?? 0) + more.refusedWhileValid,
    refusedOnTheWay: (sum?.refusedOnTheWay ?? 0) + more.refusedOnTheWay,
    failures,
  };
}
