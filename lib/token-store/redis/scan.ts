import { BerbixStoreError } from '../../errors/index.js';

/** A server whose keys can be listed. */
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

/** A client that can list keys; a Cluster if it has nodes. */
export interface RedisScanner extends RedisServer {
  readonly options: { keyPrefix?: string | undefined };
  nodes?(role: 'master'): RedisNode[];
  hexists(key: string, field: string): Promise<number>;
}

/** The number of keys that Redis scans for one page. */
const HINT = 500;

/**
 * A page of the keys of hashes that begin with the prefix, without the client's own `keyPrefix`.
 * The client adds that to every key that it sends, but not to patterns, and does not remove it from
 * results.
 *
 * A Cluster is scanned one server after another: the cursor contains the cursor of the server and
 * the addresses of the remaining servers. Keys that move between servers meanwhile may be missed.
 *
 * @throws {BerbixStoreError} if a server of the cursor is gone
 */
export async function scanPage(
  client: RedisScanner,
  prefix: string,
  cursor: string | undefined,
): Promise<{ keys: string[]; cursor: string | undefined }> {
  // A Cluster may not know its servers yet: a command for any key waits until it does.
  if (client.nodes !== undefined && cursor === undefined) await client.hexists(prefix, 'value');
  const clientPrefix = String(client.options.keyPrefix ?? '');
  const servers = listServers(client);
  const [from, ...left] = cursor?.split(' ') ?? ['0', ...servers.keys()];
  const server = servers.get(left[0] ?? '');
  if (from === undefined || server === undefined) {
    throw new BerbixStoreError(
      'The servers of the Redis Cluster changed while its keys were listed. List them again, without a cursor.',
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

/** The servers by address; a single server has none. */
function listServers(client: RedisScanner): Map<string, RedisServer> {
  if (client.nodes === undefined) return new Map([['-', client]]);
  return new Map(
    client.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]),
  );
}

/** Escapes the special characters of a glob pattern. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
