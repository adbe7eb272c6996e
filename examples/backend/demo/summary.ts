import { join } from 'node:path';
import type { VerificationStartDto } from 'nestjs-berbix';
import type { BerbixAccount } from './berbix-account.js';
import { Printer, shortPath } from './printer.js';
import { cleanupHints, isEmbedded, type StoredData } from './stored-data.js';

/** Where everything runs, and where it stores its data. */
export interface Setup extends StoredData {
  berbix: BerbixAccount;
  /** URL of the backend. */
  backend: string;
  /** Where the tokens are stored. */
  tokens: string;
  /** Where traces and metrics are sent. */
  collector: string | undefined;
}

export function printSetup(printer: Printer, setup: Setup): void {
  const { berbix, backend, database, data, tokens, key, collector } = setup;
  const kind = berbix.sandbox ? 'the sandbox: no account needed' : 'the account of your API secret';
  const preferred = join(data, 'database');
  printer.heading('The nestjs-berbix example backend');
  printer.fact('Berbix', `${berbix.host} (${kind})`);
  printer.fact('Backend', backend);
  printer.fact(
    'Database',
    isEmbedded(setup)
      ? `embedded PostgreSQL, its data in ${shortPath(database)}`
      : `PostgreSQL at ${database}`,
  );
  if (isEmbedded(setup) && shortPath(database) !== shortPath(preferred)) {
    printer.fact('', `(another run uses ${shortPath(preferred)})`);
  }
  printer.fact('Tokens', `${tokens}, encrypted`);
  if (key !== undefined) {
    printer.fact('', `with a key for the demo only: ${shortPath(key)}, beside the data`);
  }
  if (collector !== undefined) printer.fact('Telemetry', `sent to ${collector}`);
}

export function printNextSteps(
  write: (line: string) => void,
  setup: Setup,
  { hostedUrl }: VerificationStartDto,
): void {
  const { berbix, backend } = setup;
  const printer = new Printer(write, 17);
  const verification = `-H "x-demo-customer: ada" ${backend}/verification`;
  printer.heading('The backend keeps running; Ctrl+C stops it. Now you are Ada:');
  printer.fact(
    'Verify',
    hostedUrl === undefined
      ? `open ${backend} and sign in as Ada`
      : `open ${hostedUrl} and choose the result`,
  );
  printer.fact('See the status', `curl ${verification}`);
  printer.fact('See the result', `curl ${verification}/result`);
  printer.fact('Resume', `curl -X POST ${verification}`);
  printer.fact('Another attempt', `curl -X POST ${verification}/again`);
  printer.fact('Delete', `curl -X DELETE ${verification}`);
  if (berbix.sandbox) {
    printer.fact('Console', `open ${berbix.host} to see what just happened`);
    printer.fact('Requests so far', `curl ${berbix.host}/sandbox/requests`);
    printer.fact(
      'Try the API',
      `open ${berbix.host}/reference and press Authorize; the user name is`,
    );
    printer.fact('', berbix.sandbox.apiSecret);
  } else printer.fact('Webhooks', 'send them to /webhooks/berbix/finished and /status');
  const [location = '', ...more] = cleanupHints(setup);
  printer.fact('Data', location);
  for (const line of more) printer.fact('', line);
}
