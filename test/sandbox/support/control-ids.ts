import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { RawClient } from './raw-client.js';

/** The path of an operation of the control API, with the id of something that exists, and its secrets. */
export async function existingPath(sandbox: BerbixSandbox, path: string): Promise<string> {
  const [, list = ''] = /(\w+)\/\{id\}/.exec(path) ?? [];
  const find: Record<string, () => Promise<string> | string> = {
    requests: async () => {
      await new RawClient(sandbox).create();
      return sandbox.requests.last?.id ?? '';
    },
    faults: () => sandbox.faults.add({ kind: 'hang', path: '/never' }),
    transactions: async () => (await sandbox.transactions.create()).id,
    deliveries: async () => (await sandbox.webhooks.startTest('finished'))?.id ?? '',
  };
  if (path.endsWith('/state')) return `${path}?secrets=1`;
  return path.replace('{id}', (await find[list]?.()) ?? '');
}
