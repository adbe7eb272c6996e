import { LinkedList, type ListEntry } from './linked-list.js';

/** How long a caller can wait for their turn, and what ends the wait early. */
export interface Wait {
  /** When a turn is no longer useful, by `performance.now()`; it may change during the wait. */
  readonly deadline: number;
  /**
   * Called once if the caller has to wait.
   *
   * @param leave leaves the queue and rejects the wait with the error; false if the wait is already
   * over
   */
  onWait?(leave: (error: unknown) => boolean): void;
}

/** Why a turn never came. */
export class NoTurn {
  constructor(
    /**
     * `full`: the queue is full; `late`: the turn would come too late; `expired`: the deadline has
     * passed.
     */
    readonly reason: 'full' | 'late' | 'expired',
    /** With `late`: milliseconds after which a new call could be in time. */
    readonly retryAfterMs?: number,
  ) {}
}

const PATIENT: Wait = { deadline: Infinity };

/** With fewer completed functions than this, the pace of the queue is unknown. */
const MIN_SAMPLE = 4;

/** After this many rounds of `maxRunning` functions, earlier measurements count half. */
const ROUNDS = 16;

/**
 * Limits how many functions run at a time. Callers wait in order of arrival. Each function runs in
 * the async context of its caller.
 *
 * Once the pace of the queue is known, callers whose turn would come too late are rejected.
 * Otherwise an overloaded queue would stay so long that every new caller waited in vain.
 */
export class Limiter {
  #running = 0;
  readonly #queue = new LinkedList<Place>();
  /** How many functions have ended since the queue formed, and their total time in milliseconds. */
  #ended = 0;
  #ranMs = 0;

  /**
   * @param maxRunning functions at a time
   * @param maxWaiting callers in the queue
   */
  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting = Infinity,
  ) {}

  /** Callers in the queue. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs the function when its turn has come, and settles as the function does.
   *
   * @throws {NoTurn} (as a rejection) if it never runs; or the error with which the caller left
   */
  async run<T>(work: () => Promise<T> | T, wait: Wait = PATIENT): Promise<T> {
    if (this.#running < this.maxRunning) this.#running++;
    else await this.#turn(wait);
    const begunAt = performance.now();
    try {
      return await work();
    } finally {
      this.#next(begunAt);
    }
  }

  /** Rejects everyone who is in the queue now. */
  dismiss(error: unknown): void {
    while (this.#queue.first !== undefined) this.#leave(this.#queue.first, error);
  }

  #turn(wait: Wait): Promise<void> {
    if (this.#queue.size >= this.maxWaiting) throw new NoTurn('full');
    const now = performance.now();
    if (this.#queue.size === 0) [this.#ended, this.#ranMs] = [0, 0];
    const lateMs = this.#lateMs(this.#queue.size + 1, wait, now);
    if (lateMs > 0) throw new NoTurn('late', lateMs);
    return new Promise((begin, reject) => {
      const entry = this.#queue.append({ wait, begin, reject });
      wait.onWait?.((error) => this.#leave(entry, error));
    });
  }

  /** A function has ended: its slot goes to the first in the queue who can still use it. */
  #next(begunAt: number): void {
    if (this.#queue.first === undefined) return void this.#running--;
    const now = performance.now();
    this.#ended++;
    this.#ranMs += now - begunAt;
    if (this.#ended > ROUNDS * Math.max(this.maxRunning, MIN_SAMPLE)) {
      this.#ended /= 2;
      this.#ranMs /= 2;
    }
    this.#dismissLate(now);
    for (let entry = this.#queue.first; entry !== undefined; entry = this.#queue.first) {
      if (entry.value.wait.deadline > now) {
        this.#queue.remove(entry);
        return entry.value.begin();
      }
      this.#leave(entry, new NoTurn('expired'));
    }
    this.#running--;
  }

  /** Rejects, from the back of the queue, those whose turn would come too late. */
  #dismissLate(now: number): void {
    for (let entry = this.#queue.last; entry !== undefined; entry = this.#queue.last) {
      const lateMs = this.#lateMs(this.#queue.size, entry.value.wait, now);
      if (lateMs <= 0) return;
      this.#leave(entry, new NoTurn('late', lateMs));
    }
  }

  /**
   * Milliseconds by which a function of average length would miss the deadline from that position
   * in the queue. It uses the average length, not the throughput: functions that started together
   * end together, and the first to end would make the queue look slow.
   */
  #lateMs(position: number, { deadline }: Wait, now: number): number {
    if (this.#ended < Math.max(this.maxRunning, MIN_SAMPLE)) return 0;
    const averageMs = this.#ranMs / this.#ended;
    return Math.ceil(now + averageMs * (position / this.maxRunning + 1) - deadline);
  }

  #leave(entry: ListEntry<Place>, error: unknown): boolean {
    const wasThere = this.#queue.remove(entry);
    if (wasThere) entry.value.reject(error);
    return wasThere;
  }
}

/** A caller in the queue. */
interface Place {
  readonly wait: Wait;
  readonly begin: () => void;
  readonly reject: (error: unknown) => void;
}
