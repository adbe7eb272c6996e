import { join } from 'node:path';
import type { VerificationStartDto } from 'nestjs-berbix';
import type { BerbixAccount } from './berbix-account.js';
import { isEmbedded, type KeptData, whatStays } from './kept-data.js';
import { Paper, shortPath } from './paper.js';

/** Where everything is. */
export interface Places extends KeptData {
  berbix: BerbixAccount;
  /** URL of the backend. */
  backend: string;
  tokens: string;
}

export function printSurroundings(paper: Paper, places: Places): void {
  const { berbix, backend, database, data, tokens, key } = places;
  const kind = berbix.sandbox ? 'the sandbox: no account needed' : 'the account of your API secret';
  const wanted = join(data, 'database');
  paper.heading('The nestjs-berbix example backend');
  paper.fact('Berbix', `${berbix.host} (${kind})`);
  paper.fact('Backend', backend);
  paper.fact(
    'Database',
    isEmbedded(places)
      ? `embedded PostgreSQL, its data in ${shortPath(database)}`
      : `PostgreSQL at ${database}`,
  );
  if (isEmbedded(places) && shortPath(database) !== shortPath(wanted)) {
    paper.fact('', `(another run uses ${shortPath(wanted)})`);
  }
  paper.fact('Tokens', `${tokens}, encrypted`);
  if (key !== undefined) {
    paper.fact('', `with a key for the demo only: ${shortPath(key)}, beside the data`);
  }
}

export function printWhereToLook(
  write: (line: string) => void,
  places: Places,
  { hostedUrl }: VerificationStartDto,
): void {
  const { berbix, backend } = places;
  const paper = new Paper(write, 17);
  const verification = `-H "x-demo-customer: ada" ${backend}/verification`;
  paper.heading('The backend stays up; Ctrl+C stops it. Now play Ada:');
  paper.fact(
    'Verify',
    hostedUrl === undefined
      ? 'start the Berbix front end with the client token of the answer'
      : `open ${hostedUrl} and choose the result`,
  );
  paper.fact('See the status', `curl ${verification}`);
  paper.fact('The result', `curl ${verification}/result`);
  paper.fact('Resume it', `curl -X POST ${verification}`);
  paper.fact('Another attempt', `curl -X POST ${verification}/again`);
  paper.fact('Delete it', `curl -X DELETE ${verification}`);
  if (berbix.sandbox) {
    paper.fact('Requests so far', `curl ${berbix.host}/sandbox/requests`);
    paper.fact(
      'Try the API',
      `open ${berbix.host}/reference and press Authorize; the user name is`,
    );
    paper.fact('', berbix.sandbox.apiSecret);
  } else paper.fact('Webhooks', 'come to /webhooks/berbix/finished and /status of the backend');
  const [stays = '', ...more] = whatStays(places);
  paper.fact('Data', stays);
  for (const line of more) paper.fact('', line);
}
