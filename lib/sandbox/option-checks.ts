import { isIP } from 'node:net';
import { SandboxOptionError } from './options.js';

/** Returns the value that the sandbox uses. @throws {SandboxOptionError} */
export type Check<Value> = (value: unknown, option: string) => Value;

export function wholeNumber(min: number, max: number): Check<number> {
  return (value, option) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    throw new SandboxOptionError(option, `must be a whole number from ${min} to ${max}`);
  };
}

/** A whole number, or `Infinity`. */
export function limit(min: number): Check<number> {
  const check = wholeNumber(min, Number.MAX_SAFE_INTEGER);
  return (value, option) => (value === Infinity ? Infinity : check(value, option));
}

export const trueOrFalse: Check<boolean> = (value, option) => {
  if (typeof value === 'boolean') return value;
  throw new SandboxOptionError(option, 'must be true or false');
};

export function oneOf<Word extends string>(...words: readonly Word[]): Check<Word> {
  return (value, option) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const quoted = words.map((candidate) => `'${candidate}'`);
    throw new SandboxOptionError(
      option,
      `must be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    );
  };
}

export const ipAddress: Check<string> = (value, option) => {
  if (typeof value === 'string' && isIP(value) !== 0) return value;
  throw new SandboxOptionError(option, 'must be an IP address, such as 0.0.0.0 in a container');
};

/** A URL without a path, since the pages of the sandbox link to each other from the root. */
export const origin: Check<string> = (value, option) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isOrigin = url && `${url.origin}/` === url.href && /^https?:$/.test(url.protocol);
  // URLs allow more characters in a host name than DNS names of servers have.
  if (isOrigin && /^[\w.-]+$|^\[[\da-f:]+\]$/.test(url.hostname)) return url.origin;
  throw new SandboxOptionError(
    option,
    'must be a URL of http or https without a path, such as http://berbix:4010',
  );
};

export const directory: Check<string> = (value, option) => {
  if (typeof value === 'string' && value !== '') return value;
  throw new SandboxOptionError(option, 'must be the path of a directory');
};

export const webhookUrl: Check<string> = (value, option) => {
  const problem = problemOfWebhookUrl(value);
  if (problem === undefined) return value as string;
  throw new SandboxOptionError(option, problem);
};

/** Why the value is not a URL for webhooks; undefined if it is. */
export function problemOfWebhookUrl(url: unknown): string | undefined {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return 'must be a URL that begins with http:// or https://';
  }
  // They would not be sent.
  const hasUser = parsed.username !== '' || parsed.password !== '';
  return hasUser ? 'must be a URL without a user name and password' : undefined;
}

export const certificates: Check<string> = (value, option) => {
  if (typeof value === 'string' && value.includes('-----BEGIN')) return value;
  throw new SandboxOptionError(option, 'must be CA certificates in PEM');
};

/**
 * A secret that can be pasted unchanged, since the sandbox prints secrets as lines for a `.env` file
 * and in shell commands. A comma would separate two secrets there, and a colon the two parts of Basic
 * authentication.
 */
export function secret(prefix = ''): Check<string> {
  const characters = 'letters, digits or any of _ . ~ + / = -';
  return (value, option) => {
    if (typeof value === 'string' && /^[\w.~+/=-]+$/.test(value) && value.startsWith(prefix)) {
      return value;
    }
    // Without the value, which may be a real secret.
    throw new SandboxOptionError(
      option,
      prefix === ''
        ? `must be one or more ${characters}`
        : `must begin with ${prefix} and consist of ${characters}`,
    );
  };
}

/** An object of flags and actions. */
export const actions: Check<Readonly<Record<string, string>>> = (value, option) => {
  if (isActionMap(value)) return value;
  throw new SandboxOptionError(
    option,
    'must be an object of flags and actions, such as {"id_expired": "reject"}',
  );
};

function isActionMap(map: unknown): map is Record<string, string> {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return false;
  return Object.entries(map).every(
    ([name, action]) => isFlag(name) && typeof action === 'string' && action !== '',
  );
}

/** Whether the name may be a flag: there are more than the documented ones. [doc: docs/id-flags] */
export function isFlag(name: string): boolean {
  return /^[a-z0-9_]+$/.test(name);
}

/** @throws {SandboxOptionError} if the value is not an object, or has other members than the known ones */
export function checkMembers(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SandboxOptionError(option, 'must be an object');
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new SandboxOptionError(
    `${option}.${unknown}`,
    `is not known; the options of ${option} are ${known.join(', ')}`,
  );
}
