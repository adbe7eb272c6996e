import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { ApiJson } from '../http/api-json.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { Describe, DescribeQuery, DescribeRefusals } from './operations.js';
import { SandboxTransactions } from './sandbox-transactions.js';
import { type Redact, Redaction } from './redaction.js';
import {
  parseSimulation,
  parseTransactionQuery,
  presentCreated,
  presentDetails,
  presentTransaction,
  type RequestQuery,
} from './transaction-bodies.js';
import { checkNewTransaction } from './transaction-checks.js';

/** The control API for transactions. */
@Controller(`${CONTROL_ROOT}/transactions`)
export class ControlTransactionsController {
  constructor(@Inject(SandboxTransactions) private readonly transactions: SandboxTransactions) {}

  @Get()
  @Describe('List the transactions, newest first')
  @DescribeQuery({
    customer: 'only those with this customer uid',
    state: 'open or completed',
    limit: 'at most this many, up to 1000; 100 by default',
  })
  @DescribeRefusals([400, 'invalidRequest', 'The query is not valid.'])
  async list(@Query() query: RequestQuery, @Redaction() redact: Redact): Promise<ApiJson> {
    const transactions = await this.transactions.list(parseTransactionQuery(query));
    return redact({ transactions: transactions.map(presentTransaction) });
  }

  @Post()
  @Describe(
    'Create a transaction as a backend does, and show it with its first tokens',
    { kind: 'hosted', customer_uid: 'ada' },
    { kind: 'sdk', mode: 'live' },
  )
  @DescribeRefusals([
    429,
    'rateLimited',
    'Too many test transactions were completed within four hours.',
    true,
  ])
  async create(@JsonObjectBody() body: JsonObject, @Redaction() redact: Redact): Promise<ApiJson> {
    const wanted = checkNewTransaction(body, 'customer_uid');
    return redact(presentCreated(await this.transactions.create(wanted)));
  }

  @Get(':id')
  @Describe('Show a transaction, and the exchanges of its refresh tokens')
  async read(@Param('id') id: string, @Redaction() redact: Redact): Promise<ApiJson> {
    return redact(presentDetails(await this.transactions.find(id)));
  }

  @Post(':id/simulate')
  @Describe(
    'Complete a transaction, expire its tokens, replace or revoke its refresh token, or purge it',
    { action: 'complete', result: 'reject', flags: ['id_under_18'], fields: { given_name: 'ADA' } },
    { action: 'expire_tokens' },
    { action: 'rotate_refresh_token' },
    { action: 'revoke_refresh_token' },
    { action: 'purge' },
  )
  @DescribeRefusals([
    409,
    'wrongState',
    'The transaction is complete, or its refresh token was revoked.',
  ])
  @HttpCode(204)
  async simulate(@Param('id') id: string, @JsonObjectBody() body: JsonObject): Promise<void> {
    await parseSimulation(body)(this.transactions, id);
  }
}
