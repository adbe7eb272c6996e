import type { Operation, ReferenceValues } from '../model.js';

/** An operation, and where it is. */
export interface Route {
  /** In lower case. */
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** A language, and its sample for each operation. */
export interface Language {
  /** For syntax highlighting. */
  readonly lang: string;
  /** For people: the name of its tab. */
  readonly label: string;
  /** Undefined if the SDK does not have the operation. */
  sampleOf(route: Route, values: ReferenceValues): string | undefined;
}

/** Samples of an SDK by operation, without those that the SDK does not have. */
export type Samples = Readonly<Record<string, (values: ReferenceValues) => string>>;

/** A language with a template for each operation. */
export function sdkLanguage(lang: string, label: string, samples: Samples): Language {
  return {
    lang,
    label,
    sampleOf: ({ operation }, values) => samples[operation.operationId]?.(values),
  };
}

/** Text without the indentation of its first line; a value of several lines is indented like its place. */
export function code(strings: TemplateStringsArray, ...values: string[]): string {
  const [, indentation = ''] = /^\n( *)/.exec(strings[0] ?? '') ?? [];
  const filled = strings.map((text, index) => {
    const own = text.replaceAll(`\n${indentation}`, '\n');
    const place = /\n([ \t]*)$/.exec(own)?.[1] ?? '';
    return own + (values[index] ?? '').replaceAll(/\n(?!\n)/g, `\n${place}`);
  });
  return filled.join('').trim();
}

/** For SDKs that need HTTPS: the URL, and a comment about it and the secret. */
export function httpsOf(
  { url, tlsUrl }: ReferenceValues,
  comment: '#' | '//',
  variable: string,
): { url: string; note: string } {
  const secret = `${comment} Set BERBIX_API_SECRET to the API secret.`;
  if (url.startsWith('https:')) return { url, note: secret };
  const needs = `${secret}\n${comment} This SDK needs HTTPS:`;
  if (tlsUrl !== undefined) {
    return { url: tlsUrl, note: `${needs} ${variable} has the CA file of the sandbox.` };
  }
  return {
    url: `https://${new URL(url).hostname}:4011`,
    note: `${needs} start the sandbox with --tls --tls-port 4011. ${variable} has its CA file.`,
  };
}
