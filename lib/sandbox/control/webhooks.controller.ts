import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { WEBHOOK_KINDS } from '../../wire/index.js';
import type { ApiJson } from '../http/api-json.js';
import { orInvalid, invalidRequest } from '../http/api-exception.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import {
  parseResend,
  parseWebhookFault,
  parseWebhookTest,
  parseWebhookUrls,
  presentDelivery,
  presentSignature,
} from './bodies.js';
import { Describe } from './operations.js';
import { type Redact, Redaction } from './redaction.js';

/** The control API for webhooks. */
@Controller(`${CONTROL_ROOT}/webhooks`)
export class WebhooksController {
  constructor(
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  @Get()
  @Describe('Show the URL of each webhook, and their secrets if one has a URL')
  read(@Redaction() redact: Redact): ApiJson {
    const urls = WEBHOOK_KINDS.map((kind) => [kind, this.webhooks.url(kind) ?? null]);
    const { secrets } = this.settings.webhooks;
    const signed = WEBHOOK_KINDS.some((kind) => this.webhooks.url(kind) !== undefined) && {
      finished_secret: secrets.finished,
      status_secret: secrets.status,
    };
    return redact({ ...Object.fromEntries(urls), ...signed });
  }

  @Put()
  @Describe('Set URLs of webhooks; null removes one', {
    finished: 'http://localhost:3000/hook',
    status: null,
  })
  @HttpCode(200)
  setUrls(@JsonObjectBody() body: JsonObject, @Redaction() redact: Redact): ApiJson {
    for (const [kind, url] of parseWebhookUrls(body)) this.webhooks.setUrl(kind, url);
    return this.read(redact);
  }

  @Post('test')
  @Describe('Send a sample, and show its delivery after the first attempt', { kind: 'finished' })
  @HttpCode(202)
  async sendTest(
    @JsonObjectBody() body: JsonObject,
    @Redaction() redact: Redact,
  ): Promise<ApiJson> {
    const kind = parseWebhookTest(body);
    const delivery = await this.webhooks.startTest(kind);
    if (delivery !== undefined) return redact(presentDelivery(delivery));
    throw invalidRequest(`The ${kind} webhook has no URL. Set one: PUT ${CONTROL_ROOT}/webhooks.`);
  }

  @Get('deliveries')
  @Describe('List the webhooks so far, oldest first')
  listDeliveries(@Redaction() redact: Redact): ApiJson {
    return redact({ deliveries: Array.from(this.webhooks.deliveries, presentDelivery) });
  }

  @Get('deliveries/:id')
  @Describe('Show a webhook, and how its receiver checks the signature')
  readDelivery(@Param('id') id: string, @Redaction() redact: Redact): ApiJson {
    const delivery = this.webhooks.delivery(id);
    const check = this.webhooks.explainSignature(delivery);
    return redact({
      ...presentDelivery(delivery),
      signature: check ? presentSignature(check) : null,
    });
  }

  @Post('deliveries/:id/resend')
  @Describe(
    'Send a webhook again with a new signature, and show its delivery after the first attempt',
    {
      fault: 'late',
    },
  )
  @HttpCode(202)
  async resend(
    @Param('id') id: string,
    @JsonObjectBody() body: JsonObject,
    @Redaction() redact: Redact,
  ): Promise<ApiJson> {
    return redact(presentDelivery(await this.webhooks.startResend(id, parseResend(body))));
  }

  @Delete('deliveries')
  @Describe('Clear the list of webhooks')
  @HttpCode(204)
  clearDeliveries(): void {
    this.webhooks.deliveries.clear();
  }

  @Post('faults')
  @Describe(
    'Add a fault to the next webhook',
    { fault: 'late', kind: 'status' },
    { fault: 'duplicate' },
  )
  @HttpCode(204)
  addFault(@JsonObjectBody() body: JsonObject): void {
    const { fault, kind } = parseWebhookFault(body);
    orInvalid(() => this.webhooks.failNext(fault, kind));
  }

  @Delete('faults')
  @Describe('Remove all pending faults of webhooks')
  @HttpCode(204)
  clearFaults(): void {
    this.webhooks.clearFaults();
  }
}
