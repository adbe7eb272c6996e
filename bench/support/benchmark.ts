/** A flag of a benchmark: a whole number, or several with commas between. */
export interface Flag {
  help: string;
  /** What it is when it is not given; decides whether there may be several numbers. */
  fallback: number | readonly number[];
}

/** The flags of a benchmark, by name. */
export type Flags = Record<string, Flag>;

/** What was given for each flag, or its fallback. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: ValueLike<F[Name]['fallback']>;
};

type ValueLike<T> = T extends number ? number : readonly number[];

/** What came out. */
export interface Outcome {
  /** For the terminal. */
  report: string;
  /** Everything that was measured, for `--json`. */
  data: object;
}

/** One thing to measure; registered in `benchmarks.ts`. */
export interface Benchmark<F extends Flags = Flags> {
  /** For the list. */
  summary: string;
  /** Its flags, beside `--json`. */
  flags: F;
  run(values: FlagValues<F>): Promise<Outcome>;
}

/** Checks that `run` reads no flag but those that there are. */
export function benchmark<F extends Flags>(definition: Benchmark<F>): Benchmark {
  return definition;
}
