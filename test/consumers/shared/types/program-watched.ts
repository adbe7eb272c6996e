// Compiled, never run: what the package exports to watch an application and a sandbox, used as a user would.
import { Injectable } from '@nestjs/common';
import {
  BerbixAbortedError,
  BerbixEvents,
  BerbixHealthService,
  BerbixTokenService,
  OnBerbixEvent,
  type BerbixCallOptions,
  type BerbixEvent,
  type BerbixHealthStatus,
  type BerbixTokens,
} from 'nestjs-berbix';
import {
  PostgresTokenStore,
  fromDrizzle,
  fromKysely,
  fromPrisma,
  fromTypeOrm,
  type DrizzleDatabase,
  type KyselyDatabase,
  type PrismaDatabase,
  type TypeOrmDataSource,
} from 'nestjs-berbix/postgres';
import type {
  BerbixSandbox,
  CreatedSandboxTransaction,
  DeliverySummary,
  NewSandboxTransaction,
  PendingFault,
  RecordedExchange,
  RecordedResponse,
  RefreshTokenFate,
  RequestSummary,
  SandboxEvent,
  SandboxEventKind,
  SandboxEventOf,
  SandboxEvents,
  SandboxResult,
  SandboxState,
  SandboxTransaction,
  SandboxTransactionDetails,
  SandboxTransactionQuery,
  SandboxTransactions,
  SignatureCheck,
  WebhookDelivery,
} from 'nestjs-berbix/sandbox';
import { firstValueFrom, type Observable } from 'rxjs';

// Events, health and the options of a call

@Injectable()
export class Watch {
  readonly events: Observable<BerbixEvent>;

  constructor(
    events: BerbixEvents,
    private readonly health: BerbixHealthService,
    private readonly tokens: BerbixTokenService,
  ) {
    this.events = events.events$;
  }

  @OnBerbixEvent('token.exchanged')
  exchanged(event: BerbixEvent<'token.exchanged'>): string {
    return event.kind;
  }

  async isUp(): Promise<boolean> {
    const { status, message }: BerbixHealthStatus = await this.health.check();
    return status === 'up' && message === undefined;
  }

  async refreshed(signal: AbortSignal): Promise<BerbixTokens | undefined> {
    const options: BerbixCallOptions = { signal, timeoutMs: 2000 };
    try {
      return await firstValueFrom(this.tokens.refresh('of-the-database', options));
    } catch (error) {
      if (error instanceof BerbixAbortedError) return undefined;
      throw error;
    }
  }
}

// Connections that an application has

declare const drizzle: DrizzleDatabase;
declare const kysely: KyselyDatabase;
declare const prisma: PrismaDatabase;
declare const typeOrm: TypeOrmDataSource;

export const stores = [
  fromDrizzle(drizzle),
  fromKysely(kysely),
  fromPrisma(prisma),
  fromTypeOrm(typeOrm),
].map((client) => new PostgresTokenStore(client));

// The sandbox

const wanted: NewSandboxTransaction = { kind: 'hosted', customerUid: 'ada' };
const result: SandboxResult = { action: 'accept', flags: [], fields: { given_name: 'ADA' } };
const query: SandboxTransactionQuery = { customerUid: 'ada', limit: 10 };

export async function lives(sandbox: BerbixSandbox): Promise<SandboxTransactionDetails> {
  const transactions: SandboxTransactions = sandbox.transactions;
  const { id }: CreatedSandboxTransaction = await transactions.create(wanted);
  await transactions.complete(id, result);
  await transactions.rotateRefreshToken(id);
  const [listed]: SandboxTransaction[] = await transactions.list(query);
  return transactions.find(listed?.id ?? id);
}

export function lastResponse(sandbox: BerbixSandbox): RecordedResponse | undefined {
  return sandbox.requests.last?.response;
}

export function fateOf(exchange: RecordedExchange): RefreshTokenFate | undefined {
  return exchange.overlaps ? exchange.sentToken : undefined;
}

export async function next<Kind extends SandboxEventKind>(
  sandbox: BerbixSandbox,
  kind: Kind,
): Promise<SandboxEventOf<Kind>> {
  const events: SandboxEvents = sandbox.events;
  return events.next(kind, () => true, { signal: AbortSignal.timeout(1000) });
}

export function summaryOf(event: SandboxEvent): RequestSummary | DeliverySummary | undefined {
  if (event.kind === 'request') return event.request;
  return event.kind === 'delivery' ? event.delivery : undefined;
}

export async function moved(from: BerbixSandbox, to: BerbixSandbox): Promise<void> {
  const state: SandboxState = await from.exportState();
  await to.importState(state);
}

export function checked(
  sandbox: BerbixSandbox,
  delivery: WebhookDelivery,
): [SignatureCheck | undefined, readonly PendingFault[]] {
  return [sandbox.webhooks.explainSignature(delivery), sandbox.faults.pending];
}
