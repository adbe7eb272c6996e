import { Controller, Delete, Get, HttpCode, Inject, Param, Query } from '@nestjs/common';
import { notFound } from '../http/api-exception.js';
import type { ApiJson } from '../http/api-json.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { RequestLog } from '../http/request-log.js';
import { presentRequest, presentRequestSummary } from './bodies.js';
import { Describe, DescribeQuery } from './operations.js';
import { type Redact, Redaction } from './redaction.js';

/** The control API for the requests so far. */
@Controller(`${CONTROL_ROOT}/requests`)
export class RequestsController {
  constructor(@Inject(RequestLog) private readonly log: RequestLog) {}

  @Get()
  @Describe('List the requests so far, oldest first')
  @DescribeQuery({
    summary: '1: without their URLs, headers, bodies and answers, which may be large',
  })
  listRequests(@Query('summary') summary: unknown, @Redaction() redact: Redact): ApiJson {
    const present = summary === '1' ? presentRequestSummary : presentRequest;
    return redact({ requests: Array.from(this.log, present) });
  }

  @Get(':id')
  @Describe('Show a recorded request, by the `x-request-id` of its answer')
  readRequest(@Param('id') id: string, @Redaction() redact: Redact): ApiJson {
    const request = this.log.find(id);
    if (request) return redact(presentRequest(request));
    throw notFound(
      'No request with this id is recorded. The sandbox keeps the last 1000 requests to the API; GET /sandbox/requests lists them.',
    );
  }

  @Delete()
  @Describe('Clear the recorded requests')
  @HttpCode(204)
  clearRequests(): void {
    this.log.clear();
  }
}
