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
import {
  ENCRYPTION_SETTINGS,
  STORE_FLAGS,
  STORE_FLAGS_HELP,
  readStoreTarget,
} from './store-target.js';
import { STATES } from './stored-records.js';

const STORE_USAGE = `Usage: nestjs-berbix store ACTION --postgres URL [options]
       nestjs-berbix store ACTION --redis URL [options]

Looks into the store of an application. It never prints a token.

Actions:
  stats   count the records, by state and by encryption key
  ls      list the records with their states
  show    print one record: --transaction ID, --customer UID or --name NAME
  forget  remove its tokens, and those that it refers to
  doctor  check the settings of the server

It reads encryption keys from BERBIX_ENCRYPTION_KEYS, as re-encrypt does. Without
them, stats, ls and show know less of sealed records, and forget refuses them.

Options:
${STORE_FLAGS_HELP}
  --transaction ID
                  for show and forget
  --customer UID  for show and forget
  --name NAME     for show and forget: the name of a record in ls
  --state STATE   for ls: only records whose state begins with it, such as dead
  --json          print JSON; for ls, one line for each record
  --help          show this help
`;

const OPTIONS = {
  ...STORE_FLAGS,
  transaction: TEXT,
  customer: TEXT,
  name: TEXT,
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

/** The actions on one record. */
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
    const { store } = opened;
    return await action({ ...flags, store, cipher, account, json: flags.json ?? false }, opened);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await opened?.close();
  }
}

/** Flags that the action has no use for, or that it misses. */
function misplaced(
  action: string,
  { transaction, customer, name, state }: FlagValues<typeof OPTIONS>,
): string | undefined {
  const refs = [transaction, customer, name].filter((ref) => ref !== undefined).length;
  if (ON_ONE.has(action) && refs !== 1) return 'Pass one of --transaction, --customer and --name.';
  if (!ON_ONE.has(action) && refs > 0) {
    return '--transaction, --customer and --name are only for show and forget.';
  }
  if (state === undefined) return undefined;
  if (action !== 'ls') return '--state is only for ls.';
  // More may follow the word, as in `dead (BERBIX_GONE)`.
  return STATES.some((known) => known.startsWith(state) || state.startsWith(`${known} (`))
    ? undefined
    : `--state must be the beginning of one of ${STATES.join(', ')}.`;
}

/** Reads values that are not encrypted too: nothing here hands out tokens. */
function cipherFor(account: string): RecordCipher {
  const encryption = berbixEncryptionFromEnvironment();
  return encryption === undefined
    ? new PlaintextCipher(ENCRYPTION_SETTINGS.keys)
    : new TokenCipher({ ...encryption, acceptPlaintext: true }, account, ENCRYPTION_SETTINGS);
}

function invalid(problem: string): number {
  process.stderr.write(`${problem}\n\n${STORE_USAGE}`);
  return 2;
}
