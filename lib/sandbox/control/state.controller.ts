import { Controller, Delete, Get, HttpCode, Inject, Put, Query } from '@nestjs/common';
import type { ApiJson } from '../http/api-json.js';
import { invalidRequest } from '../http/api-exception.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { stateOf } from '../storage/state-document.js';
import { Describe, DescribeQuery, DescribeRefusals } from './operations.js';
import { SandboxStateService } from './sandbox-state.service.js';

/** The control API for the whole state of the sandbox. */
@Controller(`${CONTROL_ROOT}/state`)
export class StateController {
  constructor(@Inject(SandboxStateService) private readonly state: SandboxStateService) {}

  @Get()
  @Describe('Export the transactions, the clock, and the key of the tokens, as one document')
  @DescribeQuery({ secrets: '1: without it, the answer is 400, since the document holds secrets' })
  @DescribeRefusals([400, 'invalidRequest', 'The query has no secrets=1.'])
  async read(@Query('secrets') secrets: unknown): Promise<ApiJson> {
    if (secrets === '1') return (await this.state.export()) as unknown as ApiJson;
    throw invalidRequest(
      `The state holds secrets: tokens can be made with it. Ask for them: GET ${CONTROL_ROOT}/state?secrets=1.`,
    );
  }

  @Put()
  @Describe(
    'Replace everything by an exported document, and forget requests, faults and deliveries',
    stateOf({ clockOffsetMs: 0, transactions: [] }),
  )
  @HttpCode(204)
  async replace(@JsonObjectBody() body: JsonObject): Promise<void> {
    await this.state.import(body);
  }

  @Delete()
  @Describe('Remove transactions, requests, faults and deliveries, and return the clock to now')
  @HttpCode(204)
  async reset(): Promise<void> {
    await this.state.reset();
  }
}
