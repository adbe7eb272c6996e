/** Values that differ from run to run. */
const VALUES: readonly [name: string, RegExp][] = [
  ['id', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g],
  ['key', /(?<="signingKey":")[^"]+/g],
  ['client token', /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g],
  ['refresh token', /\brt_[\w-]{40,}/g],
  ['access token', /\bat_[\w-]{40,}/g],
  ['claim', /(?<=\/hosted\/)[0-9a-f]{48}\b/g],
  ['image signature', /(?<=_image-)[\w-]{43}(?!\w)/g],
  ['signature', /\b[0-9a-f]{64}\b/g],
  ['transaction', /\b(?!1234123412341234)[19]\d{15}\b/g],
];

/** What is not part of these files. */
const OTHERS: readonly [RegExp, string][] = [
  [/127\.0\.0\.1:\d+/g, '{host}'],
  [/(?<="duration_ms": ?)\d+/g, '{milliseconds}'],
  [/(?<=<style>).*?(?=<\/style>)/gs, '{style}'],
  [/(?<=style-src )'sha256-[^']+'/g, "'{hash of the style}'"],
];

/**
 * Gives names to values that differ from run to run. The same value has the same name in a text, so that
 * a file shows which values must be equal.
 */
export class Variables {
  readonly #names: Map<string, string>;
  readonly #counts = new Map<string, number>();

  /** @param known values, and the names that they have in every text */
  constructor(known: Readonly<Record<string, string>> = {}) {
    this.#names = new Map(Object.entries(known));
  }

  /** The text with `{variables}`. */
  in(text: string): string {
    const named = [...this.#names].reduce(
      (rest, [value, name]) => rest.replaceAll(value, name),
      text,
    );
    const numbered = VALUES.reduce(
      (rest, [name, pattern]) => rest.replaceAll(pattern, (value) => this.#nameOf(name, value)),
      named,
    );
    return OTHERS.reduce((rest, [pattern, name]) => rest.replaceAll(pattern, name), numbered);
  }

  #nameOf(name: string, value: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const variable = `{${name} ${count}}`;
    this.#names.set(value, variable);
    return variable;
  }
}
