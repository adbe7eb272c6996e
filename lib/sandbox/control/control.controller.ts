import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { SandboxClock } from '../clock.js';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import type { ApiJson } from '../http/api-json.js';
import { invalidRequest, notFound } from '../http/api-exception.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { RequestLog } from '../http/request-log.js';
import {
  type ClockChange,
  parseClockChange,
  parseFault,
  presentFault,
  presentRequest,
  presentRequestSummary,
} from './bodies.js';
import { EventsController } from './events.controller.js';
import { type ControlOperation, Describe, DescribeQuery, operationsOf } from './operations.js';
import { type Redact, Redaction } from './redaction.js';
import { StateController } from './state.controller.js';
import { ControlTransactionsController } from './transactions.controller.js';
import { WebhooksController } from './webhooks.controller.js';

/** The control API for requests, faults and the clock. */
@Controller(CONTROL_ROOT)
export class ControlController {
  constructor(
    @Inject(RequestLog) private readonly log: RequestLog,
    @Inject(SandboxFaults) private readonly faults: SandboxFaults,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  @Get()
  @Describe('List these operations')
  listOperations(): ApiJson {
    const operations = controlOperations().map(({ method, path, does, bodies }) => {
      const examples = bodies.map((body) => JSON.stringify(body)).join(' or ');
      return { request: `${method} ${path}`, does: examples ? `${does}: ${examples}` : does };
    });
    return { operations };
  }

  @Get('requests')
  @Describe('List the requests so far, oldest first')
  @DescribeQuery({
    summary: '1: without their URLs, headers, bodies and answers, which may be large',
  })
  listRequests(@Query('summary') summary: unknown, @Redaction() redact: Redact): ApiJson {
    const present = summary === '1' ? presentRequestSummary : presentRequest;
    return redact({ requests: Array.from(this.log, present) });
  }

  @Get('requests/:id')
  @Describe('Show a recorded request, by the `x-request-id` of its answer')
  readRequest(@Param('id') id: string, @Redaction() redact: Redact): ApiJson {
    const request = this.log.find(id);
    if (request) return redact(presentRequest(request));
    throw notFound(
      'No request with this id is recorded. The sandbox keeps the last 1000 requests to the API; GET /sandbox/requests lists them.',
    );
  }

  @Delete('requests')
  @Describe('Clear the recorded requests')
  @HttpCode(204)
  clearRequests(): void {
    this.log.clear();
  }

  @Get('faults')
  @Describe('List the pending faults; `times` says how many requests still get each')
  listFaults(@Redaction() redact: Redact): ApiJson {
    return redact({ faults: this.faults.pending.map(presentFault) });
  }

  /** The body is what `sandbox.faults.add()` accepts, where `times` may be `"Infinity"`. */
  @Post('faults')
  @Describe(
    'Add a fault, and show it with its id',
    { kind: 'status', status: 503 },
    { kind: 'latency', ms: 300, probability: 0.2, seed: 1, for_ms: 3_600_000 },
  )
  addFault(@JsonObjectBody() body: JsonObject, @Redaction() redact: Redact): ApiJson {
    const id = this.#valid(() => this.faults.add(parseFault(body)));
    const added = this.faults.pending.find((fault) => fault.id === id);
    return redact(added ? presentFault(added) : { id });
  }

  @Delete('faults/:id')
  @Describe('Remove a pending fault')
  @HttpCode(204)
  removeFault(@Param('id') id: string): void {
    if (this.faults.remove(id)) return;
    throw notFound(
      'No fault with this id is pending. It has ended or was removed; GET /sandbox/faults lists those that are.',
    );
  }

  @Delete('faults')
  @Describe('Remove all pending faults')
  @HttpCode(204)
  clearFaults(): void {
    this.faults.clear();
  }

  @Get('clock')
  @Describe('Read the clock')
  readClock(): ApiJson {
    return { now: new Date(this.clock.now()).toISOString() };
  }

  @Post('clock')
  @Describe('Move the clock, or set it', { advance_ms: 3_600_000 }, { now: '2030-01-01T00:00:00Z' })
  @HttpCode(200)
  changeClock(@JsonObjectBody() body: JsonObject): ApiJson {
    const change: ClockChange = parseClockChange(body);
    this.#valid(() =>
      'advanceMs' in change ? this.clock.advance(change.advanceMs) : this.clock.set(change.now),
    );
    return this.readClock();
  }

  /** An exception is the mistake of the caller here. */
  #valid<Result>(change: () => Result): Result {
    try {
      return change();
    } catch (error) {
      throw invalidRequest((error as Error).message);
    }
  }
}

/** All operations of the control API. */
export function controlOperations(): ControlOperation[] {
  return operationsOf([
    ControlController,
    EventsController,
    ControlTransactionsController,
    WebhooksController,
    StateController,
  ]);
}
