import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { SandboxClock } from '../clock.js';
import { orInvalid } from '../http/api-exception.js';
import type { ApiJson } from '../http/api-json.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { type ClockChange, parseClockChange } from './bodies.js';
import { Describe } from './operations.js';

/** The control API for the clock. */
@Controller(`${CONTROL_ROOT}/clock`)
export class ClockController {
  constructor(@Inject(SandboxClock) private readonly clock: SandboxClock) {}

  @Get()
  @Describe('Read the clock')
  readClock(): ApiJson {
    return { now: new Date(this.clock.now()).toISOString() };
  }

  @Post()
  @Describe('Move the clock, or set it', { advance_ms: 3_600_000 }, { now: '2030-01-01T00:00:00Z' })
  @HttpCode(200)
  changeClock(@JsonObjectBody() body: JsonObject): ApiJson {
    const change: ClockChange = parseClockChange(body);
    orInvalid(() =>
      'advanceMs' in change ? this.clock.advance(change.advanceMs) : this.clock.set(change.now),
    );
    return this.readClock();
  }
}
