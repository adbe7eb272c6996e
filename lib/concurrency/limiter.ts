/** How long a caller can wait for its turn, and what ends the wait early. */
export interface Wait {
  /** Until when the turn is of use, by `performance.now()`; read again meanwhile, it may change. */
  readonly deadline: number;
  /**
   * Called once where there is a wait.
   *
   * @param leave gives up the place, and rejects the wait with the error; without effect after that
   */
  onWait?(leave: (error: unknown) => void): void;
}

/** Why a turn never came. */
export class NoTurn {
  constructor(
    /** `full`: too many wait already; `expired`: the deadline came first. */
    readonly reason: 'full' | 'expired',
  ) {}
}

const PATIENT: Wait = { deadline: Infinity };

/**
 * Limits how much happens at once. Callers wait for their turn in the order in which they came, and
 * each then runs its own function, so that it runs in the async context of its caller.
 *
 * Joining the queue, leaving it and being served take constant time each: the queue is a linked list.
 */
export class Limiter {
  #running = 0;
  #waiting = 0;
  #first: Place | undefined;
  #last: Place | undefined;

  /**
   * @param maxRunning functions at once
   * @param maxWaiting callers in the queue
   */
  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting = Infinity,
  ) {}

  /**
   * Runs the function when its turn has come, and settles as it does.
   *
   * @throws {NoTurn} (as a rejection) when it never runs; or the error that the caller left with
   */
  async run<T>(work: () => Promise<T> | T, wait: Wait = PATIENT): Promise<T> {
    if (this.#running < this.maxRunning) this.#running++;
    else await this.#turn(wait);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Rejects the wait of all who are in the queue now. */
  dismiss(error: unknown): void {
    while (this.#first !== undefined) this.#leave(this.#first, error);
  }

  #turn(wait: Wait): Promise<void> {
    if (this.#waiting >= this.maxWaiting) throw new NoTurn('full');
    return new Promise((begin, reject) => {
      const place: Place = { wait, begin, reject, before: this.#last, after: undefined };
      if (this.#last === undefined) this.#first = place;
      else this.#last.after = place;
      this.#last = place;
      this.#waiting++;
      wait.onWait?.((error) => this.#leave(place, error));
    });
  }

  /** One has ended: the first in the queue who can still use the turn takes it over. */
  #next(): void {
    for (let place = this.#first; place !== undefined; place = this.#first) {
      if (place.wait.deadline > performance.now()) {
        this.#remove(place);
        return place.begin();
      }
      this.#leave(place, new NoTurn('expired'));
    }
    this.#running--;
  }

  #leave(place: Place, error: unknown): void {
    if (this.#remove(place)) place.reject(error);
  }

  /** Whether it was there. */
  #remove(place: Place): boolean {
    const { before, after } = place;
    if (before === undefined && this.#first !== place) return false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.before = undefined;
    place.after = undefined;
    this.#waiting--;
    return true;
  }
}

/** A caller in the queue. */
interface Place {
  readonly wait: Wait;
  readonly begin: () => void;
  readonly reject: (error: unknown) => void;
  before: Place | undefined;
  after: Place | undefined;
}
