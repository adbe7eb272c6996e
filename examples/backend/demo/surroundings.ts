import { resolve } from 'node:path';
import { databaseConfig } from '../database/database.config.js';
import type { BerbixAccount } from './berbix-account.js';
import { Paper, shortPath } from './paper.js';

/** Where everything is. */
export interface Places {
  berbix: BerbixAccount;
  /** URL of the backend. */
  backend: string;
  /** Directory of the database. */
  data: string;
}

export function printSurroundings(paper: Paper, { berbix, backend, data }: Places): void {
  const kind = berbix.sandbox ? 'the sandbox: no account needed' : 'the account of your API secret';
  const wanted = resolve(databaseConfig().directory);
  paper.heading('The nestjs-berbix example backend');
  paper.fact('Berbix', `${berbix.host} (${kind})`);
  paper.fact('Backend', backend);
  paper.fact('Database', `embedded PostgreSQL, its data in ${shortPath(data)}`);
  if (data !== wanted) paper.fact('', `(another run uses ${shortPath(wanted)})`);
}

export function printWhereToLook(
  write: (line: string) => void,
  { berbix, backend, data }: Places,
): void {
  const paper = new Paper(write, 17);
  const customer = `-H "x-demo-customer: grace" ${backend}/verification`;
  paper.heading('The backend stays up; Ctrl+C stops it. Be another customer:');
  paper.fact('Begin or resume', `curl -X POST ${customer}`);
  paper.fact('Status', `curl ${customer}`);
  if (berbix.sandbox) paper.fact('What Berbix got', `curl ${berbix.host}/sandbox/requests`);
  paper.fact('Data', `stays in ${shortPath(data)}; delete it to begin anew`);
}
