import type { Operation, ReferenceValues, SecurityName } from '../model.js';
import type { Language, Route } from './language.js';

const CREDENTIALS: Record<SecurityName, { note: string; argument: string }> = {
  apiSecret: {
    note: '# Set BERBIX_API_SECRET to the API secret.',
    argument: `-u "$BERBIX_API_SECRET:"`,
  },
  accessToken: {
    note: '# ACCESS_TOKEN has the access_token of the transaction.',
    argument: `-H "Authorization: Bearer $ACCESS_TOKEN"`,
  },
  clientToken: {
    note: '# CLIENT_TOKEN has the client_token of the transaction.',
    argument: `-H "Authorization: Bearer $CLIENT_TOKEN"`,
  },
};

/** Made of the operations themselves: a call for each example of the body. */
export const CURL: Language = {
  lang: 'Shell',
  label: 'curl',
  sampleOf(route, values) {
    const security = securityOf(route.operation);
    // Webhooks are not calls to Berbix.
    if (security === undefined) return undefined;
    const { note, argument } = CREDENTIALS[security];
    const calls = bodiesOf(route.operation).map(({ summary, value }) => {
      const call = commandOf(route, values, argument, value);
      return summary === undefined ? call : `# ${summary}\n${call}`;
    });
    return [note, calls.join('\n\n')].join(calls.length > 1 ? '\n\n' : '\n');
  },
};

function securityOf({ security }: Operation): SecurityName | undefined {
  return Object.keys(security[0] ?? {})[0] as SecurityName | undefined;
}

function bodiesOf({ requestBody }: Operation): { summary?: string; value?: object }[] {
  return requestBody ? Object.values(requestBody.content['application/json'].examples ?? {}) : [{}];
}

function commandOf(
  { method, path }: Route,
  { url }: ReferenceValues,
  credential: string,
  body: object | undefined,
): string {
  // With a body, curl sends a POST by itself.
  const isDefault = method === (body ? 'post' : 'get');
  const target = `curl ${isDefault ? '' : `-X ${method.toUpperCase()} `}${url}${path}`;
  const json = body && [`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`];
  return [target, credential, ...(json ?? [])].join(' \\\n  ');
}

function quoted(body: object): string {
  const text = JSON.stringify(body, null, 2).replaceAll('\n', '\n  ');
  return `'${text.replaceAll(`'`, `'\\''`)}'`;
}
