import { DEFAULT_ACCOUNT } from '../../options/index.js';
import {
  PlaintextCipher,
  TokenCipher,
  berbixEncryptionFromEnvironment,
  type RecordCipher,
} from '../../token-store/index.js';
import { parseFlags, SWITCH, TEXT, type FlagValues } from '../parse-flags.js';
import {
  forgetRecord,
  listStore,
  showRecord,
  storeStats,
  type StoreContext,
} from './store-actions.js';
import { openStore, type OpenedStore } from './store-connection.js';
import { checkStore } from './store-doctor.js';
import { STORE_FLAGS, STORE_FLAGS_HELP, readStoreTarget } from './store-target.js';

const STORE_USAGE = `Usage: nestjs-berbix store ACTION --postgres URL [options]
       nestjs-berbix store ACTION --redis URL [options]

Looks into the store of an application. It never prints a token.

Actions:
  stats   count the records, by state and by encryption key
  ls      list the records with their states
  show    print one record: --transaction ID or --customer UID
  forget  remove the tokens of --transaction ID or --customer UID
  doctor  check the settings of the server

It reads encryption keys from BERBIX_ENCRYPTION_KEYS, as re-encrypt does. Without
them, stats, ls and show know less of sealed records, and forget refuses them.

Options:
${STORE_FLAGS_HELP}
  --transaction ID
                  for show and forget
  --customer UID  for show and forget
  --state STATE   for ls: only records whose state begins with it, such as dead
  --json          print JSON; for ls, one line for each record
  --help          show this help
`;

const OPTIONS = {
  ...STORE_FLAGS,
  transaction: TEXT,
  customer: TEXT,
  state: TEXT,
  json: SWITCH,
  help: SWITCH,
};

const ACTIONS: Record<string, (context: StoreContext, opened: OpenedStore) => Promise<number>> = {
  stats: storeStats,
  ls: listStore,
  show: showRecord,
  forget: forgetRecord,
  doctor: ({ json }, opened) => checkStore(opened, json),
};

/** The actions on one transaction or customer. */
const ON_ONE = new Set(['show', 'forget']);

/**
 * `nestjs-berbix store`: what operators need to know of the store of an application.
 *
 * @returns 0 on success, 1 if nothing was found, the store failed, or `doctor` found an error, 2 for
 * invalid flags
 */
export async function storeCommand([name = '--help', ...args]: string[]): Promise<number> {
  const parsed = parseFlags(name === '--help' ? [name] : args, OPTIONS);
  if ('problem' in parsed) return invalid(parsed.problem);
  const { flags } = parsed;
  if (flags.help) {
    process.stdout.write(STORE_USAGE);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    return invalid(`The action must be one of ${Object.keys(ACTIONS).join(', ')}.`);
  }
  const found = readStoreTarget(flags);
  const problem = 'problem' in found ? found.problem : misplaced(name, flags);
  if ('problem' in found || problem !== undefined) return invalid(problem ?? '');
  const { target, account = DEFAULT_ACCOUNT } = found;
  let opened: OpenedStore | undefined;
  try {
    const cipher = cipherFor(account);
    opened = await openStore(target);
    const { transaction, customer, state, json = false } = flags;
    const context = { store: opened.store, cipher, account, json, transaction, customer, state };
    return await action(context, opened);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await opened?.close();
  }
}

/** Flags that the action has no use for, or that it misses. */
function misplaced(
  name: string,
  { transaction, customer, state }: FlagValues<typeof OPTIONS>,
): string | undefined {
  const refs = [transaction, customer].filter((ref) => ref !== undefined).length;
  if (ON_ONE.has(name) && refs !== 1) return 'Pass either --transaction or --customer.';
  if (!ON_ONE.has(name) && refs > 0) {
    return '--transaction and --customer are only for show and forget.';
  }
  return state !== undefined && name !== 'ls' ? '--state is only for ls.' : undefined;
}

/** Reads values that are not encrypted too: nothing here hands out tokens. */
function cipherFor(account: string): RecordCipher {
  const encryption = berbixEncryptionFromEnvironment();
  return encryption === undefined
    ? new PlaintextCipher()
    : new TokenCipher({ ...encryption, acceptPlaintext: true }, account);
}

function invalid(problem: string): number {
  process.stderr.write(`${problem}\n\n${STORE_USAGE}`);
  return 2;
}
