/** The digits of a 64-bit integer. */
export const TRANSACTION_ID = /^\d{1,20}$/;

/**
 * Reads fields of an answer, and collects problems: fields that break the contract of the API.
 * Absent, null and "" are equal, since the API sends any of them. [3p: idx 7431624753]
 */
export class WireReader {
  /** With the API's names, such as `flags[1] must be a string`, and without values (I10). */
  readonly problems: string[];

  constructor(
    private readonly source: Record<string, unknown>,
    private readonly prefix = '',
    problems: string[] = [],
  ) {
    this.problems = problems;
  }

  required(name: string): string {
    const value = this.#present(name);
    return typeof value === 'string' ? value : this.#problem(name, 'a non-empty string', '');
  }

  string(name: string): string | undefined {
    const value = this.#present(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.#problem(name, 'a string', undefined);
  }

  /** The digits of a 64-bit integer. */
  id(name: string): string {
    const value = this.#present(name);
    const digits = typeof value === 'number' ? String(value) : value;
    if (typeof digits === 'string' && TRANSACTION_ID.test(digits)) return digits;
    return this.#problem(name, 'a positive integer', '');
  }

  date(name: string): Date | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const date = new Date(text);
    return Number.isNaN(date.getTime())
      ? this.#problem(name, 'a date as in RFC 3339', undefined)
      : date;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#present(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#problem(name, 'true or false', undefined);
  }

  strings(name: string): string[] {
    const values = this.#array(name);
    return values.every((value) => typeof value === 'string')
      ? values
      : this.#problem(name, 'a list of strings', []);
  }

  list<T>(name: string, read: (item: WireReader) => T): T[] {
    return this.#array(name).map((item, index) =>
      read(this.#child(item, `${this.prefix}${name}[${index}]`)),
    );
  }

  record<T>(name: string, read: (item: WireReader) => T): Record<string, T> {
    const { source } = this.within(name);
    const entries = Object.entries(source).filter(
      ([, item]) => item !== null && item !== undefined,
    );
    return Object.fromEntries(
      entries.map(([key, item]) => [key, read(this.#child(item, `${this.prefix}${name}.${key}`))]),
    );
  }

  /** The object in a field; an empty one if it is absent. */
  within(name: string): WireReader {
    return this.#child(this.#present(name) ?? {}, `${this.prefix}${name}`);
  }

  /** All other fields, unchanged. */
  others(...known: string[]): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.source).filter(([name]) => !known.includes(name)),
    );
  }

  #child(value: unknown, path: string): WireReader {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new WireReader(value as Record<string, unknown>, `${path}.`, this.problems);
    }
    this.problems.push(`${path} must be an object`);
    return new WireReader({}, `${path}.`, this.problems);
  }

  #array(name: string): unknown[] {
    const value = this.#present(name) ?? [];
    return Array.isArray(value) ? value : this.#problem(name, 'a list', []);
  }

  #present(name: string): unknown {
    const value = Object.hasOwn(this.source, name) ? this.source[name] : undefined;
    return value === null || value === '' ? undefined : value;
  }

  #problem<T>(name: string, what: string, instead: T): T {
    this.problems.push(`${this.prefix}${name} must be ${what}`);
    return instead;
  }
}
