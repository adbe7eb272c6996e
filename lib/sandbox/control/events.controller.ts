import type { ServerResponse } from 'node:http';
import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { SandboxClock } from '../clock.js';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import { ApiException } from '../http/api-exception.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { RequestLog } from '../http/request-log.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import { EventFeed } from './event-feed.js';
import { EventStream } from './event-stream.js';
import { Describe, DescribeRefusals } from './operations.js';
import { type Redact, Redaction } from './redaction.js';

/** More than any test and any number of open pages need. */
const MAX_STREAMS = 100;

/** Fastify wraps the response of Node, and must leave it alone; Express extends it. */
type PlatformResponse = ServerResponse & { raw?: ServerResponse; hijack?: () => void };

/** What happens in the sandbox, while it happens. */
@Controller(`${CONTROL_ROOT}/events`)
export class EventsController {
  #streams = 0;

  constructor(
    @Inject(EventFeed) private readonly feed: EventFeed,
    @Inject(RequestLog) private readonly requests: RequestLog,
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
    @Inject(SandboxFaults) private readonly faults: SandboxFaults,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  @Get()
  @Describe('Stream what happens, as server-sent events, until the client closes the connection')
  @DescribeRefusals([429, 'rateLimited', `${MAX_STREAMS} streams of events are open.`])
  stream(
    @Headers('last-event-id') lastId: string | undefined,
    @Redaction() redact: Redact,
    @Res() platformResponse: PlatformResponse,
  ): void {
    if (this.#streams >= MAX_STREAMS) throw tooManyStreams();
    this.#streams += 1;
    platformResponse.hijack?.();
    const response = platformResponse.raw ?? platformResponse;
    response.once('close', () => (this.#streams -= 1));
    new EventStream(this.feed, response, redact).start(lastId, {
      now: new Date(this.clock.now()).toISOString(),
      requests: this.requests.length,
      deliveries: this.webhooks.deliveries.length,
      faults: this.faults.pending.length,
    });
    // Express gets here for HEAD too, to which there is no stream.
    if (response.req.method === 'HEAD') response.end();
  }
}

function tooManyStreams(): ApiException {
  return new ApiException(
    429,
    READABLE.rateLimited,
    `${MAX_STREAMS} streams of events are open, which is the limit. Close one first.`,
  );
}
