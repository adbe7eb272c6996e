/** Milliseconds for which failures count, and the steps in which they expire. */
const WINDOW_MS = 10_000;
const BUCKET_MS = 1_000;

/** Fewer attempts than this prove nothing. */
const MIN_ATTEMPTS = 10;

/** The share of failures that is too high. */
const THRESHOLD = 0.5;

/**
 * Maximum number of failures that count per subject. A rate that is too high needs at least five
 * failures, and so three subjects: an API that fails only for one or two transactions is not down.
 */
const MAX_PER_SUBJECT = 2;

interface Bucket {
  readonly endsAt: number;
  attempts: number;
  failures: number;
  /** The subjects of the counted failures. */
  readonly subjects: string[];
}

/** Counts attempts and their failures over the last ten seconds, by the monotonic clock. */
export class FailureRate {
  /** Oldest first. */
  readonly #buckets: Bucket[] = [];
  readonly #bySubject = new Map<string, number>();
  #attempts = 0;
  #failures = 0;

  /** Whether there were enough attempts and too many of them failed. */
  get isTooHigh(): boolean {
    this.#forget();
    return this.#attempts >= MIN_ATTEMPTS && this.#failures >= this.#attempts * THRESHOLD;
  }

  succeeded(): void {
    this.#bucket().attempts++;
    this.#attempts++;
  }

  /** @param subject to which the failure may be limited; undefined if it concerns all calls */
  failed(subject: string | undefined): void {
    const bucket = this.#bucket();
    if (subject !== undefined) {
      const known = this.#bySubject.get(subject) ?? 0;
      if (known >= MAX_PER_SUBJECT) return;
      this.#bySubject.set(subject, known + 1);
      bucket.subjects.push(subject);
    }
    bucket.attempts++;
    bucket.failures++;
    this.#attempts++;
    this.#failures++;
  }

  reset(): void {
    this.#buckets.length = 0;
    this.#bySubject.clear();
    this.#attempts = 0;
    this.#failures = 0;
  }

  /** The bucket of the current second. */
  #bucket(): Bucket {
    this.#forget();
    const now = performance.now();
    let bucket = this.#buckets.at(-1);
    if (bucket === undefined || bucket.endsAt <= now) {
      bucket = { endsAt: now + BUCKET_MS, attempts: 0, failures: 0, subjects: [] };
      this.#buckets.push(bucket);
    }
    return bucket;
  }

  #forget(): void {
    const since = performance.now() - WINDOW_MS;
    while (this.#buckets[0] !== undefined && this.#buckets[0].endsAt <= since) {
      // At most ten buckets, so shift() is cheap.
      const { attempts, failures, subjects } = this.#buckets.shift() as Bucket;
      this.#attempts -= attempts;
      this.#failures -= failures;
      for (const subject of subjects) this.#forgive(subject);
    }
  }

  #forgive(subject: string): void {
    const left = (this.#bySubject.get(subject) ?? 0) - 1;
    if (left > 0) this.#bySubject.set(subject, left);
    else this.#bySubject.delete(subject);
  }
}
