import { Controller, Delete, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { ApiJson } from '../api-json.js';
import { invalidRequest } from '../errors/api.exception.js';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import type { JsonObject } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import { RequestLog } from '../requests/request-log.js';
import { SandboxClock } from '../sandbox-clock.js';
import { type ClockChange, parseClockChange } from './clock.request.js';
import { CONTROL_OPERATIONS } from './control-operations.js';
import { CONTROL_ROOT } from './control-path.js';
import { presentFault } from './fault.presenter.js';
import { parseFault } from './fault.request.js';
import { presentRequest } from './request.presenter.js';
import { Secrets, type Shown } from './secrets.decorator.js';

/** The sandbox over HTTP, for people who run it from the command line. */
@Controller(CONTROL_ROOT)
export class ControlController {
  constructor(
    @Inject(RequestLog) private readonly log: RequestLog,
    @Inject(SandboxFaults) private readonly faults: SandboxFaults,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  /** What there is here. */
  @Get()
  listOperations(): ApiJson {
    return { operations: CONTROL_OPERATIONS.map(({ request, does }) => ({ request, does })) };
  }

  /** What arrived, oldest first. */
  @Get('requests')
  listRequests(@Secrets() shown: Shown): ApiJson {
    return shown({ requests: Array.from(this.log, presentRequest) });
  }

  @Delete('requests')
  @HttpCode(204)
  clearRequests(): void {
    this.log.clear();
  }

  /** What has not happened yet; `times` says how often it still will. */
  @Get('faults')
  listFaults(@Secrets() shown: Shown): ApiJson {
    return shown({ faults: this.faults.pending.map(presentFault) });
  }

  /** Adds a fault; the body is what `sandbox.faults.add()` takes, `times` may be `"Infinity"`. */
  @Post('faults')
  @HttpCode(204)
  addFault(@JsonObjectBody() body: JsonObject): void {
    this.#valid(() => this.faults.add(parseFault(body)));
  }

  @Delete('faults')
  @HttpCode(204)
  clearFaults(): void {
    this.faults.clear();
  }

  @Get('clock')
  readClock(): ApiJson {
    return { now: new Date(this.clock.now()).toISOString() };
  }

  /** `{"advance_ms": 3600000}` moves the clock on, `{"now": "2030-01-01T00:00:00Z"}` sets it. */
  @Post('clock')
  @HttpCode(200)
  changeClock(@JsonObjectBody() body: JsonObject): ApiJson {
    const change: ClockChange = parseClockChange(body);
    this.#valid(() =>
      'advanceMs' in change ? this.clock.advance(change.advanceMs) : this.clock.set(change.now),
    );
    return this.readClock();
  }

  /** What a program would get as an exception is the caller's mistake here. */
  #valid(change: () => void): void {
    try {
      change();
    } catch (error) {
      throw invalidRequest((error as Error).message);
    }
  }
}
