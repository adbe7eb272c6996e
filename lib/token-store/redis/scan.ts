import { BerbixStoreError } from '../../errors/index.js';

/** What lists the keys of one server. */
interface RedisServer {
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    hint: number,
    type: 'TYPE',
    name: 'hash',
  ): Promise<[cursor: string, keys: string[]]>;
}

/** A server of a Cluster. */
interface RedisNode extends RedisServer {
  readonly options: { host?: string | undefined; port?: number | undefined };
}

/** A client that can list keys; of a Cluster, if it has nodes. */
export interface RedisScanner extends RedisServer {
  readonly options: { keyPrefix?: string | undefined };
  nodes?(role: 'master'): RedisNode[];
  hexists(key: string, field: string): Promise<number>;
}

/** How many keys Redis looks at for one page. */
const HINT = 500;

/**
 * Some of the keys of hashes that begin with the prefix, without the client's own `keyPrefix`, which it adds
 * to every key that it sends, and neither to a pattern nor to what it gets.
 *
 * On a Cluster one server after the other: the cursor has that of the server and the addresses of
 * those that are left. What moves between servers meanwhile may be missed.
 *
 * @throws {BerbixStoreError} when a server of the cursor is gone
 */
export async function scanPage(
  client: RedisScanner,
  prefix: string,
  cursor: string | undefined,
): Promise<{ keys: string[]; cursor: string | undefined }> {
  // A Cluster knows all of its servers once it can be asked for a key, and waits until it can.
  if (client.nodes !== undefined && cursor === undefined) await client.hexists(prefix, 'value');
  const clientPrefix = String(client.options.keyPrefix ?? '');
  const servers = serversOf(client);
  const [from, ...left] = cursor?.split(' ') ?? ['0', ...servers.keys()];
  const server = servers.get(left[0] ?? '');
  if (from === undefined || server === undefined) {
    throw new BerbixStoreError(
      'The servers of the Redis Cluster changed while its keys were listed. Begin again, without a cursor.',
      { retryable: true },
    );
  }
  const pattern = `${escaped(clientPrefix + prefix)}*`;
  const [next, found] = await server.scan(from, 'MATCH', pattern, 'COUNT', HINT, 'TYPE', 'hash');
  if (next === '0') left.shift();
  return {
    keys: found.map((key) => key.slice(clientPrefix.length)),
    cursor: left.length === 0 ? undefined : [next, ...left].join(' '),
  };
}

/** By address; a single server has none. */
function serversOf(client: RedisScanner): Map<string, RedisServer> {
  if (client.nodes === undefined) return new Map([['-', client]]);
  return new Map(
    client.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]),
  );
}

/** What a glob pattern would read otherwise. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
