/** Something that is measured: does a task, and rejects unless every result is right. */
export type Subject<Task> = (task: Task) => Promise<void>;

/** What the module of a subject exports as `open`; called once in a process of its own. */
export type OpenSubject<Task> = (apiUrl: string) => Promise<Subject<Task>>;

/** What a task took. */
export interface Measurement {
  /** User and system time of the whole process: garbage collection and compiler threads count. */
  cpuMs: number;
  wallMs: number;
}
